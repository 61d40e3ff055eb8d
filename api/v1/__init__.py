"""The routers of the API's first version."""

from fastapi import APIRouter

from api.v1.auth.routes import router as auth
from api.v1.fpa.routes import router as fpa
from api.v1.tickets.routes import router as tickets

ROUTERS: tuple[APIRouter, ...] = (auth, tickets, fpa)
