"""`ticket-home demo` as the tables show it: life-like, by the rules, all or nothing per clinic."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from argon2 import PasswordHasher
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from core.clock import in_zone, zone
from core.db.bulk_copy import Connection
from core.db.transaction import WriteSession
from core.operations.demo import DemoRefused
from core.operations.demo.clinic import make_clinic
from core.operations.demo.filling import apportioned, fill_demo
from core.operations.demo.names import NETWORK, clinic_names, timezone_of
from core.runtime import open_runtime
from core.rut import normal_rut
from core.settings import Settings
from core.tickets.fpa import overnight_stays, stay
from core.tickets.numbering import next_number
from core.tickets.state import Thresholds, state_at
from tests.conftest import TEMPLATE
from tests.support.servers.databases import Copies

TICKETS = 1500

REFERENCES = """
SELECT c.conname, c.conrelid::regclass::text AS child, c.confrelid::regclass::text AS parent,
       array(SELECT attname::text FROM unnest(c.conkey) WITH ORDINALITY k(n, i)
             JOIN pg_attribute ON attrelid = c.conrelid AND attnum = n ORDER BY i) AS columns,
       array(SELECT attname::text FROM unnest(c.confkey) WITH ORDINALITY k(n, i)
             JOIN pg_attribute ON attrelid = c.confrelid AND attnum = n ORDER BY i) AS target
FROM pg_constraint c WHERE c.contype = 'f'
"""


class RollBack(Exception):
    def __init__(self, number: int) -> None:
        self.number = number


async def demo(url: str, **options: int) -> tuple[int, int, int]:
    summary = await fill_demo(url, password="ticket-home-demo", progress=False, **({"tickets": TICKETS} | options))
    return summary.clinics, summary.tickets, summary.present


@pytest.fixture(scope="module")
async def filled_url(copies: Copies) -> AsyncIterator[str]:
    """One database for the tests that only look."""
    url = await copies.take(TEMPLATE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.operations.demo.clinic.BATCH", 40)  # so that every clinic takes several
        assert await demo(url) == (9, TICKETS, 0)
    yield url
    copies.drop(url)


@pytest.fixture
async def filled(filled_url: str) -> AsyncIterator[Connection]:
    opened = await asyncpg.connect(filled_url)
    yield opened
    await opened.close()


async def tickets_of(connection: Connection) -> list[asyncpg.Record]:
    return await connection.fetch(
        "SELECT t.*, c.prefix, c.timezone, now() AS asked_at FROM ticket t JOIN clinic c ON c.id = t.clinic_id"
        " ORDER BY t.clinic_id, t.year, t.number"
    )


def groups(tickets: list[asyncpg.Record]) -> Iterator[tuple[str, int, ZoneInfo, list[asyncpg.Record]]]:
    by_clinic: dict[tuple[str, int, str], list[asyncpg.Record]] = {}
    for ticket in tickets:
        by_clinic.setdefault((ticket["prefix"], ticket["year"], ticket["timezone"]), []).append(ticket)
    for (prefix, year, timezone), found in by_clinic.items():
        yield prefix, year, zone(timezone), found


async def test_clinics_users_and_catalogs_are_those_of_the_book(filled: Connection) -> None:
    clinics = await filled.fetch("SELECT name, prefix, timezone FROM clinic ORDER BY id")
    assert sorted(row["name"] for row in clinics) == sorted(f"Clínica RedSalud {place}" for place in NETWORK)
    zones = {row["prefix"]: row["timezone"] for row in clinics}
    assert zones.pop("MAGA") == "America/Punta_Arenas"
    assert set(zones) == {"IQUI", "ELQU", "VALP", "PROV", "SANT", "VITA", "RANC", "MAYO"}
    assert set(zones.values()) == {"America/Santiago"}

    users = {row["username"]: row for row in await filled.fetch("SELECT * FROM app_user")}
    expected = {f"{role}_{prefix.lower()}" for prefix in [*zones, "MAGA"] for role in ("admin", "clinical", "viewer")}
    assert set(users) == expected | {"superuser"}
    assert all(name.startswith(row["role"]) for name, row in users.items())
    [one_hash] = {row["password_hash"] for row in users.values()}
    assert PasswordHasher().verify(one_hash, "ticket-home-demo")

    for table, least in (("specialty", 4), ("surgery", 20), ("doctor", 15), ("standardized_reason", 12)):
        counts = await filled.fetch(f"SELECT count(*) AS n FROM {table} GROUP BY clinic_id")
        assert len(counts) == 9
        assert min(row["n"] for row in counts) >= least
    assert await filled.fetchval("SELECT count(*) FROM urgency_threshold WHERE clinic_id IS NOT NULL") > 0
    assert await filled.fetchval("SELECT bool_or(is_ambulatory) AND NOT bool_and(is_active) FROM surgery")


async def test_every_fpa_is_as_the_rules_have_it(filled: Connection) -> None:
    tickets = await tickets_of(filled)
    assert len(tickets) == TICKETS
    for ticket in tickets:
        local = zone(ticket["timezone"])
        expected = stay(ticket["surgery_at"], ticket["surgery_base_hours"], local)
        assert (ticket["admission_at"], ticket["system_fpa"]) == (expected.admission_at, expected.fpa)
        assert ticket["initial_fpa"] == ticket["system_fpa"]
        assert ticket["initial_overnight_stays"] == expected.overnight_stays
        nights = overnight_stays(ticket["admission_at"], ticket["current_fpa"], local)
        assert ticket["overnight_stays"] == nights


async def test_numbers_follow_the_order_of_creation_without_gaps_and_go_on(
    filled: Connection, filled_url: str, settings: Settings
) -> None:
    counters = {
        (row["clinic_id"], row["year"]): row["last_number"]
        for row in await filled.fetch("SELECT * FROM ticket_counter")
    }
    for prefix, year, local, tickets in groups(await tickets_of(filled)):
        assert [ticket["number"] for ticket in tickets] == list(range(1, len(tickets) + 1))
        assert [ticket["id"] for ticket in tickets][:1] == [f"TH-{prefix}-{year}-001"]
        assert all(a["created_at"] <= b["created_at"] for a, b in pairwise(tickets))
        assert {in_zone(ticket["created_at"], local).year for ticket in tickets} == {year}
        assert counters.pop((tickets[0]["clinic_id"], year)) == len(tickets)
        last = tickets[-1]
    assert counters == {}

    async def take(session: WriteSession) -> None:
        raise RollBack(await next_number(session, last["clinic_id"], last["year"]))

    here = settings.model_copy(update={"database_url": SecretStr(filled_url)})
    async with open_runtime(here) as runtime:
        with pytest.raises(RollBack) as next_one:
            await runtime.database.write(take)
    assert next_one.value.number == last["number"] + 1


async def test_every_state_is_there_and_the_past_is_discharged(filled: Connection) -> None:
    tickets = await tickets_of(filled)
    states = Counter(
        state_at(
            ticket["asked_at"],
            status=ticket["status"],
            admission_at=ticket["admission_at"],
            current_fpa=ticket["current_fpa"],
            thresholds=Thresholds(),
        ).state.value
        for ticket in tickets
    )
    assert states["scheduled"] > 0
    assert states["normal"] > 0
    assert 0 < states["overdue"] < TICKETS * 0.05
    assert 0 < states["annulled"] < TICKETS * 0.1
    assert states["discharged"] > TICKETS * 0.7
    in_block = [
        ticket["discharged_at"] <= ticket["current_fpa"] for ticket in tickets if ticket["status"] == "discharged"
    ]
    assert 0.6 < sum(in_block) / len(in_block) < 0.95
    assert await filled.fetchval("SELECT count(*) FROM ticket WHERE discharged_at > now() OR created_at > now()") == 0


async def test_modifications_chain_from_the_first_fpa_to_the_current_one(filled: Connection) -> None:
    modifications: dict[str, list[asyncpg.Record]] = {}
    for row in await filled.fetch("SELECT * FROM fpa_modification ORDER BY id"):
        modifications.setdefault(row["ticket_id"], []).append(row)
    counts: Counter[int] = Counter()
    flow = {row[0]: row[1] for row in await filled.fetch(
        "SELECT ticket_id, count(*) + count(ended_at) FROM delay GROUP BY ticket_id"
    )}  # fmt: skip
    for ticket in await tickets_of(filled):
        chain = modifications.get(ticket["id"], [])
        counts[len(chain)] += 1
        fpas = [ticket["initial_fpa"], *(row["new_fpa"] for row in chain)]
        assert [row["previous_fpa"] for row in chain] == fpas[:-1]
        assert ticket["current_fpa"] == fpas[-1]
        ended: datetime = ticket["discharged_at"] or ticket["annulled_at"] or ticket["asked_at"]
        times = [ticket["created_at"], *(row["modified_at"] for row in chain), ended]
        assert times == sorted(times)
        assert ticket["revision"] == 1 + len(chain) + (ticket["status"] != "active") + (
            ticket["ready_at"] is not None
        ) + flow.get(ticket["id"], 0)
    assert set(counts) >= {0, 1, 2}
    assert max(counts) <= 5
    assert counts[0] > counts[1] > counts[2]


async def test_the_history_tells_what_happened(filled: Connection) -> None:
    actions = {row["action"]: row["n"] for row in await filled.fetch(
        "SELECT action, count(*) AS n FROM action_audit WHERE target_type = 'ticket' GROUP BY action"
    )}  # fmt: skip
    statuses = {row["status"]: row["n"] for row in await filled.fetch(
        "SELECT status, count(*) AS n FROM ticket GROUP BY status"
    )}  # fmt: skip
    assert actions == {
        "ticket.created": TICKETS,
        "ticket.fpa_modified": await filled.fetchval("SELECT count(*) FROM fpa_modification"),
        "ticket.discharged": statuses["discharged"],
        "ticket.annulled": statuses["annulled"],
        "ticket.ready": await filled.fetchval("SELECT count(ready_at) FROM ticket"),
        "ticket.delayed": await filled.fetchval("SELECT count(*) FROM delay"),
        "ticket.delay_ended": await filled.fetchval("SELECT count(ended_at) FROM delay"),
    }


async def test_some_are_ready_or_wait_some_waited_and_a_few_were_forgotten(filled: Connection) -> None:
    row = await filled.fetchrow("""
        SELECT count(*) FILTER (WHERE status = 'active' AND ready_at IS NOT NULL) AS ready,
               count(*) FILTER (WHERE status = 'discharged' AND ready_at IS NOT NULL) AS were_ready,
               count(*) FILTER (WHERE status = 'active' AND current_fpa < now() - interval '72 hours') AS forgotten
        FROM ticket""")
    assert row is not None
    assert row["ready"] > 5
    assert row["were_ready"] > TICKETS / 4
    assert 5 < row["forgotten"] < TICKETS / 40
    states = await filled.fetch(
        "SELECT t.status, d.ended_at IS NULL AS is_open FROM delay d JOIN ticket t ON t.id = d.ticket_id GROUP BY 1, 2"
    )
    assert {tuple(row) for row in states} >= {("active", True), ("discharged", True), ("discharged", False)}
    wrong = await filled.fetchval("""
        SELECT count(*) FROM ticket t LEFT JOIN delay d ON d.ticket_id = t.id
        WHERE t.ready_at > coalesce(t.discharged_at, now()) OR t.ready_at < t.admission_at OR d.set_at < t.admission_at
            OR coalesce(d.ended_at, d.set_at) > coalesce(t.discharged_at, now()) OR t.long_stay_at IS NULL""")
    assert wrong == 0


async def test_documents_pass_their_checks(filled: Connection) -> None:
    kinds: Counter[str] = Counter()
    for row in await filled.fetch("SELECT document_type, document, age, sex FROM patient"):
        kinds[row["document_type"]] += 1
        if row["document_type"] == "rut":
            assert normal_rut(row["document"]) == row["document"]
    assert kinds["rut"] > kinds["passport"] > 0
    doctors = await filled.fetch("SELECT rut FROM doctor")
    assert all(normal_rut(row["rut"]) == row["rut"] for row in doctors)
    assert await filled.fetchval("SELECT count(*) FROM patient") < TICKETS, "some came back"
    overlapping = await filled.fetchval(
        "SELECT count(*) FROM ticket a JOIN ticket b ON a.patient_id = b.patient_id AND a.id < b.id"
        " WHERE a.admission_at < b.current_fpa AND b.admission_at < a.current_fpa"
    )
    assert overlapping == 0, "nobody is in two beds"
    assert await filled.fetchval(
        "SELECT count(*) FROM ticket t JOIN patient p ON p.id = t.patient_id"
        " WHERE t.surgery_name = 'Cesárea' AND (p.sex <> 'F' OR p.age NOT BETWEEN 18 AND 44)"
    ) == 0  # fmt: skip


async def test_every_reference_holds(filled: Connection) -> None:
    """The rows were stored without looking up each one; here each one is."""
    checked = 0
    for key in await filled.fetch(REFERENCES):
        joined = " AND ".join(f"p.{t} = c.{f}" for f, t in zip(key["columns"], key["target"], strict=True))
        given = " AND ".join(f"c.{column} IS NOT NULL" for column in key["columns"])
        dangling = await filled.fetchval(
            f"SELECT count(*) FROM {key['child']} c LEFT JOIN {key['parent']} p ON {joined}"
            f" WHERE {given} AND p.{key['target'][0]} IS NULL"
        )
        assert dangling == 0, key["conname"]
        checked += 1
    assert checked > 15


async def test_the_versions_of_every_clinic_were_stamped(filled: Connection) -> None:
    stamped = {
        (row["clinic_id"], row["topic"]) for row in await filled.fetch("SELECT clinic_id, topic FROM cache_version")
    }
    for row in await filled.fetch("SELECT id FROM clinic"):
        assert {(row["id"], topic) for topic in ("tickets", "figures", "catalogs")} <= stamped
    assert (0, "clinics") in stamped


async def test_a_second_run_does_nothing_and_says_so(filled_url: str, filled: Connection) -> None:
    before = await filled.fetch("SELECT * FROM cache_version ORDER BY 1, 2")
    summary = await fill_demo(filled_url, password="other", tickets=99, seed=7, progress=False)
    assert (summary.clinics, summary.tickets, summary.present) == (0, 0, 9)
    assert "nothing was changed" in str(summary)
    assert await filled.fetch("SELECT * FROM cache_version ORDER BY 1, 2") == before


async def test_a_run_after_one_that_was_cut_off_makes_the_rest(
    database_url: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(Exception):
        pass

    async def cut_off(one: Connection, planned: object, **options: object) -> None:
        if planned.name.endswith("Santiago"):  # type: ignore[attr-defined]

            def advance(_: int) -> None:
                raise Killed

            options["advance"] = advance
        await make_clinic(one, planned, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("core.operations.demo.filling.make_clinic", cut_off)
    with pytest.raises(Killed):
        await demo(database_url)
    monkeypatch.undo()
    present = await connection.fetchval("SELECT count(*) FROM clinic")
    assert 3 <= present < 9
    assert await connection.fetchval("SELECT count(*) FROM clinic WHERE prefix = 'SANT'") == 0
    clinics, tickets, found = await demo(database_url)
    assert (clinics, found) == (9 - present, present)
    assert 0 < tickets < TICKETS
    assert await connection.fetchval("SELECT count(*) FROM ticket") == TICKETS
    assert await connection.fetchval("SELECT count(*) FROM app_user") == 28


async def test_two_runs_at_once_make_it_once(database_url: str, connection: Connection) -> None:
    both = await asyncio.gather(demo(database_url), demo(database_url))
    assert sorted(both) == [(0, 0, 9), (9, TICKETS, 0)]
    assert await connection.fetchval("SELECT count(*) FROM ticket") == TICKETS


async def test_more_clinics_than_exist_have_names_and_prefixes_of_their_own(
    database_url: str, connection: Connection
) -> None:
    assert await demo(database_url, clinics=9, tickets=90) == (9, 90, 0)
    clinics, _, present = await demo(database_url, clinics=40, tickets=400)
    assert (clinics, present) == (31, 9)
    rows = await connection.fetch("SELECT name, prefix, timezone FROM clinic")
    assert len({row["name"] for row in rows}) == len({row["prefix"] for row in rows}) == 40
    assert all(row["timezone"] == timezone_of(row["name"]) for row in rows)


async def test_a_user_who_may_not_trust_references_fills_all_the_same(
    database_url: str, connection: Connection
) -> None:
    await connection.execute("""
        DO $$ BEGIN CREATE ROLE demo_plain LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
        GRANT ALL ON ALL TABLES IN SCHEMA public TO demo_plain;
        GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO demo_plain;
    """)
    plain = make_url(database_url).set(username="demo_plain").render_as_string(hide_password=False)
    assert await demo(plain, tickets=300) == (9, 300, 0)
    assert await connection.fetchval("SELECT count(*) FROM ticket") == 300


async def test_production_is_refused(
    database_url: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKET_HOME_ENV", "production")
    monkeypatch.setenv("SECRET_KEYS", "a-secret-of-forty-characters-for-a-test!")
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", "redis://localhost")
    with pytest.raises(DemoRefused, match="production"):
        await demo(database_url)
    assert await connection.fetchval("SELECT count(*) FROM clinic") == 0


@pytest.mark.parametrize("options", [{"clinics": 0}, {"clinics": 1001}, {"tickets": -1}])
async def test_impossible_wishes_are_refused(database_url: str, options: dict[str, int]) -> None:
    with pytest.raises(DemoRefused):
        await demo(database_url, **options)


@pytest.mark.parametrize(("tickets", "clinics"), [(0, 9), (1, 9), (5000, 9), (1_000_000, 1000), (7, 1)])
def test_shares_add_up(tickets: int, clinics: int) -> None:
    shares = list(apportioned(tickets, clinics))
    assert len(shares) == clinics
    assert sum(shares) == tickets
    assert min(shares) >= 0


def test_a_thousand_clinics_have_names() -> None:
    names = [name for name, _ in zip(clinic_names(), range(1000), strict=False)]
    assert len({name.lower() for name in names}) == 1000
