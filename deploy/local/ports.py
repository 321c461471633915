"""Free loopback ports that stay the same from one start to the next."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

from deploy.local.files import write_atomically
from deploy.local.servers import LOOPBACK

PORTS = range(20_000, 32_000)
"""Below those that Linux gives to outgoing connections: one of them could take the port of a server that is stopped."""


def choose_ports(names: Iterable[str], book: Path) -> dict[str, int]:
    """Give each name a free port, the one that the book has for it if that is free, and write the book.

    Keeping the ports keeps bookmarks and a replica set's own address valid. All ports are held open until the
    last is chosen, so no two names get the same one.
    """
    known: dict[str, int] = json.loads(book.read_text()) if book.exists() else {}
    with ExitStack() as held:

        def take(port: int) -> int:
            listener = held.enter_context(socket.socket())
            # So that connections of the previous run that linger in TIME_WAIT do not count as a user.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((LOOPBACK, port))
            # SO_REUSEADDR lets two sockets bind one port as long as neither listens.
            listener.listen(1)
            chosen: int = listener.getsockname()[1]
            return chosen

        def take_any() -> int:
            for port in random.sample(PORTS, len(PORTS)):
                with suppress(OSError):
                    return take(port)
            return take(0)

        chosen: dict[str, int] = {}
        for name in names:
            with suppress(OSError, KeyError):
                chosen[name] = take(known[name])
            if name not in chosen:
                chosen[name] = take_any()
    write_atomically(book, json.dumps(known | chosen, indent=2))
    return chosen
