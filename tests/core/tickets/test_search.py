"""Search (docs/design/domain.md, "Nursing board"): what a word finds and what not, on the board and in the list."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import Select, func
from sqlalchemy.dialects.postgresql import asyncpg

from core.access import ClinicScope
from core.board.query import BoardQuery, nursing_board
from core.board.view import View
from core.db.transaction import Database, ReadSession
from core.tickets.reads import listing
from core.tickets.reads.filters import TicketFilter, filtered
from core.tickets.reads.listing import list_tickets
from core.tickets.reads.pages import Position, Turn, clinics_of
from core.tickets.reads.search import words_of
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.factories.stays import Person, insert, stay

NOW = datetime(2026, 6, 15, 15, 0, tzinfo=UTC)
PERSON = Person("José Íñigo", "Núñez", "María", "O'Higgins Ávila", "12345678-K")
PASSPORT = Person("Zoë", "Brønsted", document="AB 123.456/C")

Find = Callable[..., Awaitable[set[str]]]


@pytest.fixture
def find(database: Database, seed: Seed) -> Find:
    """Ids that a search finds in Santiago, on the board and in the list alike."""

    async def found(q: str, *, by_index: bool = True) -> set[str]:
        asked = TicketFilter(words=words_of(q))
        scope, position = ClinicScope(seed.sant.id), Position(NOW, ())

        async def work(session: ReadSession) -> tuple[set[str], set[str]]:
            board = await nursing_board(
                session, scope, BoardQuery(Turn("urgency", 500, position), View.ALL, None, asked)
            )
            # In a list so short nobody is looked for by index otherwise.
            with patch.object(listing, "ALONG", 0 if by_index else listing.ALONG):
                page = await list_tickets(session, scope, asked, Turn("created_at", 500, position))
            return {one.id for one in board.page.items}, {one.id for one in page.items}

        on_board, in_list = await database.read(work, budget=20)
        assert on_board == in_list, q
        return on_board

    return found


@pytest.fixture
async def tickets(connection: rows.Connection, seed: Seed) -> dict[str, str]:
    """Ids: of a patient with a RUT, of one with a passport, of a ticket without a patient, all beside another's."""
    found = {
        "rut": stay(seed.sant, NOW, id="TH-SANT-2026-001", person=PERSON, bed_number="12-B", location="Piso 3 Norte"),
        "passport": stay(seed.sant, NOW, id="TH-SANT-2026-1002", person=PASSPORT, episode_id="E-204517"),
        "nobody": stay(seed.sant, NOW, id="TH-SANT-2025-777", location="100%_\\"),
    }
    foreign = stay(seed.maga, NOW, person=PERSON, bed_number="12-B")
    await insert(connection, [*found.values(), foreign])
    return {name: one.id for name, one in found.items()}


FINDS = [
    ("", "rut passport nobody"),
    (" \t\u00a0 ", "rut passport nobody"),
    # Names: accents and case ignored, parts of them, several words in any order.
    ("jose", "rut"),
    ("JOSÉ", "rut"),
    ("jose\u0301", "rut"),
    ("nuñez", "rut"),
    ("nunez", "rut"),
    ("uñe", "rut"),
    ("avila maria nunez", "rut"),
    ("o'higgins", "rut"),
    ("O’Higgins", "rut"),
    ("zoe bronsted", "passport"),
    ("jose bronsted", ""),
    ("josenunez", ""),
    # Documents: with and without punctuation.
    ("12345678-K", "rut"),
    ("12.345.678-k", "rut"),
    ("12345678k", "rut"),
    ("12.345", "rut passport"),
    ("12.345.678–K", "rut"),
    ("12.345.67", "rut"),
    ("345.678-k", "rut"),
    ("12 345 678", "rut"),
    ("AB 123.456/C", "passport"),
    ("ab123456c", "passport"),
    ("AB-123456-C", "passport"),
    ("12345678-9", ""),
    # Ticket, bed, location, episode.
    ("TH-SANT-2026-001", "rut"),
    ("th-sant-2026", "rut passport"),
    ("2026-1002", "passport"),
    ("12-b", "rut"),
    ("piso norte", "rut"),
    ("norte piso jose 001", "rut"),
    ("e-204517", "passport"),
    ("204517", "passport"),
    # Letters like any other.
    ("%", "nobody"),
    ("_", "nobody"),
    ("\\", "nobody"),
    ("100%_\\", "nobody"),
    ("％", "nobody"),
    ("j%e", ""),
    ("jos_", ""),
    ("\\%", ""),
    ("piso*", ""),
    # Only a document is known without its punctuation.
    ("p.i.s.o", ""),
    ("(ab)", ""),
    ("-", "rut passport nobody"),
    ("...", ""),
]


async def test_what_a_search_finds(find: Find, tickets: dict[str, str]) -> None:
    for q, expected in FINDS:
        for by_index in (True, False):
            assert await find(q, by_index=by_index) == {tickets[name] for name in expected.split()}, (q, expected)


INDEXED = ("rojas", "Núñez", "Ñañ")
"""Words that have trigrams of their own, whatever stands beside them."""
SHORT = ("q", "qz", "7q", "q-", "-q", "ñq", "ж", "((((", "ж7", "--", "q'z", "7-7")


async def test_a_short_word_is_found_whatever_stands_beside_it(
    find: Find, seed: Seed, connection: rows.Connection
) -> None:
    """In its text it is at the beginning and the end, between letters, signs, and letters of other alphabets."""
    beside = ("", "a", "-", "ж", "(")
    with_it: dict[str, set[str]] = {}
    for short in SHORT:
        written = [f"{before}{short}{after}" for before, after in product(beside, beside)]
        stays = [stay(seed.sant, NOW, location=location) for location in written]
        stays += [stay(seed.sant, NOW, person=Person(f"Eva {name}", "Lara")) for name in written[::5]]
        await insert(connection, stays)
        with_it[short] = {one.id for one in stays}
    for short, ids in with_it.items():
        assert ids <= await find(short), short


async def test_a_word_that_nobody_has_is_looked_for_in_indexes_alone(connection: rows.Connection) -> None:
    """To read two tables of a million rows for it takes longer than a request has."""
    await connection.execute("SET enable_seqscan = off")  # few rows are read one by one
    for word in ("zq", "q", "q-", "ж", "((((", "жжж", "1-9", "rojas", "Núñez", "Ñañ"):
        asked = _looked_up(word).compile(dialect=asyncpg.dialect())  # type: ignore[no-untyped-call]
        values = [asked.params[name] for name in asked.positiontup or ()]
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {asked}", *values))
        for table in ("ticket", "patient"):
            assert f"ix_{table}_search" in plan, (word, plan)
            assert (f"ix_{table}_other_letters" in plan) == (word not in INDEXED), (word, plan)


def _looked_up(word: str) -> Select[Any]:
    """In the network, where no other index answers any of it."""
    scope = ClinicScope(None)
    return filtered(scope, TicketFilter(words=(word,)), func.now(), clinics_of(scope), short=True)


BETWEEN = {
    "O'Higgins": [f"O{one}Higgins" for one in "'’‘´`ʼ′＇"] + ["OHiggins", "o higgins", "O-Higgins"],
    "D’Angelo": ["dangelo", "D'Angelo", "D´ANGELO", "d angelo"],
    "Pérez-Cotapos": ["perez cotapos", "perezcotapos", "Perez–Cotapos", "PÉREZ‑COTAPOS", "cotapos perez"],
    "O´Higgins": ["O'Higgins", "OHiggins", "O`Higgins"],
    "de la Fuente": ["delafuente", "De La Fuente", "de-la-fuente", "lafuente"],
    "Núñez": ["nunez", "NUÑEZ", "nu\u0303n\u0303ez"],
}
"""A name as it is on file, and what is typed to find it."""


@pytest.mark.long
async def test_a_name_is_found_whatever_stands_between_its_letters(
    find: Find, seed: Seed, connection: rows.Connection
) -> None:
    for name, field in product(BETWEEN, ("first_name", "middle_name", "last_name", "second_last_name")):
        one = stay(seed.sant, NOW, person=replace(Person("Eva", "Lara", document="P1"), **{field: name}))
        await insert(connection, [one])
        for q in (name, *BETWEEN[name]):
            assert await find(q) == {one.id}, (field, q)
        await connection.execute("DELETE FROM ticket")
        await connection.execute("DELETE FROM patient")


async def test_a_word_never_runs_from_one_field_into_the_next(
    find: Find, seed: Seed, connection: rows.Connection
) -> None:
    one = stay(seed.sant, NOW, person=Person("Eva", "Lara", "Inés", "Soto", "P77"))
    await insert(connection, [one])
    names = ["Eva", "Lara", "Inés", "Soto", "P77"]
    for first in names:
        for second in names:
            for between in ("", "-", "'"):
                if first != second:
                    assert await find(first + between + second) == set(), (first, between, second)


HOSTILE = [
    "' OR 1=1 --",
    "'; DROP TABLE ticket; --",
    "$1 $2 :word %(word)s {0}",
    "\\' \\\" \\\\",
    "\u202e\u200b\ufeff",
    "😀" * 40,
    "(((((((((((a+)+)+)+",
    "\x1e \x1f \x1e12345678",
    " ".join("abcdefghijklmnopqrstuvwxyzñ0123456789%_\\.-'\"") * 2,
    "ﷺ" * 100,
]


async def test_a_hostile_search_finds_nothing(find: Find, tickets: dict[str, str]) -> None:
    for q in HOSTILE:
        expected = {tickets["rut"]} if "12345678" in q else set()  # its separators are white space
        assert await find(q) == expected, q


async def test_words_are_told_once() -> None:
    assert words_of("  Ana\u00a0rojas  Ana\n") == ("Ana", "rojas")
    assert words_of(None) == ()


async def test_what_changes_is_found_by_its_new_words_at_once(
    find: Find, tickets: dict[str, str], connection: rows.Connection
) -> None:
    """Whoever writes it: the application, an import, or somebody at a console."""
    await connection.execute("UPDATE patient SET last_name = 'Güell' WHERE document = '12345678K'")
    await connection.execute("UPDATE ticket SET bed_number = 'Ñ-4' WHERE id = $1", tickets["nobody"])
    assert await find("guell") == {tickets["rut"]}
    assert await find("nuñez") == set()
    assert await find("piso n-4") == set()
    assert await find("2025 n-4") == {tickets["nobody"]}


async def test_what_is_most_expanded_without_its_accents_can_be_stored(
    find: Find, seed: Seed, connection: rows.Connection
) -> None:
    long = Person(*(letter * repeated for letter, repeated in zip("㎢⒇½Œ㏂", (80, 80, 80, 80, 40), strict=True)))
    one = stay(seed.sant, NOW, person=long, location="⒇" * 50, episode_id="½" * 50)
    await insert(connection, [one])
    assert await find("œœœ") == {one.id}
