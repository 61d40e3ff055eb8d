"""The keys of single sign-on, looked at before somebody needs them."""

from core.operations.doctor.configuration import Addresses
from core.operations.doctor.examine import examine
from core.operations.doctor.finding import Finding, Verdict
from core.operations.doctor.servers.key_set import CHECK
from core.settings import Settings
from tests.support.iap import AUDIENCE, Signer, key_server


async def looked_at(settings: Settings) -> list[Finding]:
    # Without the other servers: what is asked of them is seen elsewhere.
    keys_url = Addresses.of(settings).keys_url
    alone = Addresses("postgresql://127.0.0.1:1/x", None, None, keys_url=keys_url)
    return [one async for one in examine(alone) if one.check == CHECK]


async def test_keys_are_counted_and_where_there_are_none_it_is_told(settings: Settings) -> None:
    with key_server(Signer("one"), Signer("two")) as served:
        given = settings.model_copy(update={"iap_audience": (AUDIENCE,), "iap_keys_url": served.url})
        [finding] = await looked_at(given)
        assert (finding.verdict, finding.seen) == (Verdict.OK, f"2 keys at {served.url}")
        served.says({"keys": []})
        [finding] = await looked_at(given)
        assert (finding.verdict, "(ValueError)" in finding.seen) == (Verdict.FAILED, True)
    [finding] = await looked_at(given)
    assert (finding.verdict, "(ConnectError)" in finding.seen) == (Verdict.FAILED, True)
    assert await looked_at(given.model_copy(update={"iap_audience": ()})) == []
