"""What every demo clinic offers: specialties, surgeries, doctors' number, reasons, places."""

from typing import NamedTuple


class SurgeryKind(NamedTuple):
    """`share` is its relative frequency, `ages` those of its patients; `sex` None: anybody's."""

    name: str
    hours: int
    share: int
    ages: tuple[int, int]
    sex: str | None = None
    cutoff: int | None = None
    """Of an ambulatory one: the local hour from which the patient stays the night."""
    applies: bool = True
    is_active: bool = True


SPECIALTIES: dict[str, tuple[SurgeryKind, ...]] = {
    "Cirugía General": (
        SurgeryKind("Colecistectomía laparoscópica", 24, 12, (20, 80)),
        SurgeryKind("Apendicectomía laparoscópica", 48, 8, (8, 60)),
        SurgeryKind("Hernioplastía inguinal", 12, 7, (18, 85), cutoff=15),
        SurgeryKind("Manga gástrica laparoscópica", 48, 5, (20, 60)),
        SurgeryKind("Tiroidectomía total", 48, 3, (25, 75)),
        SurgeryKind("Hemorroidectomía", 24, 2, (25, 70)),
        SurgeryKind("Colectomía laparoscópica", 120, 2, (40, 88)),
        SurgeryKind("Colecistectomía abierta", 96, 0, (30, 85), is_active=False),
    ),
    "Traumatología y Ortopedia": (
        SurgeryKind("Artroscopía de rodilla", 12, 7, (16, 65), cutoff=16),
        SurgeryKind("Reconstrucción de ligamento cruzado anterior", 24, 5, (16, 50)),
        SurgeryKind("Artroplastía total de cadera", 72, 4, (50, 88)),
        SurgeryKind("Artroplastía total de rodilla", 72, 4, (50, 85)),
        SurgeryKind("Osteosíntesis de tobillo", 48, 4, (16, 80)),
        SurgeryKind("Liberación del túnel carpiano", 6, 3, (30, 75), cutoff=17),
        SurgeryKind("Corrección de hallux valgus", 24, 3, (25, 75)),
    ),
    "Ginecología y Obstetricia": (
        SurgeryKind("Cesárea", 72, 9, (18, 44), "F"),
        SurgeryKind("Histerectomía total laparoscópica", 48, 4, (35, 70), "F"),
        SurgeryKind("Quistectomía ovárica laparoscópica", 24, 2, (18, 50), "F"),
        SurgeryKind("Legrado uterino", 8, 2, (18, 50), "F", cutoff=16),
    ),
    "Urología": (
        SurgeryKind("Prostatectomía radical", 72, 2, (50, 78), "M"),
        SurgeryKind("Resección transuretral de próstata", 48, 3, (55, 88), "M"),
        SurgeryKind("Ureterolitotomía endoscópica", 24, 4, (20, 75)),
        SurgeryKind("Circuncisión", 6, 2, (4, 40), "M", cutoff=17),
    ),
    "Otorrinolaringología": (
        SurgeryKind("Amigdalectomía", 24, 5, (3, 35)),
        SurgeryKind("Septoplastía", 24, 4, (18, 60)),
        SurgeryKind("Timpanoplastía", 24, 1, (10, 65)),
    ),
    "Oftalmología": (
        SurgeryKind("Facoemulsificación de catarata", 4, 4, (50, 90), cutoff=18, applies=False),
        SurgeryKind("Vitrectomía posterior", 12, 1, (40, 85), cutoff=16),
    ),
    "Neurocirugía": (
        SurgeryKind("Discectomía lumbar", 48, 3, (25, 70)),
        SurgeryKind("Craneotomía por tumor", 168, 1, (25, 80)),
    ),
}

DOCTORS_PER_SPECIALTY = 3

MODIFICATION_REASONS = (
    "Dolor no controlado",
    "Fiebre en observación",
    "Náuseas o vómitos postoperatorios",
    "Exámenes de control pendientes",
    "Drenaje con débito elevado",
    "Evolución favorable: alta anticipada",
    "Espera de evaluación por especialista",
    "Falta de red de apoyo en domicilio",
    "Espera de traslado",
    "Trámite administrativo pendiente",
)
ANNULMENT_REASONS = (
    "Cirugía suspendida por el paciente",
    "Cirugía suspendida por causa médica",
    "Error de ingreso",
    "Paciente derivado a otro centro",
    "Falta de pabellón",
)
RETIRED_REASON = "Motivo sin clasificar"
"""Inactive in every clinic: history still names it."""

JUSTIFICATIONS = (
    "Paciente refiere dolor EVA 6, se ajusta analgesia.",
    "Temperatura de 38,1 °C a las 06:00; se toman cultivos.",
    "Se espera control de hemograma de mañana.",
    "Tolera régimen y deambula; médico tratante autoriza.",
    "Familiar confirma retiro después del trabajo.",
    "Evaluación de kinesiología pendiente.",
)

WARDS = (
    "Cirugía 2° piso",
    "Cirugía 3° piso",
    "Médico-quirúrgico 4° piso",
    "Médico-quirúrgico 5° piso",
    "UTI quirúrgica",
    "Maternidad",
)
MATERNITY = len(WARDS) - 1
"""Women's operations; all others are anywhere before it."""
AMBULATORY_WARD = "Cirugía mayor ambulatoria"
