"""What stands before the service: what it lets through, how long it keeps connections, and whose address counts."""

import json
import secrets
from dataclasses import dataclass
from typing import TypeGuard

from core.operations.doctor.finding import Finding, failed, ok, skipped, warning
from core.operations.doctor.service.asking import Service, ServiceAnswer, ServiceRequest, Silence

LIMITS, STREAMS, KEEP_ALIVE, ADDRESSES = "Sizes", "Streams", "Keep-alive", "Clients' addresses"
LINE = 4000
LINES = 3
"""Bytes of a header's value, and how many there are: cookies, `If-None-Match` and `Cache-Version` may be so long."""
BODY = 900_000
"""Bytes; the service takes 1 MiB."""
GOOGLES = 600.0
"""Seconds for which Google's balancers keep a connection, which nobody can change."""
PAGE = "docs/proxies.md"
FORGED = "203.0.113.77"
"""Of a network that is for examples (RFC 5737): nobody's."""
LOGIN = "/v1/auth/login"
WRITE = "/v1/tickets"
"""Refused for want of a sign-in, once it has come there."""
PROBE = "/v1/exports/probe"
"""Answered in two parts, some time apart."""
TRIES, APART = 3, 0.2
"""Of an answer's time, the share between its parts where nobody holds it back; on a busy machine not each time."""
JSON = {"Content-Type": "application/json"}


async def look_at_limits(service: Service) -> Finding:
    """Failed where a head or a body that the service takes does not get to it."""
    head = {f"X-Padding-{number}": "x" * LINE for number in range(LINES)}
    asked = await service.ask(ServiceRequest("/livez", headers=head))
    if not _got_through(asked, 200):
        return failed(LIMITS, f"a head of {LINES * LINE:,} bytes is refused ({_said(asked)})", f"see {PAGE}")
    body = json.dumps({"padding": "x" * BODY}).encode()
    asked = await service.ask(ServiceRequest(WRITE, "POST", JSON, body))
    if not _got_through(asked, 401):
        seen = f"a body of {BODY:,} bytes is refused ({_said(asked)}); the service takes 1 MiB"
        return failed(LIMITS, seen, f"see {PAGE}")
    return ok(LIMITS, f"heads of {LINES * LINE:,} and bodies of {BODY:,} bytes get through")


def _got_through(asked: ServiceAnswer | Silence, status: int) -> TypeGuard[ServiceAnswer]:
    return isinstance(asked, ServiceAnswer) and asked.is_ours and asked.status == status


def _said(asked: ServiceAnswer | Silence) -> str:
    return asked.reason if isinstance(asked, Silence) else f"{asked.status}"


async def look_at_streams(service: Service) -> Finding:
    """Failed where an answer that is sent in parts comes at once: exports begin late then, and events never come."""
    for _ in range(TRIES):
        asked = await service.ask(ServiceRequest(PROBE))
        if not _got_through(asked, 200):
            return skipped(STREAMS, f"{PROBE} is not answered ({_said(asked)})")
        if asked.coming > APART * asked.seconds:
            return ok(STREAMS, "an answer comes on as it is made")
    seen = "answers are held back until they are whole"
    return failed(STREAMS, seen, f"switch buffering off for /v1/exports/ and /v1/events ({PAGE})")


def look_at_keep_alive(answer: ServiceAnswer, keep_alive: float) -> Finding:
    """`keep_alive`: KEEP_ALIVE_SECONDS. How long a balancer keeps its connections is known of Google's only."""
    if "google" in answer.headers.get("via", "").lower() and keep_alive <= GOOGLES:
        seen = (
            f"Google's balancer keeps connections for {GOOGLES:.0f} s, and the service {keep_alive:.0f}: some are 502"
        )
        return failed(KEEP_ALIVE, seen, f"set KEEP_ALIVE_SECONDS to 620 ({PAGE})")
    return ok(KEEP_ALIVE, f"{keep_alive:.0f} s; a balancer's is to be shorter ({PAGE})")


@dataclass(frozen=True, slots=True)
class Probe:
    """A sign-in that fails, and says that it comes from FORGED: the audit shows what was believed."""

    username: str
    answer: ServiceAnswer | Silence


async def probe(service: Service) -> Probe:
    """Try a sign-in that fails, once: it counts against this machine's address, and a name that nobody has."""
    name = f"doctor-{secrets.token_hex(6)}"
    body = json.dumps({"username": name, "password": secrets.token_hex(8), "client": "mobile"}).encode()
    return Probe(name, await service.ask(ServiceRequest(LOGIN, "POST", JSON | {"X-Forwarded-For": FORGED}, body)))


def look_at_addresses(probed: Probe, believed: str | None, *, trusts_somebody: bool) -> Finding:
    """`believed`: the client's address in the audit. `trusts_somebody`: TRUSTED_PROXIES is not empty."""
    if isinstance(probed.answer, Silence) or probed.answer.status != 401 or believed is None:
        return skipped(ADDRESSES, f"the probe was not audited here ({_said(probed.answer)})")
    if believed == FORGED:
        seen = "whoever asks may say which address it has (X-Forwarded-For), and the audit and the throttle believe it"
        remedy = f"name the balancer's addresses alone in TRUSTED_PROXIES, not this machine's, and see {PAGE}"
        return failed(ADDRESSES, seen, remedy)
    if believed == probed.answer.from_address:
        return ok(ADDRESSES, f"the service saw {believed}, this machine's own, and not what the request said")
    if not trusts_somebody:
        seen = f"the service took {believed} for this machine: if that is a balancer, all clients count as one"
        return warning(ADDRESSES, seen, f"name it in TRUSTED_PROXIES ({PAGE})")
    return ok(ADDRESSES, f"the service saw {believed}: this machine as others see it, if it is not a balancer's")
