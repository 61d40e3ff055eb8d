"""Users and their passwords: what is kept and refused, and not how soon."""

from tests.support.unhurried import unhurried

__all__ = ["unhurried"]
