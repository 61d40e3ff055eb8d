"""One request on each of many connections, all at once."""

from collections.abc import Callable
from time import perf_counter

from bench.load.closed import SILENCE, Asker


def burst(
    poll: Callable[[float], list[tuple[int, int]]], askers: dict[int, Asker], is_meant: Callable[[bytes], bool]
) -> tuple[float, int]:
    """(seconds until the last was answered, how many answers were not as meant), over connections of `connected`.

    Raises ConnectionError where the server closes one or is silent."""
    started, errors, waiting = perf_counter(), 0, len(askers)
    for asker in askers.values():
        asker.ask(started)
    while waiting:
        ready = poll(SILENCE)
        if not ready:
            raise ConnectionError(f"{waiting} were not answered")
        for descriptor, _ in ready:
            answer = askers[descriptor].answer()
            if answer:
                waiting -= 1
                errors += not is_meant(answer)
    return perf_counter() - started, errors
