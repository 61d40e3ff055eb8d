"""Patients: what is found and kept, and not how soon."""

from tests.support.unhurried import unhurried

__all__ = ["unhurried"]
