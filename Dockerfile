# The service alone: PostgreSQL and Redis are given to it (DATABASE_URL, REDIS_URL, SECRET_KEYS),
# over TLS (sslmode=verify-full, rediss://) unless by a socket or a proxy on the same machine.
# It writes nothing but exports that are being made, to /tmp: a read-only root file system needs a tmpfs there.
# tests/setup/test_image.py runs these very steps outside a container.

# A tag moves. Pinned by what `docker buildx imagetools inspect python:3.11-slim-bookworm` gives as its digest:
# docker build --build-arg PYTHON=python:3.11-slim-bookworm@sha256:…
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements-build.lock requirements.lock /src/
RUN python -m venv /build
RUN /build/bin/python -m pip install --require-hashes --requirement /src/requirements-build.lock
RUN python -m venv --without-pip /app
RUN /build/bin/python -m pip --python /app/bin/python install --require-hashes --requirement /src/requirements.lock
COPY pyproject.toml README.md LICENSE /src/
COPY alembic /src/alembic
COPY api /src/api
COPY core /src/core
RUN cd /src && /build/bin/python -m hatchling build --target wheel --directory /dist
RUN /build/bin/python -m pip --python /app/bin/python install --no-deps --no-index /dist/*.whl
# What it is made of, for whoever looks for what has become known of it since.
COPY requirements-sbom.lock /src/
RUN /build/bin/python -m pip install --require-hashes --requirement /src/requirements-sbom.lock
RUN /build/bin/python -m cyclonedx_py requirements /src/requirements.lock --pyproject /src/pyproject.toml \
    --output-reproducible --output-file /app/sbom.cdx.json

FROM ${PYTHON}
COPY --from=build /app /app
ENV TICKET_HOME_ENV=production PATH=/app/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
EXPOSE 8000
# Whether it answers, with any number of workers. Whether it is to get requests is /readyz.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-I", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
# The kernel ends a container's first process by no signal that it has no handler for, so one that hangs could not end
# itself (api/server/watchdog.py); and children whose parents died are left to it.
ENTRYPOINT ["dumb-init", "--single-child", "--"]
# `ticket-home migrate` first, from the same image. WEB_CONCURRENCY sets the number of processes (1).
CMD ["ticket-home", "serve", "--host", "0.0.0.0"]
