"""Every change stamps versions in its own transaction, whoever makes it: the application, psql, COPY or a cascade."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from core.cache.policy import TOPICS
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.cache.bumps import bumps, versions_of


def everything(seed: Seed) -> set[tuple[int, str]]:
    """Also rows that nothing has bumped yet: entries may lie under their version 0."""
    return {(clinic, topic) for clinic in (0, seed.sant.id, seed.maga.id) for topic in TOPICS}


async def test_creating_a_ticket_bumps_tickets_and_figures_of_its_clinic_only(
    connection: rows.Connection, seed: Seed
) -> None:
    async with bumps(connection) as noted:
        await seed.sant.ticket(connection)
    assert noted.seen == {(seed.sant.id, "tickets"), (seed.sant.id, "figures")}


@pytest.mark.parametrize(
    ("change", "topics"),
    [
        ("bed_number = '12'", {"tickets"}),
        ("location = 'Piso 3', episode_id = 'E1', revision = revision + 1", {"tickets"}),
        ("current_fpa = current_fpa + interval '1 hour'", {"tickets", "figures"}),
        ("status = 'discharged', discharged_at = admission_at + interval '1 hour'", {"tickets", "figures"}),
        ("status = 'annulled', annulled_at = now()", {"tickets", "figures"}),
        ("surgery_name = 'Otra'", {"tickets", "figures"}),
        ("ready_at = now(), ready_by = 'nurse'", {"tickets", "figures"}),
        ("admission_at = admission_at - interval '1 hour'", {"tickets", "figures"}),
        ("surgery_base_hours = 48", {"tickets", "figures"}),
        ("discharge_assumed = true", {"tickets", "figures"}),
        ("bed_number = bed_number", set()),
    ],
)
async def test_an_update_bumps_what_its_columns_show(
    connection: rows.Connection, seed: Seed, change: str, topics: set[str]
) -> None:
    ticket = await seed.sant.ticket(connection)
    async with bumps(connection) as noted:
        await connection.execute(f"UPDATE ticket SET {change} WHERE id = $1", ticket)
    assert noted.seen == {(seed.sant.id, topic) for topic in topics}


async def test_a_delay_bumps_when_it_is_set_and_when_it_ends(connection: rows.Connection, seed: Seed) -> None:
    ticket = await seed.sant.ticket(connection)
    reason = await rows.reason(connection, seed.sant.id, "delay")
    both = {(seed.sant.id, "tickets"), (seed.sant.id, "figures")}
    async with bumps(connection) as noted:
        await rows.delay(connection, seed.sant.id, ticket, reason)
    assert noted.seen == both
    for change in ("UPDATE delay SET ended_at = now(), ended_by = 'nurse'", "DELETE FROM delay"):
        async with bumps(connection) as noted:
            await connection.execute(change)
        assert noted.seen == both, change


async def test_values_swapped_between_two_rows_are_a_change(connection: rows.Connection, seed: Seed) -> None:
    one = await seed.sant.ticket(connection)
    await seed.sant.ticket(connection, fpa=datetime.now(UTC) + timedelta(hours=30))
    async with bumps(connection) as noted:
        await connection.execute(
            "UPDATE ticket t SET current_fpa = o.current_fpa FROM ticket o WHERE o.id <> t.id AND t.clinic_id = $1",
            seed.sant.id,
        )
    assert (seed.sant.id, "figures") in noted.seen
    assert one


async def test_a_row_moved_between_clinics_bumps_both(connection: rows.Connection, seed: Seed) -> None:
    ticket = await seed.sant.ticket(connection)
    await rows.modification(connection, seed.sant.id, ticket)
    async with bumps(connection) as noted:
        await connection.execute(
            "UPDATE ticket SET clinic_id = $2, patient_id = $3, surgery_id = $4 WHERE id = $1",
            ticket, seed.maga.id, seed.maga.patient_id, seed.maga.surgery_id,
        )  # fmt: skip
    both = {seed.sant.id, seed.maga.id}
    assert noted.seen == {(clinic, topic) for clinic in both for topic in ("tickets", "figures")}


async def test_a_cascade_bumps(connection: rows.Connection, seed: Seed) -> None:
    ticket = await seed.sant.ticket(connection)
    await rows.modification(connection, seed.sant.id, ticket)
    async with bumps(connection) as noted:
        await connection.execute("DELETE FROM ticket WHERE id = $1", ticket)
    assert await connection.fetchval("SELECT count(*) FROM fpa_modification") == 0
    assert noted.seen == {(seed.sant.id, "tickets"), (seed.sant.id, "figures")}


async def test_a_copy_bumps_every_clinic_in_it_once(connection: rows.Connection, seed: Seed) -> None:
    async with bumps(connection) as noted:
        await connection.copy_records_to_table(
            "doctor",
            columns=["clinic_id", "name"],
            records=[(clinic, f"Dr. {n}") for n in range(500) for clinic in (seed.sant.id, seed.maga.id)],
        )
    assert noted.seen == {(seed.sant.id, "catalogs"), (seed.maga.id, "catalogs")}


async def test_a_truncate_bumps_every_clinic(connection: rows.Connection, seed: Seed) -> None:
    for clinic in (seed.sant, seed.maga):
        await clinic.ticket(connection)
    async with bumps(connection) as noted:
        await connection.execute("TRUNCATE ticket CASCADE")
    assert noted.seen == {(c, topic) for c in (0, seed.sant.id, seed.maga.id) for topic in ("tickets", "figures")}


async def test_a_rolled_back_transaction_bumps_nothing(connection: rows.Connection, seed: Seed) -> None:
    async with bumps(connection) as noted:
        transaction = connection.transaction()
        await transaction.start()
        await seed.sant.ticket(connection)
        await transaction.rollback()
    assert noted.seen == set()


@pytest.mark.parametrize("kept_first", [True, False])
async def test_a_rolled_back_savepoint_bumps_only_what_was_kept(
    connection: rows.Connection, seed: Seed, kept_first: bool
) -> None:
    async with bumps(connection) as noted, connection.transaction():
        if kept_first:
            await seed.sant.ticket(connection)
        savepoint = connection.transaction()
        await savepoint.start()
        await seed.maga.ticket(connection)
        await savepoint.rollback()
        if not kept_first:
            await seed.sant.ticket(connection)
    assert noted.seen == {(seed.sant.id, "tickets"), (seed.sant.id, "figures")}


async def test_immediate_constraints_bump_all_the_same(connection: rows.Connection, seed: Seed) -> None:
    async with bumps(connection) as noted, connection.transaction():
        await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        await rows.doctor(connection, seed.sant.id)
        await rows.doctor(connection, seed.maga.id)
    assert noted.seen == {(seed.sant.id, "catalogs"), (seed.maga.id, "catalogs")}


async def test_a_replication_role_that_skips_ordinary_triggers_still_bumps(
    connection: rows.Connection, seed: Seed
) -> None:
    async with bumps(connection) as noted:
        await connection.execute("SET session_replication_role = replica")
        await rows.doctor(connection, seed.sant.id)
        await connection.execute("RESET session_replication_role")
    assert noted.seen == {(seed.sant.id, "catalogs")}


async def test_a_search_path_that_hides_our_schema_still_bumps(connection: rows.Connection, seed: Seed) -> None:
    async with bumps(connection) as noted:
        # pg_restore and careful administrators work like this.
        await connection.execute("SET search_path = ''")
        await connection.execute("INSERT INTO public.doctor (clinic_id, name) VALUES ($1, 'x')", seed.sant.id)
        await connection.execute("RESET search_path")
    assert noted.seen == {(seed.sant.id, "catalogs")}


async def test_a_lost_memory_bumps_everything(connection: rows.Connection, seed: Seed) -> None:
    async with bumps(connection) as noted, connection.transaction():
        await rows.doctor(connection, seed.sant.id)
        await connection.execute("SET LOCAL ticket_home.pending = ''")
    assert noted.seen == everything(seed)


@pytest.mark.parametrize("left", ["x", " 9/tickets ", "7| 9/tickets "])
async def test_what_a_session_set_itself_is_no_memory(connection: rows.Connection, seed: Seed, left: str) -> None:
    async with bumps(connection) as noted:
        await connection.execute(f"SET ticket_home.pending = '{left}'")
        await rows.doctor(connection, seed.sant.id)
        await connection.execute("RESET ticket_home.pending")
    assert noted.seen == {(seed.sant.id, "catalogs")}


async def test_a_role_with_rights_on_a_table_alone_stamps_all_the_same(connection: rows.Connection, seed: Seed) -> None:
    role = f"writer_{seed.sant.id}_{datetime.now(UTC):%H%M%S%f}"
    await connection.execute(f"CREATE ROLE {role}; GRANT INSERT ON doctor TO {role}")
    async with bumps(connection) as noted:
        await connection.execute(f"SET ROLE {role}")
        await connection.execute("INSERT INTO doctor (clinic_id, name) VALUES ($1, 'x')", seed.sant.id)
        await connection.execute("RESET ROLE")
    await connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
    assert noted.seen == {(seed.sant.id, "catalogs")}


async def test_a_login_and_last_seen_bump_nothing_but_a_revocation_does(
    connection: rows.Connection, seed: Seed
) -> None:
    user = await connection.fetchval("SELECT id FROM app_user WHERE username = $1", seed.sant.viewer)
    async with bumps(connection) as noted:
        session = await rows.insert(
            connection, "user_session", user_id=user, clinic_id=seed.sant.id, client="web", token_hash=b"h" * 32,
            expires_at=datetime.now(UTC) + timedelta(hours=12),
        )  # fmt: skip
        await connection.execute("UPDATE user_session SET last_seen_at = now() WHERE id = $1", session)
    assert noted.seen == set()
    async with bumps(connection) as noted:
        await connection.execute("UPDATE user_session SET revoked_at = now() WHERE id = $1", session)
    assert noted.seen == {(seed.sant.id, "users")}


@pytest.mark.parametrize("change", ["is_active = false", "password_hash = 'x'", "role = 'viewer'"])
async def test_a_users_change_bumps_users_of_its_clinic(connection: rows.Connection, seed: Seed, change: str) -> None:
    async with bumps(connection) as noted:
        await connection.execute(f"UPDATE app_user SET {change} WHERE username = $1", seed.sant.clinical)
    assert noted.seen == {(seed.sant.id, "users")}


async def test_a_clinics_deactivation_bumps_clinics_and_its_users(connection: rows.Connection, seed: Seed) -> None:
    async with bumps(connection) as noted:
        await connection.execute("UPDATE clinic SET name = 'Otro nombre' WHERE id = $1", seed.sant.id)
    assert noted.seen == {(0, "clinics")}
    async with bumps(connection) as noted:
        await connection.execute("UPDATE clinic SET is_active = false WHERE id = $1", seed.sant.id)
    assert noted.seen == {(0, "clinics"), (seed.sant.id, "users")}


async def test_the_global_thresholds_bump_clinic_zero(connection: rows.Connection, seed: Seed) -> None:
    async with bumps(connection) as noted:
        await connection.execute("UPDATE urgency_threshold SET red_hours = 1 WHERE clinic_id IS NULL")
    assert noted.seen == {(0, "catalogs")}
    async with bumps(connection) as noted:
        await rows.insert(
            connection, "urgency_threshold", clinic_id=seed.sant.id, red_hours=1, yellow_hours=2, green_hours=3
        )
    assert noted.seen == {(seed.sant.id, "catalogs")}


async def test_every_kind_of_invalidation_is_a_bump(connection: rows.Connection, seed: Seed) -> None:
    async with bumps(connection) as noted:
        await connection.execute("SELECT cache_invalidate($1, 'figures')", seed.sant.id)
    assert noted.seen == {(seed.sant.id, "figures")}
    async with bumps(connection) as noted:
        await connection.execute("SELECT cache_invalidate($1)", seed.sant.id)
    assert noted.seen == {(seed.sant.id, topic) for topic in TOPICS}
    async with bumps(connection) as noted:
        await connection.execute("SELECT cache_invalidate(NULL, 'figures')")
    assert noted.seen == {(clinic, "figures") for clinic in (0, seed.sant.id, seed.maga.id)}
    async with connection.transaction():
        await connection.execute("SELECT cache_remember(ARRAY['0/ns:reports'])")
    async with bumps(connection) as noted:
        await connection.execute("SELECT cache_invalidate()")
    assert noted.seen == everything(seed) | {(0, "ns:reports")}


@pytest.mark.parametrize("statement", ["DELETE FROM cache_version", "TRUNCATE cache_version"])
async def test_version_rows_are_never_deleted(connection: rows.Connection, seed: Seed, statement: str) -> None:
    with pytest.raises(asyncpg.RestrictViolationError):
        await connection.execute(statement)


@pytest.mark.parametrize("table", ["action_audit", "login_audit"])
async def test_audits_are_append_only(connection: rows.Connection, table: str) -> None:
    for statement in (f"UPDATE {table} SET username = ''", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute(statement)


async def test_a_commit_tells_its_listeners_the_versions_it_made(connection: rows.Connection, seed: Seed) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    await connection.add_listener("ticket_home", lambda *message: heard.put_nowait(str(message[3])))
    await rows.doctor(connection, seed.sant.id)
    payload = await asyncio.wait_for(heard.get(), machine.PATIENCE)
    versions = await versions_of(connection)
    assert payload == f"{seed.sant.id}/catalogs={versions[seed.sant.id, 'catalogs']}"


async def test_two_writers_in_opposite_order_over_two_clinics_do_not_deadlock_into_the_ground(
    database_url: str, connection: rows.Connection, seed: Seed
) -> None:
    """Each writes a bed in one clinic, then in the other. Bumped at once, nearly every pair would deadlock."""
    clinics = (seed.sant, seed.maga)
    mine = [{clinic.id: await clinic.ticket(connection) for clinic in clinics} for _ in range(8)]
    deadlocks = 0

    async def write(worker: int) -> None:
        nonlocal deadlocks
        own = await asyncpg.connect(database_url)
        order = [seed.sant.id, seed.maga.id] if worker % 2 else [seed.maga.id, seed.sant.id]
        try:
            for turn in range(40):
                try:
                    async with own.transaction():
                        for clinic in order:
                            await own.execute(
                                "UPDATE ticket SET bed_number = $2 WHERE id = $1", mine[worker][clinic], str(turn)
                            )
                            await asyncio.sleep(0)
                except asyncpg.DeadlockDetectedError:
                    deadlocks += 1
        finally:
            await own.close()

    await asyncio.wait_for(asyncio.gather(*(write(worker) for worker in range(8))), 60)
    assert deadlocks == 0


async def test_every_table_that_a_loader_reads_is_stamped(connection: rows.Connection) -> None:
    """A new table is either stamped or named here, with the reason why no cached answer can depend on it."""
    unstamped = {
        "alembic_version": "no loader reads it",
        "action_audit": "never cached",
        "login_audit": "never cached",
        "cache_version": "the versions themselves",
        "cache_flush": "the versions' own machinery",
        "cache_timeline": "what the versions stand for",
        "legacy_map": "only the import reads it",
        "legacy_ticket": "only the import reads it",
        "idempotency_key": "never cached",
        "ticket_counter": "never cached",
        **dict.fromkeys(
            ("rollup_change", "ticket_rollup", "doctor_rollup", "flow_rollup", "modified_ticket", "delayed_ticket"),
            "they change with tickets and modifications, in the same transaction, or say the same in another way",
        ),
        "rolled_clinic": "whether tickets are counted from rollups or one by one, which gives the same",
    }
    found = await connection.fetch(
        """
        SELECT c.relname AS table,
               array_agg(t.tgname::text) FILTER (WHERE t.tgname LIKE 'cache_stamp%' AND t.tgenabled = 'A') AS stamps
        FROM pg_class c LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') GROUP BY c.relname
        """
    )
    events = {f"cache_stamp_{event}" for event in ("insert", "update", "delete", "truncate")}
    for row in found:
        if row["table"] in unstamped:
            assert row["stamps"] is None
        else:
            assert set(row["stamps"] or ()) == events, row["table"]
