"""What every answer says of itself, that of the application and that of who reads its requests."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders

ASSETS = "/static/"
"""Files of the documentation: the only thing that a browser may keep."""
OF_DATA = "default-src 'none'; frame-ancestors 'none'"
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def guard(headers: MutableHeaders, path: str = "") -> None:
    """Put them on an answer to who asked for this path; to who asked for none that could be read, without it."""
    for name, value in ALWAYS.items():
        headers[name] = value
    headers.setdefault("Content-Security-Policy", OF_DATA)
    headers.setdefault("Cache-Control", "max-age=3600" if path.startswith(ASSETS) else "no-store")
