"""Our application for granian, which makes its factory's result in each worker and calls it without arguments."""

from fastapi import FastAPI

from api.server.application import application


def ours() -> FastAPI:
    """As a single worker of `ticket-home serve` has it."""
    return application(None)
