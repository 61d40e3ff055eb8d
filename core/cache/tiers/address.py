"""Redis clients by address: one server, by TCP, TLS or a unix socket, or a cluster.

    redis://[[user]:password@]host[:6379][/0]          rediss:// the same over TLS
    unix://[[user]:password@]/path/to.sock
    redis+cluster://[[user]:password@]host:port[,host:port…]         rediss+cluster:// over TLS

What follows a `?` is for redis-py: `ssl_ca_certs=/path/ca.pem` names a private CA (Google Memorystore's, for example),
`ssl_certfile=` and `ssl_keyfile=` a client's certificate, `ssl_check_hostname=false` trusts every name that CA signed.
"""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import redis.asyncio as redis_client
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

CLUSTER = "+cluster"
DEFAULT_PORT = 6379


def is_cluster(url: str) -> bool:
    return urlsplit(url).scheme.endswith(CLUSTER)


def client_of(url: str, *, timeout: float, connections: int) -> Any:
    """Nothing is connected yet. `connections` is how many there may be (in a cluster: per node).

    `timeout` is seconds to connect within. An operation has no limit here, its caller has one for the whole of it:
    redis-py would send through `asyncio.wait_for`, and Python 3.11's swallows a cancellation that comes as it ends.
    Raises ValueError for an address that redis-py does not take.
    """
    # redis-py's own defaults wait up to a minute on a hung server (docs/design/dependencies.md).
    options: dict[str, Any] = {
        "socket_timeout": None,
        "socket_connect_timeout": timeout,
        "retry": Retry(NoBackoff(), 0),
        "health_check_interval": 0,
        "max_connections": connections,
    }
    return _cluster(url, options) if is_cluster(url) else redis_client.Redis.from_url(url, retry_on_error=[], **options)


def _cluster(url: str, options: dict[str, Any]) -> Any:
    parts = urlsplit(url)
    login, at, hosts = parts.netloc.rpartition("@")
    nodes = [urlsplit(f"//{host}") for host in hosts.split(",")]
    if not all(node.hostname for node in nodes):
        raise ValueError("redis+cluster:// names no host")
    scheme = parts.scheme.removesuffix(CLUSTER)
    found: dict[str, Any] = {**parse_url(urlunsplit(parts._replace(scheme=scheme, netloc=login + at + "node")))}
    del found["host"]
    if found.pop("connection_class", None) is SSLConnection:
        found["ssl"] = True
    startup = [ClusterNode(str(node.hostname), node.port or DEFAULT_PORT) for node in nodes]
    # 0: a moved slot is noted, and the layout (50 ms of Python) not read anew for it; lost connections do that.
    return RedisCluster(startup_nodes=startup, reinitialize_steps=0, **(options | found))
