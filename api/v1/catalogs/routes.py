"""The catalogs that forms choose from, each one cached per clinic until a row of it changes."""

from typing import Annotated

from fastapi import Query

from api.requests.fields import Id
from api.requests.routing import Router
from api.v1.catalogs.catalog_routes import Words, catalog_router
from core.cache.keys import Parameters
from core.catalogs.catalogs import DOCTORS, REASONS, SPECIALTIES, SURGERIES
from core.catalogs.views import Category

specialties = catalog_router(
    SPECIALTIES,
    Words(
        listed="Specialties",
        new="A new specialty of a clinic",
        changed="Change a specialty, or take it out of use",
        taken="The clinic has a specialty of this name.",
        taken_by_another="The clinic has another specialty of this name.",
    ),
    row_id=2,
    new=[{"clinic_id": 5, "name": "Traumatología"}],
    changes=[{"name": "Traumatología"}, {"is_active": False}],
)


async def _of_a_specialty(
    specialty_id: Annotated[Id | None, Query(description="Those of this specialty; 404 where it is no such.")] = None,
) -> Parameters:
    return {"specialty_id": specialty_id}


surgeries = catalog_router(
    SURGERIES,
    Words(
        listed="Surgeries, of one specialty or of all",
        new="A new surgery of a clinic",
        changed="Change a surgery, or take it out of use",
        taken="The clinic has a surgery of this name.",
        taken_by_another="The clinic has another surgery of this name.",
    ),
    row_id=3,
    new=[
        {"clinic_id": 5, "name": "Artroscopía de rodilla", "specialty_id": 2, "base_stay_hours": 24},
        {
            "clinic_id": 5,
            "name": "Extracción de catarata",
            "specialty_id": 4,
            "base_stay_hours": 6,
            "is_ambulatory": True,
            "ambulatory_cutoff_hour": 16,
        },
    ],
    changes=[{"base_stay_hours": 36}, {"is_active": False}],
    filters=_of_a_specialty,
)

doctors = catalog_router(
    DOCTORS,
    Words(
        listed="Doctors",
        new="A new doctor of a clinic",
        of_new="Two may have one name, but not one RUT.",
        changed="Change a doctor, or take one out of use",
        taken="A doctor of the clinic has this RUT.",
        taken_by_another="Another doctor of the clinic has this RUT.",
    ),
    row_id=7,
    new=[{"clinic_id": 5, "name": "Dra. Marcela Soto Vergara", "specialty_id": 2, "rut": "12.345.678-5"}],
    changes=[{"specialty_id": None}, {"is_active": False}],
)


async def _of_a_category(category: Annotated[Category | None, Query()] = None) -> Parameters:
    return {"category": category}


reasons = catalog_router(
    REASONS,
    Words(
        listed="Standardized reasons, of one category or of all",
        new="A new standardized reason of a clinic",
        changed="Change a standardized reason, or take it out of use",
        taken="The clinic has this reason in this category.",
        taken_by_another="The clinic has another such reason in this category.",
    ),
    row_id=9,
    new=[{"clinic_id": 5, "reason": "Dolor no controlado", "category": "modification"}],
    changes=[{"reason": "Dolor"}, {"is_active": False}],
    filters=_of_a_category,
)

CATALOG_ROUTERS: tuple[Router, ...] = (specialties, surgeries, doctors, reasons)
