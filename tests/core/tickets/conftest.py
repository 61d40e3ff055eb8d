"""Tickets: what is written and found, and not how soon."""

from tests.support.unhurried import unhurried

__all__ = ["unhurried"]
