"""Fakes for unit tests. Nothing that runs in production imports them."""
