"""The columns of a ticket's row, in xlsx and in csv: what they are called and how they are read."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
    """How a value is written in a cell."""

    TEXT = auto()
    NUMBER = auto()
    FLAG = auto()
    TIME = auto()
    """Clinic-local."""
    BLOCK = auto()
    """Read as the FPA, written as `11:00 - 13:00`."""


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """One column of the tickets' exports, in whichever format."""

    name: str
    title: str
    """Its name in Spanish."""
    kind: CellKind = CellKind.TEXT
    width: int = 14
    """Characters, in a spreadsheet."""
    of: str | None = None
    """`patient.verified`: which column of which table it reads. None: the ticket's of that name, unless
    `statements.tickets` has an expression for it."""
    wraps: bool = False
    """Whether a spreadsheet breaks it into lines where the column ends."""
    behind: str | None = None
    """Of one that came later: the column behind which it stands for people, who read Spanish."""


OF_TICKET = (
    ExportColumn("id", "Ticket", width=22),
    ExportColumn("clinic", "Clínica", width=7, of="clinic.prefix"),
    ExportColumn("status", "Estado", width=11),
    ExportColumn("state", "Situación", width=11),
    ExportColumn("document_type", "Tipo de documento", width=11, of="patient.document_type"),
    ExportColumn("document", "Documento"),
    ExportColumn("document_verified", "Documento verificado", CellKind.FLAG, 11, of="patient.verified"),
    ExportColumn("first_name", "Primer nombre", of="patient.first_name"),
    ExportColumn("middle_name", "Segundo nombre", of="patient.middle_name"),
    ExportColumn("last_name", "Apellido paterno", of="patient.last_name"),
    ExportColumn("second_last_name", "Apellido materno", of="patient.second_last_name"),
    ExportColumn("age", "Edad", CellKind.NUMBER, 5, of="patient.age"),
    ExportColumn("sex", "Sexo", width=5, of="patient.sex"),
    ExportColumn("surgery", "Cirugía", width=34, of="ticket.surgery_name"),
    ExportColumn("base_stay_hours", "Horas de estadía base", CellKind.NUMBER, 8, of="ticket.surgery_base_hours"),
    ExportColumn("doctor", "Médico", width=24, of="doctor.name"),
    ExportColumn("surgery_at", "Fecha de cirugía", CellKind.TIME, 17),
    ExportColumn("admission_at", "Ingreso", CellKind.TIME, 17),
    ExportColumn("system_fpa", "FPA del sistema", CellKind.TIME, 17),
    ExportColumn("initial_fpa", "FPA inicial", CellKind.TIME, 17),
    ExportColumn("initial_block", "Bloque inicial", CellKind.BLOCK, of="ticket.initial_fpa"),
    ExportColumn("initial_overnight_stays", "Noches iniciales", CellKind.NUMBER, 9),
    ExportColumn("current_fpa", "FPA actual", CellKind.TIME, 17),
    ExportColumn("current_block", "Bloque actual", CellKind.BLOCK, of="ticket.current_fpa"),
    ExportColumn("overnight_stays", "Noches", CellKind.NUMBER, 8),
    ExportColumn("bed_number", "Cama", width=8),
    ExportColumn("location", "Ubicación"),
    ExportColumn("episode_id", "Episodio"),
    ExportColumn("discharged_at", "Alta", CellKind.TIME, 17),
    ExportColumn("annulled_at", "Anulado el", CellKind.TIME, 17),
    ExportColumn("annulled_by", "Anulado por"),
    ExportColumn("annulment_reason", "Motivo de anulación", width=24),
    ExportColumn("created_at", "Creado el", CellKind.TIME, 17),
    ExportColumn("created_by", "Creado por"),
    ExportColumn("modifications", "Modificaciones", CellKind.NUMBER, 14),
)
OF_MODIFICATION = (
    ExportColumn("at", "fecha", CellKind.TIME, 17),
    ExportColumn("by", "usuario"),
    ExportColumn("previous_fpa", "FPA anterior", CellKind.TIME, 17),
    ExportColumn("new_fpa", "FPA nueva", CellKind.TIME, 17),
    ExportColumn("reason", "motivo", width=24),
    ExportColumn("justification", "justificación", width=24),
)
ASSUMED = ExportColumn("assumed", "Alta supuesta", CellKind.FLAG, 9, behind="discharged_at")
AFTER = (
    ExportColumn("specialty", "Especialidad", width=20, of="specialty.name", behind="surgery"),
    ExportColumn("ready_at", "Listo para el alta desde", CellKind.TIME, 17, behind="episode_id"),
    ExportColumn("ready_by", "Listo según", behind="ready_at"),
    ExportColumn("delays", "Demoras", width=48, wraps=True, behind="ready_by"),
    ExportColumn("delay_minutes", "Minutos de cada demora", width=16, wraps=True, behind="delays"),
)
"""What came later stands last: whoever reads a file by the places of its columns still can. New columns go here."""


def _of_modification(number: int, column: ExportColumn) -> ExportColumn:
    return replace(
        column, name=f"modification_{number}_{column.name}", title=f"Modificación {number}: {column.title}", of=None
    )


_NUMBERS = range(1, MODIFICATIONS + 1)
_BLOCK = ExportColumn("block", "bloque", CellKind.BLOCK)
BLOCKS = tuple(replace(_of_modification(n, _BLOCK), behind=f"modification_{n}_new_fpa") for n in _NUMBERS)
"""Of each modification's new FPA."""
COLUMNS = (
    *OF_TICKET,
    *(_of_modification(number, column) for number in _NUMBERS for column in OF_MODIFICATION),
    ASSUMED,
    *BLOCKS,
    *AFTER,
)

READ = (*OF_TICKET, ASSUMED, *AFTER)
"""What is read of a ticket, in this order."""
READ_BESIDE = ("clinic_id", "timezone", "modification_list")
"""What is read behind READ: `clinic_id` with `created_at` and `id` is the row's key, the last is JSON."""


def positions(*kinds: CellKind, columns: Sequence[ExportColumn] = COLUMNS) -> tuple[int, ...]:
    """Where the columns of these kinds stand among `columns`, from 0."""
    return tuple(at for at, column in enumerate(columns) if column.kind in kinds)


_BLOCKS_READ = positions(CellKind.BLOCK, columns=READ)
_TIMES_READ = positions(CellKind.TIME, columns=READ)
_TIMES_OF_MODIFICATION = positions(CellKind.TIME, columns=OF_MODIFICATION)
_NEW_FPA = [column.name for column in OF_MODIFICATION].index("new_fpa")
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
    blocks: list[str | None] = []
    for one in modified:
        for at in _TIMES_OF_MODIFICATION:
            one[at] = in_zone(datetime.fromisoformat(one[at]), local).replace(microsecond=0)
        blocks.append(block_of(one[_NEW_FPA], local).label)
        row += one
    for _ in range(MODIFICATIONS - len(modified)):
        row += _NONE
        blocks.append(None)
    assumed, *after = read[len(OF_TICKET) :]
    return [*row, assumed, *blocks, *after]
