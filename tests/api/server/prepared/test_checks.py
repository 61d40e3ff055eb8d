"""Whether it would be noticed: each check that a prepared hit makes is left out once."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from api.server.prepared import hit_protocol, said
from api.server.prepared.hit_protocol import HitProtocol
from api.server.prepared.hits import Hits
from core.sessions.store import Sessions
from tests.api.server.prepared.differing import differences
from tests.api.server.prepared.situations import Here

CHECKED = ((Hits, "_find"), (Hits, "_make"), (Sessions, "usable"), (HitProtocol, "_is_between"), (said, "said_by"))
ALIKE = frozenset({"len(segment) > LONGEST", "self.flow.write_paused", "self.transport.is_closing()"})
"""Without these the answer is the same; test_books.py says what they are for."""


class Without(ast.NodeTransformer):
    """A function without its n-th condition under which a request is left to the routes."""

    def __init__(self, number: int) -> None:
        self._left = number
        self.removed = ""

    def _is_removed(self, condition: ast.expr) -> bool:
        self._left -= 1
        if self._left == -1:
            self.removed = ast.unparse(condition)
        return self._left == -1

    def visit_If(self, node: ast.If) -> ast.AST:
        if ast.unparse(node.body[0]) != "return None":
            return self.generic_visit(node)
        kept = [one for one in conditions(node.test) if not self._is_removed(one)]
        if not kept:
            return ast.Pass()
        node.test = ast.BoolOp(ast.Or(), kept) if len(kept) > 1 else kept[0]
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        if isinstance(node.operand, ast.BoolOp):
            node.operand.values = [one for one in conditions(node.operand) if not self._is_removed(one)]
        return node


def conditions(test: ast.expr) -> list[ast.expr]:
    return list(test.values) if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or) else [test]


class Mutant(NamedTuple):
    owner: Any
    name: str
    removed: str
    function: Any


def mutants() -> Iterator[Mutant]:
    for owner, name in CHECKED:
        given: Any = inspect.getattr_static(owner, name)
        plain: Any = given.fget if isinstance(given, property) else given
        number = 0
        while True:
            without = Without(number)
            tree = without.visit(ast.parse(textwrap.dedent(inspect.getsource(plain))))
            if not without.removed:
                break
            tree.body[0].decorator_list = []
            made: dict[str, Any] = {}
            exec(compile(ast.fix_missing_locations(tree), name, "exec"), plain.__globals__, made)  # noqa: S102
            function = property(made[name]) if isinstance(given, property) else made[name]
            if without.removed not in ALIKE:
                yield Mutant(owner, name, without.removed, function)
            number += 1


MUTANTS = {f"{mutant.name} without {mutant.removed}": mutant for mutant in mutants()}


@pytest.mark.long
@pytest.mark.parametrize("name", MUTANTS)
async def test_a_check_that_is_left_out_is_noticed(here: Here, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant = MUTANTS[name]
    monkeypatch.setattr(hit_protocol if mutant.owner is said else mutant.owner, mutant.name, mutant.function)
    async for _ in differences(here):
        return
    pytest.fail("nothing differs")


def test_the_checks_are_found() -> None:
    found = {mutant.removed for mutant in MUTANTS.values()}
    assert found >= {
        "not versions.is_fresh_at(moment)",
        "not self._sessions.is_current(session)",
        "self._direct.behind(required)",
        "held.copy is not copy",
        "now >= copy.expires_at",
        "held.is_idle(now)",
        "entry is None",
        "self.is_draining",
        "role is ROUTED",
    }
