"""Requests of the API: what they are answered, and not how soon."""

from tests.support.unhurried import unhurried

__all__ = ["unhurried"]
