"""The whole platform in containers on one machine: `compose.yaml`, and the secrets that it mounts."""
