"""The routers of the API's first version."""

from fastapi import APIRouter

from api.v1.admin.routes import router as admin
from api.v1.audit.routes import router as audit
from api.v1.auth.display_routes import router as displays
from api.v1.auth.routes import router as auth
from api.v1.auth.session_routes import router as own_sessions
from api.v1.auth.single_sign_on_routes import router as single_sign_on
from api.v1.catalogs.block_routes import router as blocks
from api.v1.catalogs.clinic_routes import router as clinics
from api.v1.catalogs.routes import CATALOG_ROUTERS
from api.v1.catalogs.threshold_routes import router as thresholds
from api.v1.dashboard.routes import router as dashboard
from api.v1.events.routes import router as events
from api.v1.exports.routes import router as exports
from api.v1.fpa.routes import router as fpa
from api.v1.imports.routes import router as imports
from api.v1.nursing_board.routes import router as nursing_board
from api.v1.patients.routes import router as patients
from api.v1.tickets.assumed_routes import router as assumed_discharges
from api.v1.tickets.flow_routes import router as ticket_flow
from api.v1.tickets.list_routes import router as ticket_list
from api.v1.tickets.pdf_routes import router as ticket_pdf
from api.v1.tickets.routes import router as tickets
from api.v1.tickets.stay_routes import router as ticket_stays
from api.v1.users.routes import router as users

ROUTERS: tuple[APIRouter, ...] = (
    auth,
    single_sign_on,
    displays,
    own_sessions,
    dashboard,
    clinics,
    *CATALOG_ROUTERS,
    thresholds,
    imports,
    blocks,
    nursing_board,
    ticket_list,
    assumed_discharges,
    exports,
    events,
    tickets,
    ticket_stays,
    ticket_flow,
    ticket_pdf,
    fpa,
    patients,
    users,
    audit,
    admin,
)
