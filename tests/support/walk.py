"""Which functions of ours one piece of work passes, in the order in which it first comes to each."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parents[2]
OURS = tuple(f"{ROOT / room}/" for room in ("api", "core"))


class Walk:
    """Functions as `core/sessions/token.py Tokens.digest`; a coroutine that goes on after an await is counted once."""

    def __init__(self, functions: list[str]) -> None:
        self.functions = functions

    def within(self, *rooms: str) -> "Walk":
        """Those whose file's path begins with one of `rooms`, such as `core/sessions/`."""
        return Walk([function for function in self.functions if function.startswith(rooms)])

    @property
    def modules(self) -> list[str]:
        return list(dict.fromkeys(function.partition(" ")[0] for function in self.functions))

    def __len__(self) -> int:
        return len(self.functions)

    def __str__(self) -> str:
        return "\n".join([f"{len(self)} functions in {len(self.modules)} modules:", *self.functions])


async def walk_of(work: Callable[[], Awaitable[object]]) -> Walk:
    """What runs beside it in this thread is counted too, so a caller looks at its own rooms alone."""
    passed: dict[str, None] = {}

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(OURS):
            passed.setdefault(f"{Path(code.co_filename).relative_to(ROOT)} {code.co_qualname}")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        await work()
    finally:
        sys.setprofile(before)
    return Walk(list(passed))
