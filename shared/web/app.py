"""Building and serving a service's HTTP side."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

import structlog
import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from swagger_ui_bundle import swagger_ui_path

from shared.messaging.runtime import Check, Runtime
from shared.telemetry import shut_down_traces
from shared.web import dead_letters, problems
from shared.web.auth import Caller, Role, Verifier, require_role

log = structlog.get_logger()
EXIT_SECONDS = 25
SPANS_SECONDS = 4
CLOCK_HEADER = "Langhoc-Clock-Offset-Seconds"


def build_app(runtime: Runtime, routers: Sequence[APIRouter], *, title: str, provider: TracerProvider) -> FastAPI:
    """The service's API: its routers, health, metrics, dead letters and offline documentation."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await runtime.start()
        try:
            yield
        finally:
            await runtime.stop()
            await asyncio.to_thread(shut_down_traces, provider, SPANS_SECONDS)

    app = FastAPI(title=title, version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.verifier = Verifier(runtime.settings.jwks, runtime.clock)
    app.state.mongo = runtime.mongo
    app.state.runtime = runtime
    problems.install(app)
    app.include_router(_health(runtime))
    app.include_router(dead_letters.router)
    for router in routers:
        app.include_router(router)
    _documentation(app, title)

    if runtime.clock.offset_seconds:

        @app.middleware("http")
        async def show_clock(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
            response = await call_next(request)
            response.headers[CLOCK_HEADER] = str(runtime.clock.offset_seconds)
            return response

    return app


def serve(app: FastAPI, runtime: Runtime) -> None:
    """Serve until SIGTERM; leave within `EXIT_SECONDS` even if a library hangs (a frozen broker makes it)."""
    config = uvicorn.Config(
        app,
        host=runtime.settings.http_host,
        port=runtime.settings.http_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
        lifespan="on",
    )
    server = uvicorn.Server(config)

    async def main() -> None:
        asyncio.get_running_loop().call_soon(_arm_exit)
        await server.serve()

    asyncio.run(main())
    if not server.started:
        raise SystemExit(3)


def _arm_exit() -> None:
    """On SIGTERM also start the timer that ends the process come what may. Effects are safe: they are transactions."""
    loop = asyncio.get_running_loop()
    inherited = signal.getsignal(signal.SIGTERM)

    def on_term(number: int, frame: Any) -> None:
        loop.call_soon_threadsafe(loop.call_later, EXIT_SECONDS, os._exit, 1)
        if callable(inherited):
            inherited(number, frame)

    signal.signal(signal.SIGTERM, on_term)


def _health(runtime: Runtime) -> APIRouter:
    router = APIRouter(tags=["health"])

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

    @router.get("/health/live", summary="Alive, judged by progress")
    async def live() -> JSONResponse:
        return answer(await runtime.live())

    @router.get("/health/ready", summary="Ready to do its work now")
    async def ready() -> JSONResponse:
        return answer(await runtime.ready())

    @router.get("/flow", summary="What is still on its way")
    async def flow(who: Annotated[Caller, Depends(require_role(Role.MINISTRY))]) -> dict[str, object]:
        now = await runtime.flow()
        return {
            "service": runtime.service,
            "lag": now.lag,
            "outbox": now.outbox,
            "requests": now.requests,
            "busy": now.busy,
            "settled": now.settled,
            "dead_letters": await runtime.dead_letters(),
        }

    @router.get("/metrics", summary="Prometheus metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


def _documentation(app: FastAPI, title: str) -> None:
    """Swagger UI from the installed bundle: an administrative network reaches no CDN."""
    app.mount("/static/swagger", StaticFiles(directory=swagger_ui_path), name="swagger")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url=app.openapi_url or "/openapi.json",
            title=title,
            swagger_js_url="/static/swagger/swagger-ui-bundle.js",
            swagger_css_url="/static/swagger/swagger-ui.css",
            swagger_favicon_url="/static/swagger/favicon-32x32.png",
        )
