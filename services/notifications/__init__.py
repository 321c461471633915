"""Notifications: decides who must know what, says it once, and says what to do by when."""
