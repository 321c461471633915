"""One service process and its operation: start, stop, health, topics, dead letters."""
