"""compose.yaml as an engine reads it: variables put in, and what a service says in the shapes that are used here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

FILE: Final = Path(__file__).parents[1] / "compose.yaml"
VARIABLE: Final = re.compile(r"\$(?:\$|\{(\w+)(?::([?-])([^}]*))?\})")


class Missing(ValueError):
    """A variable that has to be given and is not; the message is its name."""


def read(given: Mapping[str, str], file: Path = FILE) -> dict[str, Any]:
    """The whole document, its variables replaced by what is `given`. Raises Missing."""
    document: dict[str, Any] = _replaced(yaml.safe_load(file.read_text()), given)
    return document


def _replaced(value: Any, given: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _replaced(each, given) for name, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each, given) for each in value]
    return VARIABLE.sub(lambda found: _value(found, given), value) if isinstance(value, str) else value


def _value(found: re.Match[str], given: Mapping[str, str]) -> str:
    name, kind, otherwise = found.groups()
    if name is None:
        return "$"
    if given.get(name):
        return given[name]
    if kind == "?":
        raise Missing(name)
    return str(otherwise or "")


@dataclass(frozen=True)
class Service:
    name: str
    said: Mapping[str, Any]

    @property
    def user(self) -> tuple[str, str] | None:
        """(user, group) by number; None: the image's."""
        user, _, group = self.said.get("user", "").partition(":")
        return (user, group) if user else None

    @property
    def environment(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.said.get("environment", {}).items()}

    @property
    def health(self) -> list[str]:
        """The command; empty: the image's."""
        return list(self.said.get("healthcheck", {}).get("test", [])[1:])

    @property
    def temporary(self) -> list[str]:
        """Folders that can be written to."""
        return [each.partition(":")[0] for each in self.said.get("tmpfs", [])]

    @property
    def volumes(self) -> list[tuple[str, str, bool]]:
        """(a file beside compose.yaml, with ./ before it, or a volume's name; where; whether it is only read)."""
        parts = [each.split(":") for each in self.said.get("volumes", [])]
        return [(source, target, "ro" in rest) for source, target, *rest in parts]

    @property
    def needs(self) -> dict[str, str]:
        """The condition of each service that has to be there before."""
        return {name: of["condition"] for name, of in self.said.get("depends_on", {}).items()}
