"""The client's files as this release has them: read once, named by a digest of them all."""

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CLIENT = Path(__file__).parent / "client"
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
"""Of what is served. Other files of the folder, such as types, are for whoever works on it."""
INDEX, BOOT, WORKER = "index.html", "boot.js", "worker.js"
"""The page, and the two scripts that have no digest in their address: what starts those that have, and the service
worker."""
CATALOG, AREA = re.compile(r"texts/\w+\.js"), re.compile(r"texts/\w+/")
"""All texts in a language, and where those of its areas lie."""
NAMED = re.compile(rb'^import { \w+ } from "\./(\w+/[\w-]+\.js)";$', re.MULTILINE)
"""How a catalog names an area."""

COMMENT = re.compile(rb"^[ \t]*(?:/\*(?:(?!\*/).)*\*/|//[^\n]*)[ \t]*$", re.MULTILINE | re.DOTALL)
"""One that has its lines to itself."""
VENDORED = "vendor/"


@dataclass(frozen=True, slots=True)
class ClientFile:
    body: bytes
    packed: bytes
    """The same, by gzip."""
    etag: str
    media_type: str

    @classmethod
    def of(cls, body: bytes, suffix: str) -> "ClientFile":
        etag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        return cls(body, gzip.compress(body, compresslevel=6, mtime=0), etag, MEDIA_TYPES[suffix])


@dataclass(frozen=True, slots=True)
class Release:
    """All that a browser needs to run the client."""

    digest: str
    files: dict[str, ClientFile]
    """By path below `client/`."""
    index: ClientFile
    """The page, which names the digest, and every module so that a browser need not find them one after the other."""
    worker: ClientFile
    """It names the digest and all files: another release's is another one."""


def with_whole_catalogs(contents: dict[str, bytes]) -> dict[str, bytes]:
    """The files, with each language's texts in one: they are written in a file per area, so that two people can add
    texts at once, and a page that asked for each of those would open later.
    """

    def texts(found: re.Match[bytes]) -> bytes:
        return contents[f"texts/{found[1].decode()}"].removeprefix(b"export ")

    files = {name: content for name, content in contents.items() if not AREA.match(name)}
    return {name: NAMED.sub(texts, content) if CATALOG.match(name) else content for name, content in files.items()}


def without_comments(script: bytes) -> bytes:
    """A script for browsers. A fifth of what they would load is for whoever reads it here; lines keep their numbers, by
    which errors are told."""
    return COMMENT.sub(lambda found: b"\n" * found[0].count(b"\n"), script)


def _content(name: str, path: Path) -> bytes:
    is_ours = path.suffix == ".js" and not name.startswith(VENDORED)
    return without_comments(path.read_bytes()) if is_ours else path.read_bytes()


@cache
def release() -> Release:
    paths = sorted(path for path in CLIENT.rglob("*") if path.suffix in MEDIA_TYPES and path.name != INDEX)
    named = {path.relative_to(CLIENT).as_posix(): path for path in paths}
    contents = with_whole_catalogs({name: _content(name, path) for name, path in named.items()})
    template = (CLIENT / INDEX).read_text()
    whole = hashlib.blake2b(template.encode(), digest_size=8)
    for name, content in contents.items():
        whole.update(f"\n{name} {len(content)}\n".encode() + content)
    digest = whole.hexdigest()
    modules = [name for name in contents if name.endswith(".js") and name not in (BOOT, WORKER)]
    preloads = "\n".join(f'<link rel="modulepreload" href="/app/{digest}/{name}">' for name in modules)
    index = template.replace("{{digest}}", digest).replace("{{preloads}}", preloads)
    files = {name: ClientFile.of(content, Path(name).suffix) for name, content in contents.items() if name != WORKER}
    kept = " ".join(name for name in files if name != BOOT)
    worker = contents[WORKER].decode().replace("{{digest}}", digest).replace("{{files}}", kept)
    return Release(digest, files, ClientFile.of(index.encode(), ".html"), ClientFile.of(worker.encode(), ".js"))
