"""deploy/compose.yaml, read as an engine would: as the specification has it, hardened, and in the right order."""

import json
from pathlib import Path

import pytest
from compose_spec import PyCompose

from deploy.rehearsal import compose

GIVEN = {"POSTGRES_PASSWORD": "first", "REDIS_PASSWORD": "second", "SECRET_KEYS": "third"}
EXAMPLE = compose.FILE.with_name("compose.env.example")


def test_it_is_as_the_specification_has_it() -> None:
    assert PyCompose.from_json(json.dumps(compose.read(GIVEN))).service_names()


@pytest.mark.parametrize("name", GIVEN)
def test_it_does_not_start_without_a_secret(name: str) -> None:
    assert f"{name}=\n" in EXAMPLE.read_text()
    with pytest.raises(compose.Missing, match=name):
        compose.read(GIVEN | {name: ""})


def test_no_service_has_more_rights_than_it_needs() -> None:
    for name, said in compose.read(GIVEN)["services"].items():
        assert said["read_only"], name
        assert said["cap_drop"] == ["ALL"], name
        assert said["security_opt"] == ["no-new-privileges:true"], name
        assert name == "certificates" or not said.get("user", "10001").startswith("0"), name
        assert name == "certificates" or "cap_add" not in said, name
        assert name == "nginx" or "ports" not in said, name


def test_what_is_needed_is_waited_for_until_it_is_there() -> None:
    services = {name: compose.Service(name, said) for name, said in compose.read(GIVEN)["services"].items()}
    for service in services.values():
        for other, condition in service.needs.items():
            once = services[other].said["restart"] == "no"
            assert condition == ("service_completed_successfully" if once else "service_healthy")


def test_nothing_leaves_a_container_in_plain_text() -> None:
    environment = compose.read(GIVEN)["services"]["replica-1"]["environment"]
    assert "sslmode=verify-full" in environment["DATABASE_URL"]
    assert environment["REDIS_URL"].startswith("rediss://")
    assert "host " not in "".join(
        line for line in Path(compose.FILE.with_name("pg_hba.conf")).read_text().splitlines() if "127.0.0.1" not in line
    )


def test_the_example_is_what_git_leaves_alone() -> None:
    assert "deploy/.env" in (compose.FILE.parents[1] / ".gitignore").read_text().splitlines()
