"""The routers of the API's first version."""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()
