"""How far it is from a token to its user: few enough functions to be read one after the other."""

import pytest

from core.sessions.last_seen import COPY
from tests.core.sessions.processes import Process
from tests.factories.fixtures import Seed
from tests.support.cache.settled import settled
from tests.support.cache.statements import traced
from tests.support.walk import walk_of

BOUNDS = {
    # where the copy is, whether this counts as use: functions and modules of core/sessions
    ("memory", False): (7, 3),
    ("memory", True): (8, 4),
    ("redis", False): (12, 3),
    ("redis", True): (16, 4),
    ("postgresql", False): (14, 3),
    ("postgresql", True): (18, 4),
}


@pytest.mark.parametrize(("tier", "slide"), BOUNDS, ids=[f"{tier}-{slide}" for tier, slide in BOUNDS])
async def test_from_a_token_to_its_user_it_is_a_short_walk(one: Process, seed: Seed, tier: str, *, slide: bool) -> None:
    runtime = one.runtime
    token = (await one.sign_in(seed.sant.viewer)).token
    digest = runtime.sessions.tokens.digest(token)
    assert digest is not None
    runtime.sessions.tokens._verified.clear()
    await one.who(token)

    async def ask() -> None:
        (await one.who(token, slide=slide)).actor()

    for _ in range(20):
        await settled(runtime)
        if tier != "memory":
            runtime.sessions.held.drop(digest)
            runtime.sessions.tokens._verified.clear()
        if tier == "postgresql":
            await runtime.redis.delete(runtime.redis.keys.session(digest, COPY))
        with traced(runtime.versions) as trace:
            walk = (await walk_of(ask)).within("core/sessions/")
        # A Redis that is late is a miss, and so another walk too.
        if trace.db_queries == (tier == "postgresql"):
            break
    print(f"{tier}, {'used' if slide else 'not used'}: {walk}")  # noqa: T201  the walk itself, with -s
    functions, modules = BOUNDS[tier, slide]
    assert "core/sessions/store.py Sessions.authenticate" in walk.functions
    assert len(walk) <= functions, walk
    assert len(walk.modules) <= modules, walk
