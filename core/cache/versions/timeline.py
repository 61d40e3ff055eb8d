"""The timeline: whether the rows in the tables are those that the version rows were stamped for.

A restore *in place* (`pg_restore --clean`, a schema dropped and made anew, a table's rows replaced while its triggers
were off) leaves the listening connection as it is, and perhaps the versions, too: what was cached would pass as right.
So whoever reads versions reads with them a fingerprint of the stamped tables and their triggers, in the same snapshot,
and the fingerprint that the versions were last stamped with (migration 0015):

- Both are the same: nothing was replaced.
- They differ: the tables were restored, rewritten or truncated. Nothing is a hit until every version was bumped and the
  new fingerprint noted, in one transaction. Whoever sees it does that; of several processes one.
- There is none: a trigger is missing or not always on, or a subscription writes into a stamped table, and changes may
  leave no stamp. Nothing is stored and nothing is a hit for as long as that is so: in the middle of a restore, until
  `ticket-home doctor --repair`, or until the subscription is dropped. Each request is answered from the database, which
  costs work and is right. A subscription leaves the tables as they were: when it is gone, the fingerprint is the old
  one. So whoever has seen none has every version bumped in any case (`VersionMap.is_missing_stamps`).

A database that is put back as a whole brings its old fingerprint with it, so that these two would be the same:

- A copy under the same name has another number (oid) on its server, which is part of the fingerprint.
- Files that are put back have lower transaction ids and lower versions than the process has seen.
- A process that starts afterwards has seen neither. What it finds in Redis carries the id of the timeline that it was
  computed in, and each stamping (`begin_timeline`) makes a new id.
"""

from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.db.transaction import Database, WriteSession
from core.errors import Unavailable

STAMPED = "(SELECT fingerprint FROM cache_timeline)"
ID = "(SELECT id FROM cache_timeline)"
NEW = text("SELECT cache_new_timeline(:in_any_case)")


class Timeline(NamedTuple):
    """Whether the versions stand for the rows that are there: after a restore they may be of another history."""

    fingerprint: str | None
    """Of the tables and triggers as they are; None where changes may leave no stamp."""
    stamped: str | None
    """What the versions were last stamped with; None where they never were."""
    id: str | None = None
    """Of the last stamping: what was computed under another id may be another timeline's."""

    @property
    def is_whole(self) -> bool:
        """Whether the versions stand for the rows in the tables."""
        return self.fingerprint is not None and self.fingerprint == self.stamped

    @property
    def is_new(self) -> bool:
        """Whether `begin_timeline` is to be called."""
        return self.fingerprint is not None and self.fingerprint != self.stamped


async def begin_timeline(database: Database, *, in_any_case: bool = False) -> None:
    """Bump every version and note the tables' fingerprint, where nobody has done so, or `in_any_case`.

    Raises Unavailable where nothing can be written, whatever refuses it: answers are computed anew until somebody can.
    """

    async def work(session: WriteSession) -> None:
        await session.execute(NEW, {"in_any_case": in_any_case})

    try:
        await database.write(work)
    except DBAPIError as error:
        raise Unavailable from error
