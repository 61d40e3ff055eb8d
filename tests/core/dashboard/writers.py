"""Writers of tickets that do at random all that can be done to them, in transactions that run beside each other.

What goes wrong between them (deadlocks, serialization failures, references to rows that are gone) rolls back, as it
would in a service, and counts for nothing.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from tests.core.dashboard.at_random import MadeClinic, stays
from tests.factories.rows import Connection

NOW = datetime(2026, 6, 17, 14, 10, tzinfo=UTC)
LOST = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
)
ISOLATIONS = ("read_committed", "read_committed", "repeatable_read", "serializable")
SOME = "SELECT id FROM ticket ORDER BY hashtext(id || $1::text) LIMIT $2::integer"
"""Tickets by chance: the same for the same $1."""


class Writer:
    """One connection's random transactions over `clinics`."""

    def __init__(
        self,
        connection: Connection,
        dice: random.Random,
        clinics: Sequence[MadeClinic],
        changes: "Changes | None" = None,
    ) -> None:
        self.connection, self.dice, self.clinics = connection, dice, clinics
        self.changes = CHANGES if changes is None else changes
        self.committed = 0

    async def run(self, transactions: int) -> None:
        for _ in range(transactions):
            try:
                await self.transaction()
                self.committed += 1
            except _RolledBack:
                pass
            except LOST:
                await asyncio.sleep(0)

    async def transaction(self) -> None:
        async with self.connection.transaction(isolation=self.dice.choice(ISOLATIONS)):  # type: ignore[arg-type]
            if self.dice.random() < 0.2:
                await self.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for _ in range(self.dice.choice((1, 1, 2, 4))):
                if self.dice.random() < 0.2:
                    await self.savepoint()
                else:
                    await self.dice.choice(self.changes)(self)
                if self.dice.random() < 0.05:
                    await self.connection.execute("RESET ALL")
            if self.dice.random() < 0.15:
                raise _RolledBack

    async def savepoint(self) -> None:
        try:
            async with self.connection.transaction():
                await self.dice.choice(self.changes)(self)
                if self.dice.random() < 0.5:
                    raise _RolledBack
        except (_RolledBack, asyncpg.IntegrityConstraintViolationError):
            pass

    async def some(self, statement: str, *more: Any, most: int = 4) -> None:
        """Run a statement over `SOME` tickets; its own parameters begin with $3."""
        seed, number = str(self.dice.randrange(50)), self.dice.randint(1, most)
        await self.connection.execute(statement.replace("SOME", SOME), seed, number, *more)

    def clinic(self) -> MadeClinic:
        return self.dice.choice(self.clinics)


class _RolledBack(Exception):
    pass


async def create(writer: Writer) -> None:
    tickets = stays(writer.dice, writer.clinic(), NOW, writer.dice.choice((1, 1, 3, 20)))
    for ticket in tickets:
        ticket["created_at"] -= timedelta(days=writer.dice.choice((0, 0, 3, 40, 400)))
    await writer.connection.copy_records_to_table(
        "ticket", columns=list(tickets[0]), records=[tuple(ticket.values()) for ticket in tickets]
    )


async def modify(writer: Writer) -> None:
    await writer.some(
        "INSERT INTO fpa_modification (clinic_id, ticket_id, previous_fpa, new_fpa, reason, modified_by)"
        " SELECT clinic_id, id, current_fpa, current_fpa, 'Reason', 'somebody'"
        " FROM ticket, generate_series(1, $3::integer) WHERE id IN (SOME)",
        writer.dice.randint(1, 3),
    )


async def take_modifications_back(writer: Writer) -> None:
    await writer.some(
        "DELETE FROM fpa_modification WHERE ticket_id IN (SOME) AND id % 2 = $3", writer.dice.randint(0, 1)
    )


async def hand_modifications_over(writer: Writer) -> None:
    await writer.some(
        "UPDATE fpa_modification m SET ticket_id = t.id FROM ticket t"
        " WHERE t.clinic_id = m.clinic_id AND m.ticket_id IN (SOME) AND t.number % 7 = $3",
        writer.dice.randrange(7),
    )


async def hold_up(writer: Writer) -> None:
    await writer.some(
        "INSERT INTO delay (clinic_id, ticket_id, reason_id, reason, set_at, set_by, ended_at, ended_by)"
        " SELECT clinic_id, id, (SELECT min(id) + $3 FROM standardized_reason r WHERE r.clinic_id = ticket.clinic_id),"
        " 'Delay', current_fpa - $4::integer * interval '11 minutes', 'somebody',"
        " current_fpa + $5::integer * interval '7 minutes', CASE WHEN $5::integer IS NOT NULL THEN 'somebody' END"
        " FROM ticket WHERE id IN (SOME)",
        writer.dice.randint(0, 3),
        writer.dice.choice((3, 30, 300)),
        writer.dice.choice((None, 0, 5)),
    )


async def end_delays(writer: Writer) -> None:
    await writer.some(
        "UPDATE delay SET ended_at = set_at + $3::integer * interval '50 minutes', ended_by = 'somebody'"
        " WHERE ticket_id IN (SOME)",
        writer.dice.randint(0, 40),
    )


async def take_delays_back(writer: Writer) -> None:
    await writer.some("DELETE FROM delay WHERE ticket_id IN (SOME) AND id % 2 = $3", writer.dice.randint(0, 1))


async def hand_delays_over(writer: Writer) -> None:
    await writer.some(
        "UPDATE delay d SET ticket_id = t.id FROM ticket t"
        " WHERE t.clinic_id = d.clinic_id AND d.ticket_id IN (SOME) AND t.number % 7 = $3",
        writer.dice.randrange(7),
    )


async def delete(writer: Writer) -> None:
    await writer.some("DELETE FROM ticket WHERE id IN (SOME)", most=2)


async def rename(writer: Writer) -> None:
    await writer.some("UPDATE ticket SET id = 'R' || left(md5(id), 12) WHERE id IN (SOME)", most=2)


async def move(writer: Writer) -> None:
    clinic = writer.clinic()
    await writer.some(
        "UPDATE ticket SET clinic_id = $3, number = -number + 2000000000, surgery_id = $4, doctor_id = NULL"
        " WHERE id IN (SOME)",
        clinic.id,
        writer.dice.choice((None, *clinic.surgeries)),
        most=2,
    )


async def discharge(writer: Writer) -> None:
    await writer.some(
        "UPDATE ticket SET status = 'discharged', annulled_at = NULL,"
        " discharged_at = current_fpa + $3::integer * interval '7 minutes' WHERE id IN (SOME)",
        writer.dice.randint(-9, 9),
    )


async def annul(writer: Writer) -> None:
    await writer.some(
        "UPDATE ticket SET status = 'annulled', annulled_at = now(), discharged_at = NULL WHERE id IN (SOME)"
    )


async def restore(writer: Writer) -> None:
    await writer.some(
        "UPDATE ticket SET status = 'active', annulled_at = NULL, discharged_at = NULL WHERE id IN (SOME)"
    )


async def edit(writer: Writer) -> None:
    column = writer.dice.choice(
        (
            "current_fpa = current_fpa + interval '25 minutes'",
            "discharge_assumed = NOT discharge_assumed",
            "created_at = created_at - interval '11 hours'",
            "doctor_id = NULL",
            "discharged_at = discharged_at - interval '17 hours'",
            "admission_at = admission_at + interval '31 hours'",
            "surgery_base_hours = 1 + surgery_base_hours % 7",
            "ready_at = current_fpa - interval '3 days', ready_by = 'somebody'",
            "doctor_id = (SELECT max(id) FROM doctor d WHERE d.clinic_id = ticket.clinic_id AND d.id % 3 = 1)",
            "surgery_id = (SELECT min(id) FROM surgery s WHERE s.clinic_id = ticket.clinic_id AND s.id % 2 = 1)",
            "bed_number = '7'",
        )
    )
    await writer.some(f"UPDATE ticket SET {column} WHERE id IN (SOME)", most=30)


async def restore_in_place(writer: Writer) -> None:
    """As somebody who puts rows back does, in an order that references would refuse."""
    connection = writer.connection
    await connection.execute("SET LOCAL session_replication_role = replica")
    chosen = f"SELECT id FROM ticket WHERE id IN ({SOME}) ORDER BY id FOR UPDATE"
    tickets = await connection.fetch(chosen, str(writer.dice.randrange(50)), 3)
    ids = [row["id"] for row in tickets]
    names = await connection.fetchval(
        "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = 'ticket'::regclass"
        " AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"
    )
    await connection.execute(f"CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT {names} FROM ticket WHERE id = '?'")
    await connection.execute(f"INSERT INTO kept SELECT {names} FROM ticket WHERE id = ANY($1)", ids)
    await connection.execute("DELETE FROM ticket WHERE id = ANY($1)", ids)
    if writer.dice.random() < 0.5:
        await connection.execute("DELETE FROM fpa_modification WHERE ticket_id = ANY($1)", ids[:1])
    await connection.execute(f"INSERT INTO ticket ({names}) SELECT {names} FROM kept")
    await connection.execute("DROP TABLE kept; SET LOCAL session_replication_role = origin")


Changes = Sequence[Callable[[Writer], Awaitable[None]]]
OF_TICKETS: Changes = (
    *(create, create, modify, modify, modify, take_modifications_back, hand_modifications_over, delete, rename, move),
    *(discharge, annul, restore, edit, edit, edit, restore_in_place),
)
OF_FLOW: Changes = (
    *(create, discharge, discharge, restore, edit, edit, rename, restore_in_place),
    *(hold_up, hold_up, hold_up, end_delays, take_delays_back, hand_delays_over),
)
CHANGES: Changes = (*OF_TICKETS, *OF_FLOW)
