"""The board's queries: what they find, and not how soon."""

from tests.support.unhurried import unhurried

__all__ = ["unhurried"]
