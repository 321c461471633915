"""The HTTP side of every service: authentication, problem details, paging, health, documentation."""

from shared.web.app import build_app, serve
from shared.web.auth import Caller, caller
from shared.web.tokens import Role

__all__ = ["Caller", "Role", "build_app", "caller", "serve"]
