"""A TypeScript client, generated from the service's own document, type-checked and used (typescript/integrator.ts)."""

import shutil
from pathlib import Path

import pytest

from tests.clients.programs import documented, output, require_seen
from tests.clients.toolchains import NODE_AT_LEAST, installed_node, node_from_wheel, npm_packages
from tests.support.processes.services import Serving

HERE = Path(__file__).parent / "typescript"

pytestmark = pytest.mark.timeout(400)


@pytest.mark.long
def test_the_generated_typescript_client_does_what_integrators_do(
    served: Serving, contract: Path, tmp_path: Path
) -> None:
    node = installed_node() or node_from_wheel()
    modules = npm_packages(node, HERE) / "node_modules"
    for name in ("package.json", "tsconfig.json", "integrator.ts"):
        shutil.copy(HERE / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(modules)

    assert contract.parent == tmp_path
    # Without --default-non-nullable a request's field that has a default would have to be given.
    generator = modules / "openapi-typescript" / "bin" / "cli.js"
    output([node.program, generator, *documented("openapi-typescript")], tmp_path, node.environment)
    # Strict, by its tsconfig.json; writes JavaScript only if the types hold.
    output([node.program, modules / "typescript" / "bin" / "tsc", "--project", "."], tmp_path, node.environment)
    seen = output([node.program, tmp_path / "out" / "integrator.js", served.url], tmp_path, node.environment)
    require_seen(seen)


def test_node_comes_from_its_wheel_where_none_is_installed(tmp_path: Path) -> None:
    node = node_from_wheel()
    version = output([node.program, "--version"], tmp_path, node.environment)
    assert int(version.removeprefix("v").partition(".")[0]) >= NODE_AT_LEAST
    assert output([*node.npm, "--version"], tmp_path, node.environment)[0].isdigit()


def test_a_node_that_is_missing_or_old_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert installed_node() is None
    for name in ("node", "npm"):
        (tmp_path / name).write_text("#!/bin/sh\necho v18.20.4\n")
        (tmp_path / name).chmod(0o755)
    assert installed_node() is None
    (tmp_path / "node").write_text("#!/bin/sh\necho v22.1.0\n")
    found = installed_node()
    assert found is not None
    assert found.npm == (str(tmp_path / "npm"),)
