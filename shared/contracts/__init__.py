"""Topics and events: the only thing the services know of each other."""
