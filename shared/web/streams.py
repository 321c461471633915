"""Answers that are sent while they are made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel

T = TypeVar("T")


async def begun(parts: AsyncIterator[T]) -> AsyncIterator[T]:
    """The same parts, once the first one is there: what fails before it can still be answered as a problem."""
    try:
        first = [await anext(parts)]
    except StopAsyncIteration:
        first = []

    async def whole() -> AsyncIterator[T]:
        for part in first:
            yield part
        async for part in parts:
            yield part

    return whole()


BEAT_SECONDS = 10.0
"""After so long, and then each time, whoever waits hears that work goes on: no line between takes it for dead."""


async def patient(work: Coroutine[Any, Any, BaseModel]) -> Response:
    """The answer that takes long to make. What is quick, or fails early, is answered as ever; else the document comes
    behind blank lines, which are none of it. Whoever leaves ends the work."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=BEAT_SECONDS)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if task.done():
        return Response(task.result().model_dump_json(), media_type=JSONResponse.media_type)
    return StreamingResponse(_beating(task), media_type=JSONResponse.media_type)


async def _beating(task: asyncio.Future[BaseModel]) -> AsyncIterator[bytes]:
    try:
        while not task.done():
            yield b"\n"
            await asyncio.wait({task}, timeout=BEAT_SECONDS)
        yield task.result().model_dump_json().encode()
    finally:
        task.cancel()
