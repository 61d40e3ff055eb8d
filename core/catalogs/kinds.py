"""The catalogs that a superuser keeps: what each is called in the audit, its rows, and what clients see of them."""

from dataclasses import dataclass
from typing import Any

from core.catalogs.models import Doctor, Specialty, StandardizedReason, Surgery
from core.catalogs.views import DoctorItem, ReasonItem, SpecialtyItem, SurgeryItem


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    """As in `surgery.created`."""
    table: Any
    item: Any

    @property
    def columns(self) -> list[Any]:
        return [getattr(self.table, name) for name in self.item.model_fields]


SPECIALTY = Kind("specialty", Specialty, SpecialtyItem)
SURGERY = Kind("surgery", Surgery, SurgeryItem)
DOCTOR = Kind("doctor", Doctor, DoctorItem)
REASON = Kind("reason", StandardizedReason, ReasonItem)
