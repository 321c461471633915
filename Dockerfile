# syntax=docker/dockerfile:1
# One image: each service, the `langhoc` command and the job that makes topics, logins and rights.
#
#   docker build --tag langhoc .
#   docker run langhoc python -m services.intake      (scoring, funding, notifications)
#   docker run langhoc langhoc --help
#   docker run langhoc python -m deploy.admitting     (docs/deployment.md)
#
# Whoever builds it names the base by its digest: --build-arg PYTHON=python:3.11-slim-bookworm@sha256:…
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements.lock ./
# All that is locked, as wheels whose hashes are the lock's. Nothing that follows reaches any index.
RUN python -m pip download --quiet --only-binary=:all: --require-hashes --requirement requirements.lock --dest /wheels
COPY pyproject.toml README.md ./
COPY services services
COPY shared shared
COPY cli cli
COPY deploy deploy
# The builder is one of the locked wheels too; of the rest only what the services and the command need is installed.
RUN python -m venv /builder \
    && /builder/bin/python -m pip install --quiet --no-index --find-links /wheels hatchling \
    && /builder/bin/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /own . \
    && python -m venv --without-pip /opt/langhoc \
    && python -m pip --python /opt/langhoc/bin/python install --quiet --no-index --find-links /wheels --find-links /own \
        "langhoc[cli]"

FROM ${PYTHON}
LABEL org.opencontainers.image.title="langhoc" \
      org.opencontainers.image.description="Viet Nam's learning communities: intake, scoring, funding, notifications"
# The base's own installer is no part of what runs.
RUN python -m pip uninstall --quiet --yes --root-user-action=ignore setuptools wheel pip
COPY --from=build /opt/langhoc /opt/langhoc
ENV PATH=/opt/langhoc/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LANGHOC_HTTP_HOST=0.0.0.0 \
    LANGHOC_HTTP_PORT=8080
WORKDIR /opt/langhoc
# By number, so that a cluster sees that it is not root. It owns nothing: the image runs with a read-only root, and /tmp
# as a file system in memory (exports of tables use it).
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s --retries=4 \
    CMD ["python", "-c", "import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', 8080, timeout=8); c.request('GET', '/health/live'); sys.exit(c.getresponse().status != 200)"]
CMD ["langhoc", "--help"]
