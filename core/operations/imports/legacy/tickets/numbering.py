"""Numbers of tickets: counters go on after the highest number, whatever the highest string is."""

from collections import defaultdict
from collections.abc import Sequence

from core.clock import in_zone
from core.db.bulk_copy import Connection
from core.operations.imports.legacy.context import ClinicHere, Run
from core.operations.imports.legacy.tickets.row import ID, MadeTicket
from core.tickets.numbering import ticket_id

Coming = tuple[str, ClinicHere, MadeTicket]
"""A ticket on its way, with its id there."""

# A clinic's next id must be free, also where another clinic's tickets have ids with its letters: the old application
# gave two clinics of like names the same ones.
COUNT_ON = """
INSERT INTO ticket_counter AS c (clinic_id, year, last_number)
SELECT clinic_id, year, max(number) FROM (
    SELECT clinic_id, year, number FROM ticket
    UNION ALL
    SELECT c.id, split_part(t.id, '-', 3)::smallint, split_part(t.id, '-', 4)::integer
    FROM ticket t JOIN clinic c ON c.prefix = split_part(t.id, '-', 2)
    WHERE t.clinic_id <> c.id AND t.id ~ '^TH-[A-Z]{4}-[0-9]{4}-[0-9]{3,9}$'
) AS numbers
GROUP BY clinic_id, year
ON CONFLICT (clinic_id, year) DO UPDATE SET last_number = excluded.last_number
WHERE c.last_number < excluded.last_number
"""

TAKEN = """
SELECT t.clinic_id, t.year, t.number
FROM ticket t JOIN unnest($1::integer[], $2::integer[], $3::integer[]) AS w (clinic_id, year, number)
    USING (clinic_id, year, number)
"""


class Numbers:
    """The last ticket number of each clinic and year."""

    def __init__(self, last: dict[tuple[int, int], int]) -> None:
        self._last = defaultdict(int, last)

    def take(self, clinic_id: int, year: int) -> int:
        """The next free number."""
        self._last[clinic_id, year] += 1
        return self._last[clinic_id, year]


async def count_on(target: Connection) -> None:
    """Have each clinic's counter of each year go on after the highest number that its tickets have."""
    await target.execute(COUNT_ON)


async def _next_numbers(target: Connection) -> Numbers:
    rows = await target.fetch("SELECT clinic_id, year, last_number FROM ticket_counter")
    return Numbers({(row["clinic_id"], row["year"]): row["last_number"] for row in rows})


async def by_number(target: Connection, ready: Sequence[Coming]) -> tuple[list[Coming], list[Coming]]:
    """(tickets whose number is free in their clinic and year, those whose number another ticket has)"""

    def key(made: MadeTicket) -> tuple[int, int, int]:
        return made.columns["clinic_id"], made.columns["year"], made.columns["number"]

    wanted = [key(made) for _, _, made in ready]
    rows = await target.fetch(TAKEN, *map(list, zip(*wanted, strict=True))) if wanted else []
    taken = {(row["clinic_id"], row["year"], row["number"]) for row in rows}
    free: list[Coming] = []
    clashing: list[Coming] = []
    for one in ready:
        clashes = key(one[2]) in taken or one[2].columns["number"] == 0
        (clashing if clashes else free).append(one)
        taken.add(key(one[2]))
    return free, clashing


async def number(run: Run, tickets: Sequence[Coming]) -> None:
    """Give each ticket a number after the highest; where its id has not the form that paths take, a new id too."""
    numbers = await _next_numbers(run.target)
    for legacy_id, clinic, made in tickets:
        match = ID.fullmatch(made.columns["id"])
        year = int(match[2]) if match else in_zone(made.columns["created_at"], clinic.local).year
        taken = numbers.take(clinic.id, year)
        made.columns |= {"year": year, "number": taken}
        if match is not None:
            made.notes.append("a number that another ticket of its clinic and year has, or none: counts as a later one")
            continue
        here = ticket_id(clinic.prefix, year, taken)
        made.notes.append("an id of another form than TH-SANT-2025-001: got a new one")
        made.remarks["id"] = [legacy_id, here]
        made.columns["id"] = here
        run.renamed[legacy_id] = here
        run.memory.add("ticket", legacy_id, "", here)
