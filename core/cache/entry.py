"""An entry: the encoded answer as it goes to the socket, and what is needed to know whether it may."""

import gzip
import json
import re
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

GZIP_FROM = 1024
"""Bytes of body from which a compressed form is kept."""
ETAG = re.compile(r'W/"[0-9a-f]{24}"')
LAST_MOMENT = 253_402_300_800.0
"""The year 10,000."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Entry:
    """One answer as it is kept and sent: its JSON, its time, its tag. Immutable."""

    body: bytes
    gzip: bytes | None
    etag: str
    """Weak, from the figures and `valid_until`: the same on every replica."""
    computed_at: float
    """Epoch seconds on the database's clock, as `valid_until`."""
    valid_until: float | None
    meta: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def make(
        cls,
        body: bytes,
        *,
        computed_at: float,
        valid_until: float | None = None,
        meta: dict[str, Any] | None = None,
        etag_source: bytes | None = None,
    ) -> "Entry":
        digest = blake2b(etag_source or body, digest_size=12)
        digest.update(repr(valid_until).encode())
        packed = gzip.compress(body, compresslevel=6, mtime=0) if len(body) >= GZIP_FROM else None
        return cls(body, packed, f'W/"{digest.hexdigest()}"', computed_at, valid_until, meta or {})

    def serves(self, now: float) -> bool:
        """Whether a fresh computation at `now` (the database's clock) would give the same."""
        return self.valid_until is None or self.computed_at <= now < self.valid_until

    @property
    def size(self) -> int:
        """Bytes it occupies in memory, roughly: Python takes five for each byte of JSON in `meta`."""
        meta = 5 * len(json.dumps(self.meta)) if self.meta else 10
        return len(self.body) + len(self.gzip or b"") + meta + 600

    def encode(self) -> bytes:
        """As bytes for Redis, which `decode` reads."""
        packed = self.gzip or b""
        header = {
            "etag": self.etag,
            "computed_at": self.computed_at,
            "valid_until": self.valid_until,
            "meta": self.meta,
            "body": len(self.body),
            "gzip": len(packed),
        }
        return json.dumps(header).encode() + b"\n" + self.body + packed


def decode(raw: bytes | None) -> Entry | None:
    """An entry from its bytes; None for what is absent or of another form: a miss, never an error.

    That they are ours is known (core/cache/tiers/seals.py); they may be another release's.
    """
    try:
        line, rest = (raw or b"").split(b"\n", 1)
        header = json.loads(line)
        size = header["body"]
        body, packed = rest[:size], rest[size:]
        entry = Entry(
            body, packed or None, header["etag"], header["computed_at"], header["valid_until"], header["meta"]
        )
        return entry if len(body) == size and len(packed) == header["gzip"] and is_sound(entry) else None
    except (ValueError, KeyError, TypeError):
        return None


def is_sound(entry: Entry) -> bool:
    """Whether each part is what an answer's headers and the clock can be made of."""
    return (
        isinstance(entry.etag, str)
        and ETAG.fullmatch(entry.etag) is not None
        and is_moment(entry.computed_at)
        and (entry.valid_until is None or is_moment(entry.valid_until))
        and isinstance(entry.meta, dict)
    )


def is_moment(value: object) -> bool:
    """Epoch seconds that a date can be made of."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < LAST_MOMENT
