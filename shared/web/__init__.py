"""The HTTP side of every service: authentication, problem details, paging, health, documentation."""

from shared.contracts.people import Role
from shared.web.app import build_app, serve
from shared.web.auth import Caller, caller

__all__ = ["Caller", "Role", "build_app", "caller", "serve"]
