"""The contract, whatever time it takes."""

from tests.support.unhurried import unhurried

__all__ = ["unhurried"]
