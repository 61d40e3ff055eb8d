"""What the ordinary route leaves of a hit, so that the server may answer it again (api/server/prepared/hits.py)."""

from dataclasses import dataclass

from core.cache.cached_read import CachedRead
from core.sessions.copies import SessionCopy

PREPARE = "ticket_home.prepare"
"""In the scope, where a server put it that prepares hits: a list for the one `Decided`."""


@dataclass(frozen=True, slots=True)
class Decided:
    """Who asked what, as the route understood and admitted it."""

    asked: CachedRead
    session: SessionCopy
    digest: bytes
    """Of the session's token."""
    takes_gzip: bool

    def is_same(self, other: "Decided") -> bool:
        """Whether both ask the same for the very same copy of a session."""
        return (
            self.asked.entry_id == other.asked.entry_id
            and self.session is other.session
            and self.takes_gzip == other.takes_gzip
        )
