"""Corrections of an approved budget: what they would change, and what people decide of that."""
