"""deploy/README.md: its commands, in its order, each of which has to end well; and what it promises of them."""

import re

import pytest
from typer.main import get_command

from api.cli.main import command_line
from tests.deploy.conftest import ROOT, Google

PAGE = (ROOT / "deploy" / "README.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.long
def test_every_command_of_the_runbook_ends_well_in_its_order(google: Google) -> None:
    google.shell(["bash", "-euo", "pipefail", "-c", "".join(BLOCKS)])
    ran = {" ".join(call[:4]) for call in google.stub.calls}
    for line in "".join(BLOCKS).replace("\\\n", " ").splitlines():
        words = line.split()
        assert words[0] in ("gcloud", "deploy/gcp.sh") or "=" in words[0], line
        assert words[0] != "gcloud" or any(" ".join(words[1:4]) in call for call in ran), line
    world = google.stub.world
    # The databases and Redis that it ends with are those that the newest revision is given.
    assert "@10.30.1.4:6432/" in google.secret("database-url")
    assert google.secret("redis-url").startswith("rediss://default:")
    newest = f"key: '{len(world.one('secret', 'database-url')['versions'])}'"
    assert f"name: database-url, {newest}" in world.one("service", "ticket-home-mobile")["yaml"]


def test_what_the_job_is_told_to_run_are_commands_of_ours() -> None:
    told = {tuple(words.split(",")) for words in re.findall(r"--args=(\S+)", "".join(BLOCKS))}
    assert {("doctor",), ("migrate",), ("cache", "forget"), ("user", "unlock", "ana@example.cl")} == told
    for words in told:
        command = get_command(command_line())
        for word in words[:2]:
            command = command.commands[word]  # type: ignore[attr-defined]  # a group


def test_it_says_that_it_was_not_run_against_google_and_names_every_secret_and_command(google: Google) -> None:
    assert "None of this was run against Google." in PAGE
    named = google.run("up", "--dry-run").stdout
    assert not [name for name in re.findall(r"secrets create (\S+)", named) if f"`{name}`" not in PAGE]
    for command in ("up", "deploy", "migrate", "rollback", "rotate-keys", "readdress"):
        assert f"deploy/gcp.sh {command} $OPTIONS" in PAGE
