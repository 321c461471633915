"""Langhoc on one machine: real Kafka, MongoDB and Zipkin without containers, and the services beside them."""

from deploy.local.errors import LocalPlatformError
from deploy.local.harness import ServerProcess, Servers, start_servers
from deploy.local.identity import ROLES, Role, issue_token
from deploy.local.platform import LocalPlatform, ProgramStatus, UpResult
from deploy.local.state import SERVICES, Platform, default_state

__all__ = [
    "ROLES",
    "SERVICES",
    "LocalPlatform",
    "LocalPlatformError",
    "Platform",
    "ProgramStatus",
    "Role",
    "ServerProcess",
    "Servers",
    "UpResult",
    "default_state",
    "issue_token",
    "start_servers",
]
