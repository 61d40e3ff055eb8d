# The service alone: PostgreSQL and Redis are given to it (DATABASE_URL, REDIS_URL, SECRET_KEYS),
# over TLS (sslmode=verify-full, rediss://) unless by a socket or a proxy on the same machine.
# tests/setup/test_image.py runs these very steps outside a container.

FROM python:3.11-slim AS build
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

FROM python:3.11-slim
COPY --from=build /app /app
ENV TICKET_HOME_ENV=production PATH=/app/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
# `ticket-home migrate` first, from the same image. WEB_CONCURRENCY sets the number of processes (1).
CMD ["ticket-home", "serve", "--host", "0.0.0.0"]
