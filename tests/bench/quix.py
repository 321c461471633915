"""Quix Streams, which a user might pick instead, with the same work: in an environment of its own, fetched once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import uuid
from importlib.metadata import version
from pathlib import Path
from typing import Any

import bson
from motor.motor_asyncio import AsyncIOMotorClient
from uv import find_uv_bin

from deploy.local.fetch import default_cache
from shared.messaging.access import KafkaAccess
from tests.bench.written import Written
from tests.topics import Offsets, begin_at

PACKAGES = ("quixstreams==3.28.1", f"pymongo=={version('pymongo')}")
SCRIPT = Path(__file__).with_name("quix_stage.py")
FETCH_SECONDS, RUN_SECONDS = 300, 900


class NotFetched(Exception):
    """The environment cannot be made here. Carries the reason."""


def environment(cache: Path) -> Path:
    """The interpreter that has these packages; fetches them if the cache has it not. Raises `NotFetched`."""
    home = cache / "-".join(["bench", *(package.replace("==", "-") for package in PACKAGES)])
    if not home.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache) as scratch:
            made = Path(scratch) / "environment"
            _uv("venv", "--python", sys.executable, str(made))
            _uv("pip", "install", "--python", str(made / "bin" / "python"), *PACKAGES)
            made.rename(home)
    return home / "bin" / "python"


def _uv(*arguments: str) -> None:
    try:
        done = subprocess.run(
            [find_uv_bin(), "--quiet", *arguments], capture_output=True, text=True, timeout=FETCH_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotFetched(str(error)) from error
    if done.returncode:
        raise NotFetched(" ".join(done.stderr.split())[:200])


async def run_quix(kafka: KafkaAccess, mongo: str, begin: Offsets, written: Written, *, total: int, batch: int) -> None:
    """Handle all records, each with its share of what was written. Raises `NotFetched`, or if it fails."""
    python = await asyncio.to_thread(environment, default_cache())
    name = f"quix_{uuid.uuid4().hex[:8]}"
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(mongo)
    await written.prepare(client[name])
    await begin_at(kafka, name, begin)
    stage = {
        "kafka": {
            "bootstrap_servers": kafka.bootstrap,
            "security_protocol": kafka.security,
            "sasl_mechanism": kafka.mechanism,
            "sasl_username": kafka.user,
            "sasl_password": kafka.password,
        },
        "mongo": mongo,
        "database": name,
        "group": name,
        "topics": sorted({partition.topic for partition in begin}),
        "batch": batch,
        "total": total,
        "documents": written.documents,
        "outbox": written.outbox,
    }
    with tempfile.TemporaryDirectory() as folder:  # also what the library keeps in the folder where it runs
        path = Path(folder) / "stage.bson"
        path.touch(mode=0o600)  # it holds passwords
        path.write_bytes(bson.encode(stage))
        process = await asyncio.create_subprocess_exec(
            *(str(python), str(SCRIPT), str(path)), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        try:
            _, said = await asyncio.wait_for(process.communicate(), RUN_SECONDS)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if process.returncode:
        raise RuntimeError(f"Quix Streams ended with {process.returncode}: {said.decode(errors='replace')[-2000:]}")
    await client.drop_database(name)
    client.close()
