"""`FastAPICache.init` at start-up: our backend, coder and key builder for every route with its plain `@cache`."""

from fastapi_cache import FastAPICache

from api.fastapi_cache.backend import DEFAULT_TTL, TieredBackend
from api.fastapi_cache.coder import JsonCoder
from api.fastapi_cache.invalidation import bump_with
from api.fastapi_cache.key_builder import PREFIX, RouteKeys
from core.runtime import Runtime


def init_fastapi_cache(runtime: Runtime) -> TieredBackend:
    """The application's backend, for its `state.plain_cache`.

    The library's own state is one per process: where several applications run in one, it has the last one's.
    """
    backend = TieredBackend(runtime, bump_with(runtime.database))
    FastAPICache.reset()
    FastAPICache.init(
        backend,
        prefix=PREFIX,
        expire=DEFAULT_TTL,
        coder=JsonCoder,
        key_builder=RouteKeys(),
    )
    return backend
