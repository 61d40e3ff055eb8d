"""What answers of the service say."""

import httpx


def codes(answer: httpx.Response) -> list[tuple[str, str]]:
    """Path and code of each refused field."""
    assert answer.status_code == 422, answer.text
    return [(error["path"], error["code"]) for error in answer.json()["errors"]]


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and code."""
    return answer.status_code, answer.json()["code"]


def outcome(answer: httpx.Response) -> str:
    """What a cached route says of itself: `hit`, `fwd=miss` or `fwd=stale`."""
    assert answer.status_code in (200, 304), answer.text
    return answer.headers["cache-status"].split("; ")[1]


def assert_stale(answer: httpx.Response) -> None:
    """It is the last good answer, and says so."""
    assert answer.status_code == 200
    assert "fwd=stale; detail=database-unavailable" in answer.headers["cache-status"]
    assert int(answer.headers["age"]) >= 0


def assert_unavailable(answer: httpx.Response) -> None:
    """It says that the service cannot tell at present, and when to ask again."""
    assert answer.status_code == 503
    assert answer.json()["code"] == "unavailable"
    assert int(answer.headers["retry-after"]) >= 1
