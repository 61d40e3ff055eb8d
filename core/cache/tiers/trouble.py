"""What can go wrong when Redis is asked, by what it means for the circuit breaker."""

from enum import StrEnum

from redis.exceptions import AuthenticationError, NoPermissionError, RedisClusterException, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError


class Trouble(StrEnum):
    """What is wrong with Redis, as far as an operation can tell."""

    TIMEOUT = "timeout"
    REFUSED = "refused"
    """No connection."""
    ERROR = "error"
    """It answers, but not as asked: READONLY, OOM, wrong password, MAXCLIENTS."""


def trouble_of(error: Exception, *, is_cluster: bool) -> Trouble:
    """What kind of trouble `error` is. Raises it again where it is neither Redis's nor its client's."""
    match error:
        case TimeoutError() | RedisTimeoutError():
            return Trouble.TIMEOUT
        case AuthenticationError():
            return Trouble.ERROR
        case RedisConnectionError() | OSError() | RuntimeError():
            # RuntimeError: uvloop's word for a write on a transport that was closed meanwhile.
            return Trouble.REFUSED
        case RedisError() | RedisClusterException():
            return Trouble.ERROR
        case AttributeError() | LookupError() if is_cluster:
            # The cluster client's, for a node that it does not know yet or any more.
            return Trouble.ERROR
    raise error


def named(error: Exception) -> str:
    """For logs: the error's class and Redis's own word for it (`OOM`). Messages may carry addresses and keys."""
    words = str(error).split(maxsplit=1)
    return type(error).__name__ + (f" {words[0]}" if words and words[0].isupper() else "")


def is_wrong_type(error: Exception) -> bool:
    """Whether the key holds a list or the like, which this service never writes there."""
    return isinstance(error, ResponseError) and str(error).startswith("WRONGTYPE")


def is_refused_script(error: Exception) -> bool:
    """Whether the user may run no scripts, or the server knows none."""
    return isinstance(error, NoPermissionError) or (
        isinstance(error, ResponseError) and str(error).startswith(("unknown command", "ACL failure"))
    )
