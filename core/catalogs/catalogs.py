"""The catalogs that a superuser keeps for each clinic, each described once.

From a description come its list and its order (listing.py), its changes and what the audit calls them (create.py,
change.py, references.py), its routes (api/v1/catalogs/) and the sheet that it is imported from
(core/catalogs/imports/).
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from core.cache.policy import Policy, shape_of
from core.catalogs.columns import Column, Flag, Rut, Text, Whole, Word
from core.catalogs.models import Doctor, Specialty, StandardizedReason, Surgery
from core.catalogs.views import (
    DoctorItem,
    DoctorList,
    ReasonItem,
    ReasonList,
    SpecialtyItem,
    SpecialtyList,
    SurgeryItem,
    SurgeryList,
)

TTL = 3600.0
"""Seconds."""
CODE_VERSION = 2
"""Raised with what a list means: its order, too."""


@dataclass(frozen=True, eq=False)
class Catalog:
    """The whole description of a catalog: routes, views, audit, cache and import are made of it."""

    name: str
    """Of one row: `surgery.created` in the audit, `surgery_id` in a path."""
    plural: str
    """Of the list: its path, its policy in the cache, its sheet in a file."""
    table: Any
    item: Any
    """What clients see of a row: its fields are columns of `table`, and `answer.items` has them."""
    answer: Any
    columns: tuple[Column, ...]
    """What people write. The first is the text by which rows are listed, in Spanish order."""
    told_apart_by: tuple[str, ...] = ()
    """No two rows of a clinic are alike in these, the text of the first folded (core/text.py)."""
    also: tuple[str, ...] = ()
    """What a sheet may be called instead: in lower case, without accents."""
    telling: frozenset[str] = frozenset()
    """Columns by which a file without a name is known, for no catalog after this one has them."""

    @property
    def title(self) -> Any:
        """The text by which rows are listed."""
        return getattr(self.table, self.columns[0].name)

    @property
    def shown(self) -> list[Any]:
        """The columns of `item`."""
        return [getattr(self.table, name) for name in self.item.model_fields]

    @property
    def has_specialty(self) -> bool:
        return any(column.refers_by == "specialty_id" for column in self.columns)

    @cached_property
    def policy(self) -> Policy:
        return Policy(self.plural, TTL, shape_of(self.answer, CODE_VERSION), topics=("catalogs",))


_ACTIVE = Column("is_active", Flag(), default=True, also=("active", "activo", "activa"))
_OF_SPECIALTY = Column(
    "specialty",
    Text(120),
    also=("especialidad",),
    refers_by="specialty_id",
    example=2,
    meaning="An active one of the clinic.",
)
_CATEGORY = Word(
    {
        "modification": "modification",
        "modificacion": "modification",
        "annulment": "annulment",
        "anulacion": "annulment",
        "delay": "delay",
        "demora": "delay",
    }
)

SPECIALTIES = Catalog(
    name="specialty",
    plural="specialties",
    table=Specialty,
    item=SpecialtyItem,
    answer=SpecialtyList,
    columns=(Column("name", Text(120), required=True, also=("nombre",), example="Traumatología"), _ACTIVE),
    told_apart_by=("name",),
    also=("specialty", "especialidades"),
)
SURGERIES = Catalog(
    name="surgery",
    plural="surgeries",
    table=Surgery,
    item=SurgeryItem,
    answer=SurgeryList,
    columns=(
        Column("name", Text(200), required=True, also=("nombre", "cirugia"), example="Artroscopía de rodilla"),
        replace(_OF_SPECIALTY, required=True),
        Column(
            "base_stay_hours",
            Whole(1, 2160),
            required=True,
            also=("hours", "horas", "horas_base"),
            example=24,
            meaning="Elapsed hours from admission to the FPA.",
            meaning_of_change="Of tickets made from now on.",
        ),
        Column("applies_ticket_home", Flag(), default=True, also=("aplica_ticket_home", "aplica")),
        Column("is_ambulatory", Flag(), default=False, also=("ambulatory", "ambulatoria", "ambulatorio")),
        Column("ambulatory_cutoff_hour", Whole(0, 23), nullable=True, also=("cutoff_hour", "hora_corte"), example=16),
        _ACTIVE,
    ),
    told_apart_by=("name",),
    also=("surgery", "cirugias"),
    telling=frozenset({"base_stay_hours"}),
)
DOCTORS = Catalog(
    name="doctor",
    plural="doctors",
    table=Doctor,
    item=DoctorItem,
    answer=DoctorList,
    columns=(
        Column("name", Text(200), required=True, also=("nombre", "medico"), example="Dra. Marcela Soto Vergara"),
        replace(_OF_SPECIALTY, nullable=True),
        Column(
            "rut",
            Rut(),
            nullable=True,
            is_unique=True,
            example="12.345.678-5",
            meaning="With or without dots; its verifier digit is checked.",
        ),
        _ACTIVE,
    ),
    also=("doctor", "medicos", "doctores"),
    telling=frozenset({"rut", "specialty"}),
)
REASONS = Catalog(
    name="reason",
    plural="reasons",
    table=StandardizedReason,
    item=ReasonItem,
    answer=ReasonList,
    columns=(
        Column("reason", Text(500), required=True, also=("motivo",), example="Dolor no controlado"),
        Column(
            "category",
            _CATEGORY,
            required=True,
            also=("categoria",),
            meaning="`delay`: why somebody is still here. `initial` is kept for imported data.",
            meaning_of_change="",
        ),
        _ACTIVE,
    ),
    told_apart_by=("reason", "category"),
    also=("reason", "motivos", "razones"),
    telling=frozenset({"reason", "category"}),
)
CATALOGS = (SPECIALTIES, SURGERIES, DOCTORS, REASONS)
"""In the order in which they refer to each other."""
