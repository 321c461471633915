"""Events out: the outbox, its relay, and the producer."""
