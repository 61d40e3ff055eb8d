"""Every table, imported once: for migrations, and for whoever needs the whole metadata."""

from core.audit import models as audit
from core.cache.versions import models as cache
from core.canary import models as canary
from core.catalogs import models as catalogs
from core.clinics import models as clinics
from core.dashboard import models as dashboard
from core.db.base import Base
from core.operations.imports import models as imports
from core.patients import models as patients
from core.sessions import models as sessions
from core.tickets import models as tickets
from core.users import models as users

__all__ = [
    "audit",
    "cache",
    "canary",
    "catalogs",
    "clinics",
    "dashboard",
    "imports",
    "metadata",
    "patients",
    "sessions",
    "tickets",
    "users",
]

metadata = Base.metadata
