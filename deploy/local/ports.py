"""Free loopback ports that stay the same from one start to the next."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from deploy.local.files import write_atomically
from deploy.local.servers import LOOPBACK


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

        chosen = {}
        for name in names:
            try:
                chosen[name] = take(known.get(name, 0))
            except OSError:
                chosen[name] = take(0)
    write_atomically(book, json.dumps(known | chosen, indent=2))
    return chosen
