"""Lines of the log come out whole and in their order, and nobody waits for who reads them."""

import json
import os
import random
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from api.middleware.request_log import write_request
from core.telemetry.log import configure, logger
from core.telemetry.log_lines import BOUND, LONGEST, LineWriter, in_writes

PATIENCE = 20.0


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """(where it is read, where it is written)"""
    reading, writing = os.pipe()
    yield reading, writing
    for descriptor in (reading, writing):
        try:
            os.close(descriptor)
        except OSError:
            continue  # the test did


def numbered(count: int, width: int = 60) -> list[bytes]:
    return [b"%0*d\n" % (width, number) for number in range(count)]


def read_to_end(reading: int, found: list[bytes]) -> None:
    with os.fdopen(reading, "rb", closefd=False) as file:
        found += file


def test_a_write_ends_where_a_line_does_and_is_no_longer_than_a_pipe_keeps_whole() -> None:
    chosen = random.Random(1)
    for _ in range(200):
        lines = [b"x" * chosen.choice([1, 80, 300, LONGEST - 1, LONGEST, 2 * LONGEST]) + b"\n" for _ in range(40)]
        writes = list(in_writes(lines))
        assert b"".join(writes) == b"".join(lines)
        assert all(write.endswith(b"\n") for write in writes)
        assert all(len(write) <= LONGEST or write.count(b"\n") == 1 for write in writes)
        assert all(len(one) + len(next_one) > LONGEST for one, next_one in pairwise(writes))


def test_all_lines_are_written_in_their_order_before_it_is_closed(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    found: list[bytes] = []
    reader = threading.Thread(target=read_to_end, args=(reading, found))
    reader.start()
    writer = LineWriter()
    writer.start(writing)
    lines = numbered(5000)
    for line in lines:
        writer.write(line)
    writer.close(PATIENCE)
    os.close(writing)
    reader.join(PATIENCE)
    assert found == lines
    assert writer.dropped == 0


def test_a_file_is_written_to_in_few_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces: list[int] = []

    def noted(descriptor: int, data: memoryview) -> int:
        pieces.append(len(data))
        return write(descriptor, data)

    write, lines = os.write, numbered(5000)
    monkeypatch.setattr(os, "write", noted)
    writer = LineWriter()
    with (tmp_path / "log").open("wb") as file:
        writer.start(file.fileno())
        for line in lines:
            writer.write(line)
        writer.close(PATIENCE)
    assert (tmp_path / "log").read_bytes() == b"".join(lines)
    assert len(pieces) < sum(pieces) / LONGEST


@pytest.mark.parametrize("waits", [True, False])
def test_who_writes_waits_for_no_reader_and_what_is_too_much_is_counted(pipe: tuple[int, int], waits: bool) -> None:
    reading, writing = pipe
    os.set_blocking(writing, waits)
    writer = LineWriter()
    writer.start(writing)
    lines = numbered(3 * BOUND)
    for line in lines:
        writer.write(line)  # nobody reads yet
    assert writer.dropped > 0
    found: list[bytes] = []
    reader = threading.Thread(target=read_to_end, args=(reading, found))
    reader.start()
    writer.close(PATIENCE)
    os.close(writing)
    reader.join(PATIENCE)
    assert len(found) + writer.dropped == len(lines)
    assert found == sorted(found)
    assert set(found) <= set(lines), "none is torn"


def test_lines_that_nobody_can_read_any_more_are_counted(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    os.close(reading)
    writer = LineWriter()
    writer.start(writing)
    for line in numbered(100):
        writer.write(line)
    writer.close(PATIENCE)
    assert writer.dropped == 100


def test_without_the_thread_a_line_is_written_at_once(
    pipe: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    writer = LineWriter()
    writer.write(b"before\n")
    assert capsys.readouterr().out == "before\n"
    writer.start(pipe[1])
    writer.close(PATIENCE)
    writer.write("nachher: größer\n".encode())
    assert capsys.readouterr().out == "nachher: größer\n"


def test_a_requests_line_has_what_every_events_line_has(capsys: pytest.CaptureFixture[str]) -> None:
    facts: dict[str, object] = {"request_id": "a", "method": "GÉT\n", "ms": 1.25, "clinic_id": None, "collapsed": False}
    configure("json")
    logger.info("request", **facts)
    write_request(dict(facts))
    by_structlog, by_us = (json.loads(line, object_pairs_hook=list) for line in capsys.readouterr().out.splitlines())
    assert by_us[:-1] == by_structlog[:-1], "the same fields in the same order"
    assert (by_us[-1][0], len(by_us[-1][1])) == (by_structlog[-1][0], len(by_structlog[-1][1])), "and the same clock"
