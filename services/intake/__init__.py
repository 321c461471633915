"""Intake: receives submissions, validates them, answers every one with a receipt."""
