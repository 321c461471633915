"""The life of a province's budget: who acts on it, what an approval freezes and books, what is published."""
