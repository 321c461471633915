"""Building and serving a service's HTTP side."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp

import shared.contracts
from shared.answers.operations import Flow
from shared.contracts.base import Problem
from shared.messaging.ending import end
from shared.messaging.operate.instance import InstanceTaken
from shared.messaging.operate.runtime import TAKEN, Check, Runtime
from shared.messaging.operate.topics import TopicMismatch
from shared.messaging.settings import ServiceSettings
from shared.messaging.stage import Unsupported
from shared.telemetry import shut_down_traces
from shared.web import dead_letters, privacy, problems
from shared.web.access import AccessLog
from shared.web.admission import Admission, is_open
from shared.web.auth import Operator, Verifier, caller_of
from shared.web.bodies import BoundedBodies
from shared.web.connections import HEADER_BYTES, BoundedConnection
from shared.web.crowds import Crowds
from shared.web.headers import Guarded, of_page
from shared.web.keys import Keys
from shared.web.lately import Lately
from shared.web.parameters import only_known
from shared.web.people import Directory, Trust
from shared.web.tokens import trusted

log = structlog.get_logger()
EXIT_SECONDS = 25
CANNOT_START = 3
"""Exit code of a process that cannot start: a topic is not its contract's, a port is taken, a migration failed."""
SPANS_SECONDS = 4
CLOCK_HEADER = "Langhoc-Clock-Offset-Seconds"
CONTRACTS = Path(shared.contracts.__file__).parent


def build_app(runtime: Runtime, routers: Sequence[APIRouter], *, title: str, provider: TracerProvider) -> FastAPI:
    """The service's API: its routers, health, metrics, dead letters and offline documentation."""

    tokens = trusted(runtime.settings, runtime.clock)

    async def start() -> None:
        try:
            await runtime.start()
        except Exception as error:
            plain = isinstance(error, (InstanceTaken, TopicMismatch, Unsupported))  # said in words already
            tell_refused(error.problems if isinstance(error, Unsupported) else ())
            log.critical("service.cannot_start", error=str(error), exc_info=None if plain else error)
            app.state.failure = error
            app.state.end()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        starting = asyncio.create_task(start(), name="start")  # health answers while servers are waited for
        keys = asyncio.create_task(tokens.keys.follow(), name="keys")
        try:
            yield
        finally:
            await end([starting, keys])
            await runtime.stop()
            await asyncio.to_thread(shut_down_traces, provider, SPANS_SECONDS)

    app = FastAPI(
        title=title,
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        description="Events and topics: [/contracts](/contracts)",
        dependencies=[Depends(_not_while_starting), Depends(_nobody_unknown), Depends(only_known)],
        redirect_slashes=False,  # a redirect would name the host that the caller has named
        responses=problems.DOCUMENTED,
    )
    app.state.failure = None
    app.state.end = lambda: None
    app.state.verifier = Verifier(tokens, Directory(runtime.mongo, runtime.clock, _trust(runtime.settings)))
    app.state.mongo = runtime.mongo
    app.state.runtime = runtime
    problems.install(app)
    for layer in (BoundedBodies, Crowds, Admission, Guarded):  # the last one is the outermost
        app.add_middleware(layer)
    app.add_middleware(AccessLog, provider=provider)
    app.include_router(_health(runtime, tokens.keys))
    app.include_router(dead_letters.router)
    app.include_router(privacy.router)
    for router in routers:
        app.include_router(router)
    _documentation(app, title)
    _contracts(app)

    if runtime.clock.offset_seconds or runtime.settings.clock_file:

        @app.middleware("http")
        async def show_clock(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
            response = await call_next(request)
            if runtime.clock.offset_seconds:
                response.headers[CLOCK_HEADER] = str(runtime.clock.offset_seconds)
            return response

    return app


def _trust(settings: ServiceSettings) -> Trust:
    return Trust(key=settings.account_key.get_secret_value().encode(), local=settings.stage == "local")


def served(app: ASGIApp, host: str, port: int) -> uvicorn.Config:
    """How every service is served."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        http=partial(BoundedConnection, {}),  # type: ignore[arg-type]  # anything that makes a protocol
        h11_max_incomplete_event_size=HEADER_BYTES,
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=5,
        lifespan="on",
    )


def serve(app: FastAPI, runtime: Runtime) -> None:
    """Serve until SIGTERM; leave within `EXIT_SECONDS` even if a library hangs (a frozen broker makes it).

    Raises `SystemExit` if the service cannot start.
    """
    server = uvicorn.Server(served(app, runtime.settings.http_host, runtime.settings.http_port))
    app.state.end = partial(setattr, server, "should_exit", True)

    async def main() -> None:
        asyncio.get_running_loop().call_soon(_arm_exit)
        await server.serve()

    asyncio.run(main())
    if isinstance(app.state.failure, InstanceTaken):
        raise SystemExit(TAKEN)
    if app.state.failure or not server.started:
        raise SystemExit(CANNOT_START)


def _arm_exit() -> None:
    """On SIGTERM also start the timer that ends the process come what may. Effects are safe: they are transactions."""
    loop = asyncio.get_running_loop()
    inherited = signal.getsignal(signal.SIGTERM)

    def on_term(number: int, frame: Any) -> None:
        loop.call_soon_threadsafe(loop.call_later, EXIT_SECONDS, os._exit, 1)
        if callable(inherited):
            inherited(number, frame)

    signal.signal(signal.SIGTERM, on_term)


def tell_refused(found: Sequence[Problem]) -> None:
    """Say what is wrong with a deployment, and how to mend it."""
    for one in found:
        log.critical(
            "service.refused", code=one.code, setting=one.field, message=one.message.model_dump(), mend=one.mend.en
        )


async def _not_while_starting(request: Request) -> None:
    """Refuse what needs a database that is prepared; health, metrics and documentation do not."""
    waiting_for = request.app.state.runtime.waiting_for
    if waiting_for and not request.url.path.startswith(("/health/", "/metrics", "/docs", "/contracts")):
        raise problems.refused("http.starting", server=waiting_for, seconds=problems.RETRY_SECONDS)


async def _nobody_unknown(request: Request) -> None:
    """Know the person first: the access log names who asks wrongly, too, and who is nobody learns no parameter."""
    if not is_open(request.scope):
        await caller_of(request)


def _health(runtime: Runtime, keys: Keys) -> APIRouter:
    router = APIRouter(tags=["health"])
    is_alive, is_ready = Lately(runtime.live), Lately(runtime.ready)  # open to anybody, and they ask the servers

    def answer(checks: list[Check]) -> JSONResponse:
        ok = all(check.ok for check in checks)
        body = {
            "service": runtime.service,
            "instance": runtime.settings.instance,
            "ok": ok,
            "clock_offset_seconds": runtime.clock.offset_seconds,
            "checks": {check.name: {"ok": check.ok, "detail": check.detail} for check in checks},
        }
        return JSONResponse(body, 200 if ok else 503)

    told: dict[int | str, dict[str, Any]] = {
        503: {"description": "It is not, and why", "content": {"application/json": {}}}
    }

    @router.get("/health/live", summary="Alive, judged by progress", responses=told)
    async def live() -> JSONResponse:
        return answer(await is_alive())

    @router.get("/health/ready", summary="Ready to do its work now", responses=told)
    async def ready() -> JSONResponse:
        return answer([*await is_ready(), keys.check()])

    @router.get("/flow", summary="What is still on its way")
    async def flow(who: Operator) -> Flow:
        now = await runtime.flow()
        return Flow(
            service=runtime.service,
            lag=now.lag,
            outbox=now.outbox,
            requests=now.requests,
            busy=now.busy,
            settled=now.settled,
            **await runtime.dead_letters(),
        )

    @router.get("/metrics", summary="Prometheus metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


def _documentation(app: FastAPI, title: str) -> None:
    """Swagger UI from an installed package: an administrative network reaches no CDN."""
    app.mount("/static/swagger", StaticFiles(packages=[("fastapi_offline", "static")]), name="swagger")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return page

    page = get_swagger_ui_html(
        openapi_url=app.openapi_url or "/openapi.json",
        title=title,
        swagger_js_url="/static/swagger/swagger-ui-bundle.js",
        swagger_css_url="/static/swagger/swagger-ui.css",
        swagger_favicon_url="/static/swagger/favicon.png",
    )
    page.headers["Content-Security-Policy"] = of_page(bytes(page.body))


def _contracts(app: FastAPI) -> None:
    """What other systems join by: topics and events, as schemas, examples and a page for people."""
    page = (CONTRACTS / "published" / "index.html").read_bytes()
    policy = {"Content-Security-Policy": of_page(page)}
    app.mount("/contracts/examples", StaticFiles(directory=CONTRACTS / "examples"), name="examples")
    app.mount("/contracts/", StaticFiles(directory=CONTRACTS / "published"), name="contracts")

    @app.get("/contracts", include_in_schema=False)
    async def contracts() -> HTMLResponse:
        return HTMLResponse(page, headers=policy)
