"""The delivery pipeline: at-least-once transport, exactly-once effects."""
