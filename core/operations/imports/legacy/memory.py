"""What earlier runs made of each row (core/operations/imports/models.py), and what this one makes."""

from typing import Any

from core.db.bulk_copy import Connection

KINDS = ("clinic", "app_user", "specialty", "surgery", "doctor", "standardized_reason", "patient", "ticket")


class Memory:
    """Which row here an old one has become: kept in the target, so that a second run makes none twice."""

    def __init__(self, known: dict[tuple[str, str, str], str]) -> None:
        self._known = known
        self._new: list[tuple[str, str, str, str]] = []

    @classmethod
    async def of(cls, connection: Connection) -> "Memory":
        """What the target remembers of earlier runs, but for rows that somebody has deleted there since."""
        known = {}
        for kind in KINDS:
            rows = await connection.fetch(
                f"SELECT m.legacy_id, m.key, m.id FROM legacy_map m JOIN {kind} t ON t.id::text = m.id"  # noqa: S608
                " WHERE m.kind = $1",
                kind,
            )
            known.update({(kind, row["legacy_id"], row["key"]): row["id"] for row in rows})
        return cls(known)

    def row(self, kind: str, legacy_id: object, key: str) -> int | None:
        """The id here of the old application's row `legacy_id`, which an earlier run made of it.

        None for a new row, and for one whose `key` (its name, its document) has become another since: with another
        source the same id may mean another row.
        """
        found = self._known.get((kind, str(legacy_id), key))
        return None if found is None else int(found)

    def several(self, kind: str) -> set[int]:
        """Ids of rows here that an earlier run made of more than one row of the old application."""
        rows: dict[str, set[str]] = {}
        for (of, legacy_id, _), made in self._known.items():
            if of == kind:
                rows.setdefault(made, set()).add(legacy_id)
        return {int(made) for made, there in rows.items() if len(there) > 1}

    def ticket(self, legacy_id: str) -> str | None:
        """The ticket's id here, where an earlier run gave it another one; else None."""
        return self._known.get(("ticket", legacy_id, ""))

    def add(self, kind: str, legacy_id: object, key: str, made: Any) -> None:
        """Remember that the old application's row is `made`, its id here. Written by `store`."""
        known = (kind, str(legacy_id), key)
        if self._known.get(known) != str(made):
            self._known[known] = str(made)
            self._new.append((*known, str(made)))

    async def store(self, connection: Connection) -> None:
        """Write what was added. A deleted row's entry, which is left behind, is overwritten."""
        new, self._new = self._new, []
        columns = ["kind", "legacy_id", "key", "id"]
        await connection.execute("CREATE TEMP TABLE legacy_new (LIKE legacy_map) ON COMMIT DROP")
        await connection.copy_records_to_table("legacy_new", columns=columns, records=new)
        await connection.execute(
            "INSERT INTO legacy_map SELECT * FROM legacy_new"
            " ON CONFLICT (kind, legacy_id, key) DO UPDATE SET id = excluded.id"
        )
