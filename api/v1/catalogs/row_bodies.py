"""What a superuser sends of a catalog's row: made of the catalog's columns, within the bounds of a sheet's cells."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, create_model
from pydantic_core import PydanticCustomError

from api.requests.fields import Body, JsonId, number
from api.v1.catalogs.bodies import Change, Flag
from core.catalogs import columns
from core.catalogs.catalogs import Catalog
from core.catalogs.columns import Column
from core.rut import normal_rut

Examples = Sequence[dict[str, Any]]


class New(Body):
    clinic_id: JsonId = Field(description="Whose it is, for good.", examples=[5])

    def values(self) -> dict[str, Any]:
        return self.model_dump(exclude={"clinic_id"})


def new_body(catalog: Catalog, examples: Examples) -> type[New]:
    """`SurgeryIn`: every column, those that are not required with their default."""
    fields: dict[str, Any] = {column.field: (_type_of(column), _of_new(column)) for column in catalog.columns}
    name = f"{catalog.name.capitalize()}In"
    return create_model(name, __base__=New, __module__=__name__, __cls_kwargs__=_shown(examples), **fields)


def change_body(catalog: Catalog, examples: Examples) -> type[Change]:
    """`SurgeryChange`: columns that are absent stay as they are."""
    fields: dict[str, Any] = {column.field: (_type_of(column), _of_change(column)) for column in catalog.columns}
    name = f"{catalog.name.capitalize()}Change"
    return create_model(name, __base__=Change, __module__=__name__, __cls_kwargs__=_shown(examples), **fields)


def _shown(examples: Examples) -> dict[str, Any]:
    return {"json_schema_extra": {"examples": list(examples)}}


def _type_of(column: Column) -> Any:
    kept: Any = JsonId if column.refers_by else _of_kind(column)
    return kept | None if column.nullable else kept


def _of_kind(column: Column) -> Any:
    examples = None if column.example is None else [column.example]
    match column.holds:
        case columns.Text(most):
            return Annotated[str, Field(min_length=1, max_length=most, examples=examples)]
        case columns.Whole(least, most):
            # The bounds first: behind the check the contract would not show them.
            return Annotated[int, Field(ge=least, le=most, examples=examples), BeforeValidator(number)]
        case columns.Flag():
            return Flag
        case columns.Rut():
            about = Field(min_length=1, max_length=20, description=column.meaning, examples=examples)
            return Annotated[str, about, AfterValidator(checked_rut)]
        case columns.Word(meanings):
            return Literal[tuple(dict.fromkeys(meanings.values()))]


def _of_new(column: Column) -> Any:
    about = _about(column, column.meaning)
    return Field(**about) if column.required else Field(column.default, **about)


def _of_change(column: Column) -> Any:
    """A field that may not be null has no default in the contract: it is absent, or has a value."""
    meaning = column.meaning if column.meaning_of_change is None else column.meaning_of_change or None
    about = _about(column, meaning)
    return Field(None, **about) if column.nullable else Field(default_factory=str, **about)


def _about(column: Column, meaning: str | None) -> dict[str, Any]:
    """What the contract says beside the type, which tells its own example."""
    if isinstance(column.holds, columns.Rut):
        return {}
    return {"description": meaning} | ({"examples": [column.example]} if column.refers_by else {})


def checked_rut(text: str) -> str:
    normal = normal_rut(text)
    if normal is None:
        raise PydanticCustomError("invalid_rut", "This is no RUT, or its verifier digit is wrong")
    return normal
