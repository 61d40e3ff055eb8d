"""Names of everything in Redis. `{c5}` is a Redis Cluster hash tag: everything of one clinic lies in one slot."""

import json
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b

Parameter = str | int | bool | None
Parameters = Mapping[str, Parameter]

FILL_LEASE = "lease"
"""In place of a policy's name in the key of a fill's lease."""


@lru_cache(maxsize=4096)
def _digest(parameters: tuple[tuple[str, Parameter], ...]) -> str:
    canonical = json.dumps(parameters, separators=(",", ":"), ensure_ascii=True)
    return blake2b(canonical.encode(), digest_size=12).hexdigest()


def digest(parameters: Parameters) -> str:
    """24 hex digits that stand for the parameters, in whatever order they are given; None counts as absent."""
    return _digest(tuple(sorted((name, value) for name, value in parameters.items() if value is not None)))


def successor_of(key: str, until: float) -> str:
    """The key of what takes an entry's place at `until`, its `valid_until`: the same versions, computed as of then."""
    return f"{key}@{until!r}"


def policy_in(key: str) -> str:
    """The policy's name in a key of `Keys.of`; `last good` for last good answers."""
    name = key.rpartition("}:")[2].partition(":")[0]
    return "last good" if name == "last" else name


class Keys:
    """`prefix`, from the settings, keeps two installations on one Redis apart."""

    def __init__(self, prefix: str) -> None:
        self._start = f"{prefix}:th" if prefix else "th"

    def of(self, clinic_id: int | None, *parts: str) -> str:
        """`th:{c5}:session:…`; the network is `{c0}`."""
        return f"{self._start}:{{c{clinic_id or 0}}}:{':'.join(parts)}"

    def plain(self, name: str) -> str:
        """Not of a clinic: probes, statistics, and what plain fastapi-cache2 routes store."""
        return f"{self._start}:{name}"

    def session(self, digest: bytes, kind: str) -> str:
        """The key of a session's working copy, or of its last use (`kind`). Its clinic is not known before that is
        read, so the digest itself is the hash tag."""
        return self.plain(f"{{{digest.hex()}}}:{kind}")

    def entry(self, policy: str, shape: str, clinic_id: int | None, token: str, parameters: str) -> str:
        """An entry's key: `th:{c5}:dashboard:<shape>:<token>:<parameters>`; `parameters` is their `digest`."""
        return f"{self._start}:{{c{clinic_id or 0}}}:{policy}:{shape}:{token}:{parameters}"

    def lease(self, entry: str) -> str:
        """The key of the lease of whoever computes the entry with the key `entry`: in the same slot of a cluster."""
        return entry.replace("}:", f"}}:{FILL_LEASE}:", 1)

    def last_good(self, policy: str, shape: str, clinic_id: int | None, parameters: str) -> str:
        """The key of a last good answer, which has no versions: a newer one takes its place."""
        return self.of(clinic_id, "last", policy, shape, parameters)
