"""Signing in as a test's users, whose password is PASSWORD unless said otherwise."""

from http.cookies import SimpleCookie

import httpx

from tests.factories.rows import PASSWORD
from tests.support import machine

LOGIN = "/v1/auth/login"
ME = "/v1/auth/me"
NEW_PASSWORD = "four words of my own"
"""One that nobody has, and that is taken where somebody chooses it."""


def credentials(username: str, password: str = PASSWORD, client: str = "mobile") -> dict[str, str]:
    """The body of a login. A mobile client gets its token in the answer, one of the web a cookie."""
    return {"username": username, "password": password, "client": client}


async def log_in(client: httpx.AsyncClient, username: str, password: str = PASSWORD) -> int:
    """The status of a login; the client stays as it was, but for its cookies."""
    return (await client.post(LOGIN, json=credentials(username, password))).status_code


async def sign_in(client: httpx.AsyncClient, username: str, password: str = PASSWORD) -> None:
    """From now on the client sends the token of this login.

    A busy machine may need longer than a request has, and the client is asked to come again: it does, for a while.
    """
    began = machine.now()
    while True:
        answer = await client.post(LOGIN, json=credentials(username, password))
        if _is_decided(answer, began):
            break
    client.headers.update(_authorization(answer))


def bearer(url: str, username: str, password: str = PASSWORD) -> dict[str, str]:
    """The header of a user who has just signed in at the service there; asked to come again they do, as `sign_in`."""
    began = machine.now()
    with httpx.Client(base_url=url, timeout=20) as client:
        while True:
            answer = client.post(LOGIN, json=credentials(username, password))
            if _is_decided(answer, began):
                return _authorization(answer)


def _is_decided(answer: httpx.Response, began: float) -> bool:
    return answer.status_code != 503 or machine.now() - began > machine.PATIENCE


def _authorization(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def cookie_of(answer: httpx.Response) -> SimpleCookie:
    """Of each `Set-Cookie` that the answer has."""
    found = SimpleCookie()
    for line in answer.headers.get_list("set-cookie"):
        found.load(line)
    return found
