"""The timeline: whether the rows in the tables are those that the version rows were stamped for.

A restore *in place* (`pg_restore --clean`, a schema dropped and made anew, a table's rows replaced while its triggers
were off) leaves the listening connection as it is, and perhaps the versions, too: what was cached would pass as right.
So whoever reads versions reads with them a fingerprint of the stamped tables and their triggers, in the same snapshot,
and the fingerprint that the versions were last stamped with (migration 0015):

- Both are the same: all is as it was.
- They differ: the tables were restored, rewritten or truncated. Nothing is a hit until somebody has bumped every
  version and noted the new fingerprint, in one transaction. Whoever sees it does it; of several one.
- There is none: a trigger is missing or not always on, and changes may leave no stamp. Nothing is stored and nothing is
  a hit, for as long as that is so: in the middle of a restore, or until `ticket-home doctor --repair`.

A database that is put back whole, as a copy or as its files, keeps all of that. Its number among its server's databases
tells the copy. Files that are put back tell themselves by transaction ids that are lower than those seen before; so do
versions. What was only read of them by a process that was not there then is told apart by the timeline's id, which
`begin_timeline` makes anew.

Answers are then computed for each request anew. It costs work, and never truth.
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
    fingerprint: str | None
    """Of the tables and triggers as they are; None where a trigger is missing or not always on."""
    stamped: str | None
    """What the versions were last stamped with; None where they never were."""
    id: str | None = None
    """Of the last stamping: what was computed under another id may be another timeline's."""

    @property
    def is_whole(self) -> bool:
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
