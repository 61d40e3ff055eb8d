"""What the pretended gcloud refuses, and that a real one, where it is installed, knows the same flags; shellcheck."""

import runpy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.conftest import ROOT, SCRIPT, Google
from tests.deploy.gcloud.commands import NEWER, commands
from tests.support.servers.debian import program

CREATE = ["redis", "instances", "create", "cache", "--region=southamerica-west1"]
REFUSED = {
    "an unknown command": (["redis", "instances", "make", "cache"], "Invalid choice"),
    "an unknown flag": ([*CREATE, "--colour=red"], "unrecognized arguments: --colour"),
    "a missing flag": (CREATE[:4], "argument --region: Must be specified"),
    "a missing name": (["redis", "instances", "create", "--region=southamerica-west1"], "redis instances create: []"),
    "a value too many": ([*CREATE, "other"], "redis instances create: ['cache', 'other']"),
    "an unlisted value": ([*CREATE, "--tier=golden"], "argument --tier: Invalid choice: 'golden'"),
    "no number": ([*CREATE, "--size=big"], "argument --size: invalid int value: 'big'"),
    "no value": ([*CREATE, "--tier"], "argument --tier: expected one argument"),
    "a value for a switch": ([*CREATE, "--enable-auth=yes"], "argument --enable-auth: ignored explicit argument"),
    "a negated flag that has no negation": ([*CREATE, "--no-enable-auth"], "unrecognized arguments: --no-enable-auth"),
}


def test_the_pretended_gcloud_refuses_what_the_real_one_does(google: Google) -> None:
    for case, (words, message) in REFUSED.items():
        ended = google.shell(["gcloud", *words, "--project=demo"], check=False)
        assert ended.returncode == 2, case
        assert message in ended.stderr, case
    made = google.shell(["gcloud", *CREATE, "--project=demo"])
    assert made.stdout == ""
    again = google.shell(["gcloud", *CREATE, "--project=demo"], check=False)
    assert (again.returncode, again.stderr) == (
        1,
        "ERROR: (gcloud.redis.instances.create) ALREADY_EXISTS: redis cache\n",
    )
    other = google.shell(["gcloud", "redis", "instances", "describe", "x", "--region=r", "--project=demo"], check=False)
    assert (other.returncode, other.stderr) == (1, "ERROR: (gcloud.redis.instances.describe) NOT_FOUND: redis x\n")


def installed_tree() -> dict[str, Any]:
    """What an installed gcloud completes: its commands, their flags, and the values of those that list them."""
    found = shutil.which("gcloud")
    tree = Path(found or "/").resolve().parents[1] / "data" / "cli" / "gcloud_completions.py" if found else None
    if tree is None or not tree.exists():
        pytest.skip("NOT TESTED: gcloud is not installed here; its command tree is compared where it is")
    return dict(runpy.run_path(str(tree))["STATIC_COMPLETION_CLI_TREE"])


@pytest.mark.long
def test_an_installed_gcloud_knows_every_command_flag_and_value() -> None:
    tree = installed_tree()
    unknown: list[str] = []
    for command, synopsis in commands().items():
        newer = NEWER.get(command, ())
        node: dict[str, Any] | None = tree
        for word in command.split():
            node = None if node is None else node["commands"].get(word)
        if node is None:
            unknown += [command] if newer != ("*",) else []
            continue
        for word in synopsis:
            flag, _, values = word.strip("[]").partition("=")
            if not flag.startswith("--") or flag in newer:
                continue
            if flag not in node["flags"]:
                unknown.append(f"{command} {flag}")
            elif isinstance(node["flags"][flag], list):
                wanted = {value for value in values.split("|") if f"{flag}={value}" not in newer}
                unknown += [f"{command} {flag}={value}" for value in wanted - set(node["flags"][flag])]
    assert unknown == []


def test_shellcheck_finds_nothing() -> None:
    shellcheck = program("shellcheck", "shellcheck")
    command = [str(shellcheck), "--external-sources", "--check-sourced", str(SCRIPT.relative_to(ROOT))]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.stdout + ended.stderr == ""
