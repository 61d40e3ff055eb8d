"""What `make check` knows of the web client: its vendored files are those of their list, and its types hold.

    PYTHONPATH=. .venv/bin/python -P .ci/client.py            check both
    PYTHONPATH=. .venv/bin/python -P .ci/client.py --vendor   write the vendored files, and their list, anew

What is vendored, and what checks it, npm installs into `.tools/client` as `.ci/client/package-lock.json` says. To renew
a library: its version in `.ci/client/package.json`, `npm install --package-lock-only` beside it, and `--vendor`.
Types of the API are made of the contract's snapshot. Where npm's registry is out of reach, types are not checked, and
that is said; in CI it is a failure.
"""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.toolchains import Node, installed_node, node_from_wheel, npm_packages

ROOT = Path(__file__).resolve().parents[1]
WANTED = ROOT / ".ci" / "client"
VENDOR = ROOT / "api" / "web" / "client" / "vendor"
LIST = VENDOR / "vendored.json"
SNAPSHOT = ROOT / "tests" / "contract" / "openapi.json"
FILES = {
    "preact.js": "preact/dist/preact.mjs",
    "hooks.js": "preact/hooks/dist/hooks.mjs",
    "signals-core.js": "@preact/signals-core/dist/signals-core.mjs",
    "signals.js": "@preact/signals/dist/signals.mjs",
    "htm.js": "htm/dist/htm.mjs",
    "preact.LICENSE.txt": "preact/LICENSE",
    "signals.LICENSE.txt": "@preact/signals/LICENSE",
    "htm.LICENSE.txt": "htm/LICENSE",
}
"""Vendored file → where its package has it."""
SPECIFIERS = {
    "preact": "./preact.js",
    "preact/hooks": "./hooks.js",
    "@preact/signals-core": "./signals-core.js",
}
"""What the published files import by name; a browser knows no names without an import map, which our policy forbids."""
IMPORTED = re.compile(r'(?<=from)\s*"([^".][^"]*)"')
SOURCE_MAP = re.compile(r"\n?//# sourceMappingURL=\S+\s*$")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def package_of(source: str) -> str:
    return "/".join(source.split("/")[: 2 if source.startswith("@") else 1])


def vendored(modules: Path, source: str) -> bytes:
    """A published file as a browser reads it: what it imports by relative paths, no map that is not there."""
    text = (modules / source).read_text(encoding="utf-8")
    if source.endswith(".mjs"):
        text = IMPORTED.sub(lambda found: f'"{SPECIFIERS[found[1]]}"', SOURCE_MAP.sub("\n", text))
    return text.encode()


def vendor(modules: Path) -> None:
    found = {}
    for name, source in FILES.items():
        content = vendored(modules, source)
        (VENDOR / name).write_bytes(content)
        version = json.loads((modules / package_of(source) / "package.json").read_text())["version"]
        found[name] = {"from": source, "version": version, "sha256": digest(content)}
    LIST.write_text(json.dumps(found, indent=2) + "\n")


def differences() -> list[str]:
    """Where the vendored files, their list and what npm is to install say different things."""
    listed = json.loads(LIST.read_text())
    wanted = json.loads((WANTED / "package.json").read_text())["devDependencies"]
    there = {path.name for path in VENDOR.iterdir()} - {LIST.name} - {path.name for path in VENDOR.glob("*.d.ts")}
    found = [f"{name} is in {VENDOR} or in its list, and not in both" for name in sorted(there ^ set(listed))]
    for name in sorted(there & set(listed)):
        if digest((VENDOR / name).read_bytes()) != listed[name]["sha256"]:
            found.append(f"{name} is not the file that was vendored")
        if listed[name]["version"] != wanted[package_of(listed[name]["from"])]:
            found.append(f"{name} is of another version than {WANTED / 'package.json'} names")
    return found


def write_api_types(node: Node, folder: Path) -> None:
    """`api.d.ts` in `folder`, where the contract is another one than it was made of."""
    contract = digest(SNAPSHOT.read_bytes())
    types, stamp = folder / "api.d.ts", folder / "api.made"
    if types.exists() and stamp.exists() and stamp.read_text() == contract:
        return
    generator = folder / "node_modules" / "openapi-typescript" / "bin" / "cli.js"
    # Without the flag a request's field that has a default would have to be given.
    run(node, str(generator), str(SNAPSHOT), "--default-non-nullable=false", "--output", str(types))
    stamp.write_text(contract)


def run(node: Node, *words: str) -> None:
    done = subprocess.run([node.program, *words], cwd=ROOT, env=node.environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{done.stdout}{done.stderr}")


def main(arguments: list[str]) -> int:
    try:
        node = installed_node() or node_from_wheel()
        folder = npm_packages(node, WANTED)
    except pytest.skip.Exception as unavailable:
        print(unavailable)
        node = None
    if "--vendor" in arguments and node:
        vendor(folder / "node_modules")
    found = differences()
    for line in found:
        print(line)
    if found:
        return 1
    if node:
        write_api_types(node, folder)
        compiler = folder / "node_modules" / "typescript" / "bin" / "tsc"
        run(node, str(compiler), "--project", "api/web/tsconfig.json")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
