"""A test module is run, and imported by nobody: what several need has a home in tests/support or beside them."""

import ast
from collections.abc import Iterator

import pytest

from tests.support.processes.commands import ROOT


def imported(source: str) -> Iterator[str]:
    """Every module, and every name of one, that the source imports: `from a import b` is both a and a.b."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield module
            yield from (f"{module}.{one.name}" for one in node.names)


def those_of_tests(names: Iterator[str]) -> set[str]:
    return {name for name in names if any(part.startswith("test_") for part in name.split("."))}


@pytest.mark.parametrize(
    "line",
    [
        "from tests.faults.redis.test_redis import NOTHING_SLOWER",
        "from tests.faults import test_redis",
        "import tests.faults.redis.test_redis as others",
        "from .test_redis import kill",
    ],
)
def test_each_way_to_import_a_test_module_is_seen(line: str) -> None:
    assert those_of_tests(imported(line))


def test_no_test_module_is_imported() -> None:
    found = {
        f"{path.relative_to(ROOT)} imports {name}"
        for folder in ("tests", "bench", ".ci")
        for path in (ROOT / folder).rglob("*.py")
        for name in those_of_tests(imported(path.read_text()))
    }
    assert not found
