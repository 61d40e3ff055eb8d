"""Every oddity that docs/design/legacy.md names, at once, beside a second clinic."""

from tests.core.operations.imports.conftest import Hospital, at
from tests.core.operations.imports.legacy.old_database import SCRYPT


async def fill(hospital: Hospital) -> None:
    await _people(hospital)
    await _catalogs(hospital)
    await _tickets(hospital)
    await _audits(hospital)


async def _people(hospital: Hospital) -> None:
    add, clinic = hospital.old.add, hospital.clinic
    usual = {"password": SCRYPT, "is_active": True, "created_at": at("2024-01-01 00:00"), "clinic_id": clinic}
    await add("user", **usual, username="Ana", email="ANA@example.org", role="ADMIN")
    await add("user", **usual, username="benito", email="not an email", role="Visualizador")
    await add("user", **usual, username="carla@example.org", email=None, role="medico")
    await add("user", **(usual | {"clinic_id": None}), username="root", email="Root@example.org", role="admin")
    await add("user", **(usual | {"clinic_id": None}), username="lost", email="lost@example.org", role="clinical")
    await add("user", **usual, username="super", email="super@example.org", role="SuperUsuario")
    await add("user", **(usual | {"password": None, "created_at": None}), username="diego", email="", role="clinical")
    await add("superuser", email="root@EXAMPLE.org")
    await add("superuser", email="nobody@example.org")
    await add("patient", rut="12345678-5", primer_nombre="Ana María", apellido_paterno="Rojas", clinic_id=clinic)
    await add("patient", rut="00000001-K", primer_nombre="Invented", apellido_paterno="Person", age=200, sex="Otro",
              clinic_id=clinic, episode_id="E-lost")  # fmt: skip
    await add("patient", rut=None, primer_nombre="", apellido_paterno="x" * 100, sex="Masculino", clinic_id=clinic)


async def _catalogs(hospital: Hospital) -> None:
    add, clinic = hospital.old.add, hospital.clinic
    other = await add("clinic", name="Clínica RedSalud Magallanes", is_active=True)
    await add("specialty", name="CIRUGÍA GENERAL", is_active=True, clinic_id=clinic)
    await add("specialty", name="Urología", is_active=True, clinic_id=None)
    await add("surgery", name="apendicectomía", base_stay_hours=48, specialty_id=hospital.specialty, clinic_id=clinic)
    await add("surgery", name="Endless", base_stay_hours=9999, specialty_id=None, is_active=True, clinic_id=other)
    await add("doctor", name="Dr. Ñandú", specialty="Cirugia General", rut="1-1", is_active=True, clinic_id=clinic)
    await add("standardized_reason", reason="Dolor", category="Modificación", is_active=True, clinic_id=clinic)
    await add("standardized_reason", reason="DOLOR", category="modification", is_active=True, clinic_id=clinic)
    await add("standardized_reason", reason="Otro", category="?", is_active=True, clinic_id=clinic)
    hours = {"red_threshold_hours": 1, "yellow_threshold_hours": 3, "green_threshold_hours": 6}
    await add("urgency_threshold", clinic_id=clinic, **hours)
    await add("urgency_threshold", clinic_id=other, **(hours | {"red_threshold_hours": 5}))


async def _tickets(hospital: Hospital) -> None:
    add, ticket = hospital.old.add, hospital.ticket
    await ticket("TH-SANT-2025-001")
    await ticket("TH-SANT-2025-1000", patient_id=None, surgery_id=None, doctor_id=None, created_by=None)
    await ticket("TH-SANT-2025-999", status="Anulado", annulled_reason="Error de ingreso")
    await ticket("th-sant-2025-002", created_at=None, current_fpa=None, overnight_stays=7)
    await ticket("ticket 5", status="?", location="x" * 60, initial_reason="Dolor", initial_justification="EVA 6")
    await ticket("TH-SANT-2025-0001")
    await ticket("TH-SANT-2025-003", pavilion_end_time=None, initial_fpa=None, current_fpa=None,
                 system_calculated_fpa=None)  # fmt: skip
    # Somebody else's clinic: the person is a patient there, too.
    [magallanes] = await hospital.old.connection.fetch("SELECT id FROM clinic WHERE name LIKE '%Magallanes'")
    await ticket("TH-MAGA-2025-001", clinic_id=magallanes["id"])
    change = {"new_fpa": at("2025-01-17 10:00"), "reason": "dolor", "modified_at": at("2025-01-16 10:00")}
    await add("fpa_modification", ticket_id="TH-SANT-2025-001", **change, previous_fpa=at("2025-01-17 10:00"))
    await add("fpa_modification", ticket_id="TH-SANT-2025-003", **change)
    await add("fpa_modification", ticket_id="ticket 5", **(change | {"new_fpa": None}))


async def _audits(hospital: Hospital) -> None:
    add, clinic = hospital.old.add, hospital.clinic
    when = at("2025-01-15 12:00")
    for ip in ("10.0.0.1", None):
        await add("login_audit", user_id=1, username="ana", clinic_id=clinic, timestamp=when, ip_address=ip)
    for target_type, target_id in (("Ticket", "TH-SANT-2025-001"), ("User", "1"), ("Parking", "7"), (None, None)):
        await add("action_audit", user_id=1, username="ana", clinic_id=clinic, timestamp=when, action="x",
                  target_type=target_type, target_id=target_id)  # fmt: skip
    await add("action_audit", username=None, timestamp=None, action=None)
