"""Ways in that should not be there: the demo's logins, and keys that can be guessed."""

import json
from collections.abc import Sequence

from core.operations.doctor.finding import Finding, failed, listed, ok, skipped
from core.operations.doctor.service.asking import Service, ServiceAnswer, ServiceRequest
from core.operations.doctor.service.balancer import JSON, LOGIN
from core.settings.safe import DEMO_PASSWORD, flaw_of

DEMO, KEYS = "Demo logins", "Secret keys"
NAMES = ("superuser", "admin_sant", "viewer_sant")
"""Of the demo's users, whose names and password are published. Each is tried once, and counts as one failed sign-in."""


async def look_at_demo(service: Service) -> Finding:
    """Failed where the demo's password signs somebody in, who is signed out again."""
    works, tried = [], 0
    for name in NAMES:
        body = json.dumps({"username": name, "password": DEMO_PASSWORD, "client": "mobile"}).encode()
        answer = await service.ask(ServiceRequest(LOGIN, "POST", JSON, body))
        if not isinstance(answer, ServiceAnswer) or answer.status not in (200, 401):
            continue
        tried += 1
        if answer.status == 200:
            works.append(name)
            bearer = {"Authorization": f"Bearer {answer.json().get('token', '')}"}
            await service.ask(ServiceRequest("/v1/auth/logout", "POST", bearer))
    if works:
        seen = f"{listed(works)} can sign in with the demo's password, which is published"
        return failed(DEMO, seen, "deactivate them (ticket-home user deactivate), or give them other passwords")
    if not tried:
        return skipped(DEMO, "no sign-in was decided: too many were tried, or it is switched off")
    return ok(DEMO, "the demo's password signs nobody in")


def look_at_keys(keys: Sequence[str]) -> Finding:
    """Failed where one of `keys`, this environment's SECRET_KEYS and so the service's, was not made by chance."""
    flaws = sorted({flaw for key in keys if (flaw := flaw_of(key))})
    if flaws:
        return failed(KEYS, f"{listed(flaws)}: whoever guesses it signs what they like", "take a new key in front")
    return ok(KEYS, f"{len(keys)} made by chance")
