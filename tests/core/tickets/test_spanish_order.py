"""Lists by name stand in Spanish order, whoever turns their pages, and however a name is written."""

import random
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from core.access import ClinicScope
from core.db.transaction import Database, ReadSession
from core.tickets.reads.filters import TicketFilter
from core.tickets.reads.listing import list_tickets
from core.tickets.reads.pages import Page, Turn
from tests.factories import rows
from tests.factories.characters import SOME
from tests.factories.fixtures import Seed
from tests.factories.spanish import NAMES
from tests.factories.stays import Person, Stay, insert, stay

NOW = datetime(2026, 6, 15, 15, 0, tzinfo=UTC)

SPELLINGS: dict[str, Callable[[str], str]] = {
    "capitals": str.upper,
    "small": str.lower,
    "decomposed": lambda name: unicodedata.normalize("NFD", name),
    "capitals, decomposed": lambda name: unicodedata.normalize("NFD", name.upper()),
    "a mark below each n": lambda name: unicodedata.normalize("NFC", marked(name)),
    "another apostrophe and dash": lambda name: name.replace("'", "´").replace("-", "–"),
    "full-width": lambda name: "".join(wide(one) for one in unicodedata.normalize("NFD", name)),
}


def marked(name: str) -> str:
    return unicodedata.normalize("NFD", name).replace("n", "n\u0323")


def wide(one: str) -> str:
    return chr(ord(one) + 0xFEE0) if one.isascii() and one.isalnum() else one


async def pages_of(database: Database, clinic_id: int, sort: str, limit: int) -> list[str]:
    """Ids on all pages, one after the other."""
    found: list[str] = []
    turn: Turn | None = Turn(sort, limit)
    while turn is not None:

        async def work(session: ReadSession, turn: Turn = turn) -> Page:
            return await list_tickets(session, ClinicScope(clinic_id), TicketFilter(), turn)

        page = await database.read(work, budget=20)
        assert len(page.items) <= limit
        found += [one.id for one in page.items]
        turn = Turn(sort, limit, page.next) if page.next else None
    return found


@pytest.mark.parametrize("limit", [1, 2])
@pytest.mark.parametrize("field", ["last_name", "second_last_name", "first_name", "middle_name", "surgery"])
async def test_pages_by_name_are_in_spanish_order_both_ways(
    database: Database, connection: rows.Connection, seed: Seed, field: str, limit: int
) -> None:
    def named(number: int, name: str) -> Stay:
        if field == "surgery":
            return stay(seed.sant, NOW, surgery_name=name)
        return stay(seed.sant, NOW, person=Person(**{field: name, "document": f"P{number}"}))

    stays = [named(number, name) for number, name in enumerate(NAMES)]
    await insert(connection, random.Random(limit).sample(stays, len(stays)))
    expected = [one.id for one in stays]
    sort = "surgery" if field == "surgery" else "patient"
    assert await pages_of(database, seed.sant.id, sort, limit) == expected
    assert await pages_of(database, seed.sant.id, f"-{sort}", limit) == expected[::-1]


async def test_surnames_come_first_and_whoever_has_no_patient_before_all(
    database: Database, connection: rows.Connection, seed: Seed
) -> None:
    people = [
        None,
        Person("Zoe", "Muñoz", document="1"),
        Person("Ana", "Muñoz", second_last_name="Nuñez", document="2"),
        Person("Ana", "Muñoz Díaz", document="3"),
        Person("Ana", "Nunez", document="4"),
        Person("Ñusta", "Nuñez", document="5"),
        Person("Olga", "NÚÑEZ", document="6"),
        Person("Ana", "Oro", document="7"),
    ]
    stays = [stay(seed.sant, NOW, person=person) for person in people]
    await insert(connection, stays[::-1])
    assert await pages_of(database, seed.sant.id, "patient", 3) == [one.id for one in stays]


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_a_name_stands_in_one_place_however_it_is_written(connection: rows.Connection, spelling: str) -> None:
    for name in NAMES:
        other = SPELLINGS[spelling](name)
        found = await connection.fetchrow("SELECT spanish_order($1), spanish_order($2)", name, other)
        assert found is not None
        assert found[0] == found[1], (name, other)


async def test_no_other_letter_has_a_place_of_its_own(connection: rows.Connection) -> None:
    """All letters but ñ stand where their folded text does."""
    known = [one for one in SOME if one not in "\0ñÑ"]
    changed = await connection.fetch(
        "SELECT t FROM unnest($1::text[]) AS t WHERE spanish_order(t) <> search_text(folded_text(t))", known
    )
    assert [row["t"] for row in changed if "n\u0303" not in unicodedata.normalize("NFKD", row["t"]).lower()] == []


async def test_nothing_that_stands_behind_an_n_comes_after_the_tilde(connection: rows.Connection) -> None:
    for behind in "azAZ09 '-.":
        found = await connection.fetchval("SELECT spanish_order($1) COLLATE \"C\" < spanish_order('ñ')", f"n{behind}")
        assert found is True, behind
    assert await connection.fetchval("SELECT spanish_order('ñ') COLLATE \"C\" < spanish_order('o')") is True
