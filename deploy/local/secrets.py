"""Passwords of a platform's principals: a folder for each, with one file for each setting, for its owner alone.

Beside the folders lies the key file of the embedded mongod.

The layout is that of pydantic-settings' `secrets_dir` (and of secrets mounted into containers), so a process that is
given its own folder knows its own passwords and nobody else's.
"""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import Literal

from deploy.local.files import private_folder, write_atomically

Server = Literal["kafka", "mongo"]
_BYTES = 32


class Secrets:
    """The passwords below `<state>/secrets`; what does not exist is made when it is first asked for."""

    def __init__(self, state: Path) -> None:
        self._root = state / "secrets"

    def folder(self, principal: str) -> Path:
        """What a principal's process is given to read."""
        return self._root / principal

    def password(self, principal: str, server: Server) -> str:
        """The principal's password for one of the servers: 43 characters that need no quoting anywhere."""
        file = self._file(principal, server)
        try:
            return file.read_text(encoding="ascii")
        except FileNotFoundError:
            return self.renew(principal, server)

    def renew(self, principal: str, server: Server) -> str:
        """Another password in the place of the one before. The server has to be told."""
        private_folder(self._root)
        private_folder(self.folder(principal))
        password = secrets.token_urlsafe(_BYTES)
        # The password last: where it is, the user is too. One without the other would stop the principal's start.
        write_atomically(self.folder(principal) / f"langhoc_{server}_user", principal)
        write_atomically(self._file(principal, server), password)
        return password

    def mongod_key(self) -> Path:
        """The file with which members of a MongoDB replica set know each other; whoever reads it may do everything."""
        file = self._root / "mongod.key"
        if not file.exists():
            private_folder(self._root)
            write_atomically(file, secrets.token_hex(_BYTES))  # mongod takes letters of base64 alone
        return file

    def account_key(self) -> str:
        """The key under which all services know accounts (`LANGHOC_ACCOUNT_KEY`)."""
        return self._shared("account.key")

    def seal_key(self) -> str:
        """The keys with which services seal what they keep in the embedded MongoDB (`LANGHOC_SEAL_KEY`)."""
        return self._shared("seal.key")

    def _shared(self, name: str) -> str:
        file = self._root / name
        if not file.exists():
            private_folder(self._root)
            write_atomically(file, secrets.token_urlsafe(_BYTES))
        return file.read_text(encoding="ascii")

    def forget(self, principal: str) -> None:
        """Remove all that a principal has. The servers have to be told."""
        shutil.rmtree(self.folder(principal), ignore_errors=True)

    def _file(self, principal: str, server: Server) -> Path:
        return self.folder(principal) / f"langhoc_{server}_password"
