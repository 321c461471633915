"""Scoring: applies the law's rubrics to accepted assessments and ranks communes."""
