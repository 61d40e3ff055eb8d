"""The columns of a ticket's row, in xlsx and in csv: what they are called and how they are read."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any, TypeAlias

import asyncpg

from core.clock import in_zone, zone
from core.tickets.fpa import block_of

MODIFICATIONS = 5
"""A ticket has no more; of an imported one that has, its first ones are written, and how many there were."""


Record: TypeAlias = Sequence[Any] | asyncpg.Record


class Kind(Enum):
    TEXT = auto()
    NUMBER = auto()
    FLAG = auto()
    TIME = auto()
    """Clinic-local."""
    BLOCK = auto()
    """Read as the FPA, written as `11:00 - 13:00`."""


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind = Kind.TEXT
    width: int = 14
    """Characters, in a spreadsheet."""
    of: str | None = None
    """`patient.verified`: which column of which table it reads. None: the ticket's of that name, unless
    `statements.tickets` has an expression for it."""


OF_TICKET = (
    Column("id", width=18),
    Column("clinic", width=7, of="clinic.prefix"),
    Column("status", width=11),
    Column("state", width=11),
    Column("document_type", width=9, of="patient.document_type"),
    Column("document"),
    Column("document_verified", Kind.FLAG, 9, of="patient.verified"),
    Column("first_name", of="patient.first_name"),
    Column("middle_name", of="patient.middle_name"),
    Column("last_name", of="patient.last_name"),
    Column("second_last_name", of="patient.second_last_name"),
    Column("age", Kind.NUMBER, 5, of="patient.age"),
    Column("sex", width=5, of="patient.sex"),
    Column("surgery", width=34, of="ticket.surgery_name"),
    Column("base_stay_hours", Kind.NUMBER, 8, of="ticket.surgery_base_hours"),
    Column("doctor", width=24, of="doctor.name"),
    Column("surgery_at", Kind.TIME, 17),
    Column("admission_at", Kind.TIME, 17),
    Column("system_fpa", Kind.TIME, 17),
    Column("initial_fpa", Kind.TIME, 17),
    Column("initial_block", Kind.BLOCK, of="ticket.initial_fpa"),
    Column("initial_overnight_stays", Kind.NUMBER, 8),
    Column("current_fpa", Kind.TIME, 17),
    Column("current_block", Kind.BLOCK, of="ticket.current_fpa"),
    Column("overnight_stays", Kind.NUMBER, 8),
    Column("bed_number", width=8),
    Column("location"),
    Column("episode_id"),
    Column("discharged_at", Kind.TIME, 17),
    Column("annulled_at", Kind.TIME, 17),
    Column("annulled_by"),
    Column("annulment_reason", width=24),
    Column("created_at", Kind.TIME, 17),
    Column("created_by"),
    Column("modifications", Kind.NUMBER, 6),
)
OF_MODIFICATION = (
    Column("at", Kind.TIME, 17),
    Column("by"),
    Column("previous_fpa", Kind.TIME, 17),
    Column("new_fpa", Kind.TIME, 17),
    Column("reason", width=24),
    Column("justification", width=24),
)
AFTER = (Column("assumed", Kind.FLAG, 9),)
"""What came later stands last: whoever reads a file by the places of its columns still can. New columns go here."""
COLUMNS = (
    *OF_TICKET,
    *(
        Column(f"modification_{number}_{column.name}", column.kind, column.width)
        for number in range(1, MODIFICATIONS + 1)
        for column in OF_MODIFICATION
    ),
    *AFTER,
)

READ = (*OF_TICKET, *AFTER)
"""What is read of a ticket, in this order."""
READ_BESIDE = ("clinic_id", "timezone", "modification_list")
"""What is read behind READ: `clinic_id` with `created_at` and `id` is the row's key, the last is JSON."""


def positions(*kinds: Kind, columns: Sequence[Column] = COLUMNS) -> tuple[int, ...]:
    """Where the columns of these kinds stand among `columns`, from 0."""
    return tuple(at for at, column in enumerate(columns) if column.kind in kinds)


_BLOCKS_READ = positions(Kind.BLOCK, columns=READ)
_TIMES_READ = positions(Kind.TIME, columns=READ)
_TIMES_OF_MODIFICATION = positions(Kind.TIME, columns=OF_MODIFICATION)
_NONE = (None,) * len(OF_MODIFICATION)


def values(record: Record) -> list[Any]:
    """One per column, None where there is nothing; times are the clinic's, with its offset and to the second."""
    read = list(record[: len(READ)])
    local = zone(record[-2])
    for at in _BLOCKS_READ:
        read[at] = block_of(read[at], local).label
    for at in _TIMES_READ:
        if read[at] is not None:
            read[at] = in_zone(read[at], local).replace(microsecond=0)
    row = read[: len(OF_TICKET)]
    modified = json.loads(record[-1])[:MODIFICATIONS] if record[-1] else []
    for one in modified:
        for at in _TIMES_OF_MODIFICATION:
            one[at] = in_zone(datetime.fromisoformat(one[at]), local).replace(microsecond=0)
        row += one
    for _ in range(MODIFICATIONS - len(modified)):
        row += _NONE
    return row + read[len(OF_TICKET) :]
