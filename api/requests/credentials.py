"""What a request sends to say who it is: read once, and kept in its scope for whoever asks."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

KEPT = "ticket_home.credentials"


@dataclass(frozen=True, slots=True)
class Credentials:
    bearer: str | None
    """None where there is no such authorization: another scheme, such as a proxy's Basic, says nothing to us."""
    cookies: Mapping[str, str]

    def token(self, session_cookie: str) -> str | None:
        """Of a session: the bearer's, which wins, or else the cookie's."""
        return self.cookies.get(session_cookie) if self.bearer is None else self.bearer


def credentials_of(scope: Scope) -> Credentials:
    """Those of a request."""
    kept: Credentials | None = scope.get(KEPT)
    if kept is not None:
        return kept
    headers = Headers(scope=scope)
    scheme, _, token = headers.get("authorization", "").partition(" ")
    # HTTP/2 parts them into several lines. Of one name the last counts: browsers send those of a narrower path first,
    # which only a neighbouring site could have set, and ours are of `/`.
    cookies = cookie_parser("; ".join(headers.getlist("cookie")))
    found = scope[KEPT] = Credentials(token.strip() if scheme.lower() == "bearer" else None, cookies)
    return found
