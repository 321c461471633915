"""Hostile inputs as data, and those who play them: see the README beside."""
