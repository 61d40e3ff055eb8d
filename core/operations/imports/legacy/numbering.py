"""Counters that go on after the highest number, whatever the highest string is."""

from collections import defaultdict

from core.db.copying import Connection

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


class Numbers:
    def __init__(self, last: dict[tuple[int, int], int]) -> None:
        self._last = defaultdict(int, last)

    def take(self, clinic_id: int, year: int) -> int:
        self._last[clinic_id, year] += 1
        return self._last[clinic_id, year]


async def count_on(target: Connection) -> None:
    await target.execute(COUNT_ON)


async def next_numbers(target: Connection) -> Numbers:
    rows = await target.fetch("SELECT clinic_id, year, last_number FROM ticket_counter")
    return Numbers({(row["clinic_id"], row["year"]): row["last_number"] for row in rows})
