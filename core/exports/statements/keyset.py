"""Statements of SQLAlchemy's as the exporting process runs them, which has no SQLAlchemy."""

from collections.abc import Sequence
from enum import Enum
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Integer, Select, bindparam, tuple_
from sqlalchemy.dialects.postgresql import asyncpg

from core.exports.job import Batches

DIALECT = asyncpg.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own form
_LIMIT: BindParameter[int] = bindparam("batch_limit", type_=Integer)


def one_batch(rows: Select[Any], keys: Sequence[ColumnElement[Any]]) -> Select[Any]:
    """The next batch of `rows` after given keys, in the order of `keys`, which together are unique and never null. For
    `prepared`."""
    after = [bindparam(name, type_=key.type) for name, key in zip(_names(len(keys)), keys, strict=True)]
    here, there = (tuple_(*keys), tuple_(*after)) if len(keys) > 1 else (keys[0], after[0])
    return rows.where(here > there).order_by(*keys).limit(_LIMIT)


def prepared(statement: Select[Any], start: Sequence[object], key_positions: Sequence[int]) -> Batches:
    """`statement`, which has a `one_batch` in it and the same order, as the exporting process runs it.

    `start`: keys before those of every row. `key_positions`: where the keys are among the statement's columns.
    """
    compiled = statement.compile(dialect=DIALECT)
    names: list[str] = list(compiled.positiontup or [])
    return Batches(
        sql=str(compiled),
        arguments=tuple(_plain(compiled.params[name]) for name in names),
        after=tuple(names.index(name) for name in _names(len(start))),
        start=tuple(start),
        limit=names.index(_LIMIT.key),
        keys=tuple(key_positions),
    )


def _names(number: int) -> list[str]:
    return [f"after_{n}" for n in range(number)]


def _plain(value: object) -> object:
    """Of a type that the other process knows."""
    return value.value if isinstance(value, Enum) else value
