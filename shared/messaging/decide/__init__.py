"""What is decided: causes, the documents a decision rests on, its outcome, and how that is written."""
