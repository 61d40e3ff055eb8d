"""An answer that comes as it is made."""

from typing import Final

from api.answers.cached import NO_STORE

STREAMED: Final = NO_STORE | {"X-Accel-Buffering": "no"}
"""Its headers. nginx, and proxies that took over its ways, then hold nothing back, whatever `proxy_buffering` says."""
