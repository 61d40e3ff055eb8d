"""Whether a history can be: each read must equal the database's state at some instant in its allowance.

    python -m tests.faults.chaos.history.checker HISTORY

The allowance reaches from (its start - bound) to its end. The bound is 0 for who asks the process that wrote and for
who sends that write's `Cache-Version`, 2 s for anybody else. An answer labelled stale is exempt, but not from telling
its age.

And there is progress: a process that nobody stopped answers, and who follows its events is told of every change.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.chaos.history.history import Event, Fault, Read, Restore, Silence, Untold, Write, load
from tests.faults.chaos.registers import ABSENT

BOUND = 2.0
SETTLED = 3.0
"""Seconds after which a write of unknown outcome has happened or never will: more than any budget of the service."""
AGE_SLACK = 1.0
"""`Age` is whole seconds."""
HONEST = {"503", "connection"}
"""Errors that a fault may cause. Whether it may at all is the caller's to say: see `Verdict.errors`."""
IN_A_RESTORE = {"401", "403", "404", "500", "write 401", "write 403", "write 404", "write 409", "write 500"}
"""And those that are the truth while tables are emptied, dropped and filled again, and a moment longer."""
QUIET = "none"


@dataclass(frozen=True, slots=True)
class State:
    """A word was the register's from some moment after `since` until some moment before `until`."""

    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Violation:
    read: Read | Silence | Untold
    why: str

    def __str__(self) -> str:
        read = self.read
        if isinstance(read, Silence):
            return f"process {read.process}, at {read.began:.4f}: {self.why}"
        if isinstance(read, Untold):
            return f"{read.register}, events of process {read.process}, at {read.began:.4f}: {self.why}"
        return (
            f"{read.register}, process {read.process}, {read.kind} read, {read.outcome}, at {read.sent:.4f}:"
            f" {read.word!r}: {self.why}"
        )


@dataclass
class Verdict:
    reads: int = 0
    writes: int = 0
    labelled: int = 0
    """Reads that said they were stale."""
    violations: list[Violation] = field(default_factory=list)
    worst: dict[tuple[str, str], float] = field(default_factory=dict)
    """(fault or `none`, kind) → seconds that the stalest read was old."""
    errors: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Fault or `none` → what clients saw instead of an answer."""
    answers: Counter[str] = field(default_factory=Counter)
    """Fault or `none` → reads answered."""


def check(events: Sequence[Event], first: Mapping[str, str]) -> Verdict:
    """What of the history cannot be. `first`: the word that each register began with, and has again once restored."""
    verdict = Verdict()
    faults = sorted((event for event in events if isinstance(event, Fault)), key=lambda fault: fault.began)
    restores = [event for event in events if isinstance(event, Restore)]
    states = {register: _states(events, register, word) for register, word in first.items()}
    verdict.writes = sum(isinstance(event, Write) and event.outcome == "done" for event in events)
    for event in events:
        if isinstance(event, Read):
            allowed = HONEST | (IN_A_RESTORE if _meets(restores, event) else set())
            _judge(event, states[event.register], _named(faults, event), allowed, verdict)
        elif isinstance(event, Silence):
            seconds = event.ended - event.began
            verdict.violations.append(Violation(event, f"it did not answer /livez for {seconds:.1f} s"))
        elif isinstance(event, Untold):
            verdict.violations.append(Violation(event, f"it {event.why}, {event.ended - event.began:.1f} s"))
    return verdict


def _states(events: Sequence[Event], register: str, first: str) -> dict[str, list[State]]:
    """By word: when it can have been what the register holds."""
    turns: list[tuple[float, float, str, bool]] = [(float("-inf"), float("-inf"), first, True)]
    for event in events:
        if isinstance(event, Restore):
            if event.registers is None or register in event.registers:
                turns.append((event.began, event.ended, first, True))
        elif isinstance(event, Write) and event.register == register and event.outcome != "rolled back":
            turns.append((event.sent, event.ended, event.word, event.outcome == "done"))
    turns.sort()
    found: dict[str, list[State]] = defaultdict(list)
    found[ABSENT] = [State(event.began, event.ended) for event in events if isinstance(event, Restore)]
    ends = float("inf")
    for number in range(len(turns) - 1, -1, -1):
        sent, ended, word, is_certain = turns[number]
        if is_certain:
            # It has ended by the time that the next certain one is answered.
            found[word].append(State(sent, ends))
            ends = ended
        else:
            # It may come late, over later ones: it ends with one that was sent when it had happened or never would.
            settled = (after for after in turns[number + 1 :] if after[3] and after[0] >= ended + SETTLED)
            found[word].append(State(sent, next((after[1] for after in settled), float("inf"))))
    return found


def _named(faults: Sequence[Fault], read: Read) -> str:
    """The last fault during which it was under way, or within a second of which it was asked."""
    for fault in reversed(faults):
        if read.sent <= fault.mended + 1.0 and read.ended >= fault.began:
            return fault.name
    return QUIET


def _meets(restores: Sequence[Restore], read: Read) -> bool:
    return any(read.sent <= one.ended + BOUND and read.ended >= one.began for one in restores)


def _judge(read: Read, states: dict[str, list[State]], fault: str, allowed: Collection[str], verdict: Verdict) -> None:
    if read.word is None or read.outcome in allowed:  # in a restore nobody knows the session: not that it ended
        verdict.errors[fault][read.outcome] += 1
        if read.outcome not in allowed:
            verdict.violations.append(Violation(read, "no honest answer"))
        return
    verdict.reads += 1
    verdict.answers[fault] += 1
    held = [state for state in states.get(read.word, []) if state.since <= read.ended]
    if not held:
        verdict.violations.append(Violation(read, "it never was, or was not yet"))
        return
    old = max(0.0, min(read.sent - state.until for state in held))
    if read.outcome == "stale":
        verdict.labelled += 1
        if old > read.age + BOUND + AGE_SLACK:
            verdict.violations.append(Violation(read, f"{old:.3f} s old, and says {read.age:.0f}"))
        return
    key = (fault, read.kind)
    verdict.worst[key] = max(old, verdict.worst.get(key, 0.0))
    bound = BOUND if read.kind in ("plain", "told") else 0.0
    if old > bound:
        verdict.violations.append(Violation(read, f"{old:.3f} s old, where {bound:.0f} are allowed"))


def table_of(verdict: Verdict) -> str:
    """The result as a table."""
    lines = [
        f"reads checked    {verdict.reads}",
        f"writes           {verdict.writes}",
        f"violations       {len(verdict.violations)}",
        f"labelled stale   {verdict.labelled}",
        f"worst staleness  {max(verdict.worst.values(), default=0.0) * 1000:.1f} ms",
        "",
        f"{'fault':34} {'answers':>8}  {'worst staleness, ms: plain':>26} {'own':>5} {'required':>8}  errors",
    ]
    for fault in sorted(set(verdict.answers) | set(verdict.errors)):
        plain, own, required = (
            f"{verdict.worst.get((fault, kind), 0.0) * 1000:.1f}" for kind in ("plain", "own", "required")
        )
        errors = ", ".join(f"{number} {what}" for what, number in sorted(verdict.errors[fault].items())) or "none"
        lines.append(f"{fault:34} {verdict.answers[fault]:8}  {plain:>26} {own:>5} {required:>8}  {errors}")
    lines += [f"VIOLATION  {violation}" for violation in verdict.violations[:20]]
    return "\n".join(lines)


if __name__ == "__main__":
    verdict = check(*load(Path(sys.argv[1])))
    sys.stdout.write(table_of(verdict) + "\n")
    sys.exit(bool(verdict.violations))
