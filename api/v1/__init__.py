"""The routers of the API's first version."""

from fastapi import APIRouter

from api.v1.auth.routes import router as auth

ROUTERS: tuple[APIRouter, ...] = (auth,)
