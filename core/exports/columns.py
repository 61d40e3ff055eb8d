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


class CellKind(Enum):
    TEXT = auto()
    NUMBER = auto()
    FLAG = auto()
    TIME = auto()
    """Clinic-local."""
    BLOCK = auto()
    """Read as the FPA, written as `11:00 - 13:00`."""


@dataclass(frozen=True, slots=True)
class ExportColumn:
    name: str
    kind: CellKind = CellKind.TEXT
    width: int = 14
    """Characters, in a spreadsheet."""
    of: str | None = None
    """`patient.verified`: which column of which table it reads. None: the ticket's of that name, unless
    `statements.tickets` has an expression for it."""


OF_TICKET = (
    ExportColumn("id", width=18),
    ExportColumn("clinic", width=7, of="clinic.prefix"),
    ExportColumn("status", width=11),
    ExportColumn("state", width=11),
    ExportColumn("document_type", width=9, of="patient.document_type"),
    ExportColumn("document"),
    ExportColumn("document_verified", CellKind.FLAG, 9, of="patient.verified"),
    ExportColumn("first_name", of="patient.first_name"),
    ExportColumn("middle_name", of="patient.middle_name"),
    ExportColumn("last_name", of="patient.last_name"),
    ExportColumn("second_last_name", of="patient.second_last_name"),
    ExportColumn("age", CellKind.NUMBER, 5, of="patient.age"),
    ExportColumn("sex", width=5, of="patient.sex"),
    ExportColumn("surgery", width=34, of="ticket.surgery_name"),
    ExportColumn("base_stay_hours", CellKind.NUMBER, 8, of="ticket.surgery_base_hours"),
    ExportColumn("doctor", width=24, of="doctor.name"),
    ExportColumn("surgery_at", CellKind.TIME, 17),
    ExportColumn("admission_at", CellKind.TIME, 17),
    ExportColumn("system_fpa", CellKind.TIME, 17),
    ExportColumn("initial_fpa", CellKind.TIME, 17),
    ExportColumn("initial_block", CellKind.BLOCK, of="ticket.initial_fpa"),
    ExportColumn("initial_overnight_stays", CellKind.NUMBER, 8),
    ExportColumn("current_fpa", CellKind.TIME, 17),
    ExportColumn("current_block", CellKind.BLOCK, of="ticket.current_fpa"),
    ExportColumn("overnight_stays", CellKind.NUMBER, 8),
    ExportColumn("bed_number", width=8),
    ExportColumn("location"),
    ExportColumn("episode_id"),
    ExportColumn("discharged_at", CellKind.TIME, 17),
    ExportColumn("annulled_at", CellKind.TIME, 17),
    ExportColumn("annulled_by"),
    ExportColumn("annulment_reason", width=24),
    ExportColumn("created_at", CellKind.TIME, 17),
    ExportColumn("created_by"),
    ExportColumn("modifications", CellKind.NUMBER, 6),
)
OF_MODIFICATION = (
    ExportColumn("at", CellKind.TIME, 17),
    ExportColumn("by"),
    ExportColumn("previous_fpa", CellKind.TIME, 17),
    ExportColumn("new_fpa", CellKind.TIME, 17),
    ExportColumn("reason", width=24),
    ExportColumn("justification", width=24),
)
AFTER = (ExportColumn("assumed", CellKind.FLAG, 9),)
"""What came later stands last: whoever reads a file by the places of its columns still can. New columns go here."""
COLUMNS = (
    *OF_TICKET,
    *(
        ExportColumn(f"modification_{number}_{column.name}", column.kind, column.width)
        for number in range(1, MODIFICATIONS + 1)
        for column in OF_MODIFICATION
    ),
    *AFTER,
)

READ = (*OF_TICKET, *AFTER)
"""What is read of a ticket, in this order."""
READ_BESIDE = ("clinic_id", "timezone", "modification_list")
"""What is read behind READ: `clinic_id` with `created_at` and `id` is the row's key, the last is JSON."""


def positions(*kinds: CellKind, columns: Sequence[ExportColumn] = COLUMNS) -> tuple[int, ...]:
    """Where the columns of these kinds stand among `columns`, from 0."""
    return tuple(at for at, column in enumerate(columns) if column.kind in kinds)


_BLOCKS_READ = positions(CellKind.BLOCK, columns=READ)
_TIMES_READ = positions(CellKind.TIME, columns=READ)
_TIMES_OF_MODIFICATION = positions(CellKind.TIME, columns=OF_MODIFICATION)
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
