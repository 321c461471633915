"""Stand-ins for real servers, for tests that need none."""
