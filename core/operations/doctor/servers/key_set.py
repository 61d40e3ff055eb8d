"""Whether the keys can be read that single sign-on stands on: without them nobody comes in by it."""

from core.operations.doctor.configuration import masked
from core.operations.doctor.finding import Finding, failed, ok
from core.users.iap.keys import TROUBLE, client, fetched

CHECK = "Single sign-on"


async def look_at_keys(url: str) -> Finding:
    """Failed where the key set of single sign-on cannot be read at `url`, IAP_KEYS_URL."""
    async with client() as asking:
        try:
            keys = await fetched(asking, url)
        except TROUBLE as error:
            seen = f"no keys could be read at {masked(url)} ({type(error).__name__})"
            return failed(CHECK, seen, "let the service reach it: until then nobody signs in by IAP")
    return ok(CHECK, f"{len(keys)} keys at {masked(url)}")
