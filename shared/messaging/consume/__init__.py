"""Records in: fetched fairly, read, decided on in batches, acknowledged when written."""
