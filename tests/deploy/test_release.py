"""deploy/gcp.sh deploy, rollback, rotate-keys and readdress; and deploy/service.yaml, as Cloud Run is given it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from core.settings import Settings
from tests.deploy.conftest import ROOT, Google

SCHEMA = json.loads((Path(__file__).parent / "run_v1.json").read_text())
SERVICES = ("ticket-home", "ticket-home-mobile")


def service(google: Google, name: str) -> dict[str, Any]:
    """What Cloud Run was given last, checked against its own description."""
    given: dict[str, Any] = yaml.safe_load(google.stub.world.one("service", name)["yaml"])
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(given)] == []
    return given


def container(google: Google, name: str) -> dict[str, Any]:
    (one,) = service(google, name)["spec"]["template"]["spec"]["containers"]
    return dict(one)


def environment(google: Google, name: str) -> dict[str, Any]:
    """Values; of what comes from a secret, its name and version."""
    found = {}
    for one in container(google, name)["env"]:
        reference = one.get("valueFrom", {}).get("secretKeyRef")
        found[one["name"]] = one["value"] if reference is None else (reference["name"], reference["key"])
    return found


def serving(google: Google) -> list[str]:
    return [google.stub.world.one("service", name)["serving"] for name in SERVICES]


def test_both_services_are_what_the_design_asks_for(deployed: Google) -> None:
    for name in SERVICES:
        given = service(deployed, name)
        template = given["spec"]["template"]
        annotations, spec = template["metadata"]["annotations"], template["spec"]
        assert (given["apiVersion"], given["kind"]) == ("serving.knative.dev/v1", "Service")
        assert given["spec"]["traffic"] == [{"latestRevision": True, "percent": 100}]
        assert annotations["run.googleapis.com/cpu-throttling"] == "false"
        assert annotations["run.googleapis.com/startup-cpu-boost"] == "true"
        assert annotations["run.googleapis.com/vpc-access-egress"] == "private-ranges-only"
        interface = {"network": "ticket-home", "subnetwork": "ticket-home"}
        assert json.loads(annotations["run.googleapis.com/network-interfaces"]) == [interface]
        assert (annotations["autoscaling.knative.dev/minScale"], annotations["autoscaling.knative.dev/maxScale"]) == (
            "2",
            "4",
        )
        assert spec["serviceAccountName"] == "ticket-home@demo.iam.gserviceaccount.com"
        assert (spec["timeoutSeconds"], spec["containerConcurrency"]) == (3600, 500)
        one = container(deployed, name)
        start, alive = one["startupProbe"], one["livenessProbe"]
        assert (start["httpGet"]["path"], start["periodSeconds"] * start["failureThreshold"]) == ("/readyz", 240)
        assert alive == {"httpGet": {"path": "/livez"}, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3}
        assert one["image"].startswith("southamerica-west1-docker.pkg.dev/demo/ticket-home/ticket-home@sha256:")
        mounted = {mount["name"]: mount["mountPath"] for mount in one["volumeMounts"]}
        for volume in spec["volumes"]:
            assert volume["secret"] == {"secretName": volume["name"], "items": [{"key": "1", "path": "ca.pem"}]}
            url = deployed.secret(f"{volume['name'].removesuffix('-ca')}-url")
            assert f"{mounted[volume['name']]}/ca.pem" in url


def test_the_image_listens_where_cloud_run_sends_and_reads_what_it_is_given(deployed: Google) -> None:
    given = environment(deployed, "ticket-home")
    assert (given["KEEP_ALIVE_SECONDS"], given["WEB_CONCURRENCY"], given["DATABASE_POOL_SIZE"]) == ("620", "2", "10")
    assert (given["PASSWORD_LOGIN"], given["DOCS"]) == ("off", "off")
    secret = {"SECRET_KEYS", "METRICS_TOKEN", "REDIS_URL", "DATABASE_URL", "DATABASE_LISTEN_URL"}
    assert {name for name, value in given.items() if isinstance(value, tuple)} == secret
    known = {str(field.alias) for field in Settings.model_fields.values()} | {"WEB_CONCURRENCY"}
    assert set(given) <= known
    (port,) = container(deployed, "ticket-home")["ports"]
    assert f"EXPOSE {port['containerPort']}" in (ROOT / "Dockerfile").read_text()


def test_browsers_come_through_iap_and_bearer_tokens_past_it(deployed: Google) -> None:
    behind, open_to_all = (service(deployed, name)["metadata"]["annotations"] for name in SERVICES)
    assert behind["run.googleapis.com/iap-enabled"] == open_to_all["run.googleapis.com/invoker-iam-disabled"] == "true"
    assert open_to_all["run.googleapis.com/iap-enabled"] == behind["run.googleapis.com/invoker-iam-disabled"] == "false"
    audience = "/projects/7/locations/southamerica-west1/services/ticket-home"
    assert environment(deployed, "ticket-home")["IAP_AUDIENCE"] == audience
    assert environment(deployed, "ticket-home-mobile")["IAP_AUDIENCE"] == ""
    agent = "serviceAccount:service-7@gcp-sa-iap.iam.gserviceaccount.com"
    assert deployed.stub.world.one("service", "ticket-home")["bindings"] == [
        {"role": "roles/run.invoker", "members": [agent]}
    ]
    assert deployed.stub.world.one("service", "ticket-home-mobile")["bindings"] == []


def test_migrations_run_before_the_services_and_a_second_deployment_makes_no_revision(deployed: Google) -> None:
    before = serving(deployed)
    replaced = ["run services replace -"] * 2
    assert deployed.changes_of("deploy", "--release=one") == ["run jobs deploy ticket-home-migrate", *replaced]
    assert serving(deployed) == before
    job = deployed.stub.world.one("job", "ticket-home-migrate")
    assert (job["--command"], job["--args"], job["--execute-now"], job["--wait"]) == (
        "ticket-home",
        "migrate",
        True,
        True,
    )
    assert "DATABASE_LISTEN_URL=database-listen-url:1" in job["--set-secrets"].split(",")


@pytest.mark.parametrize("after", [3, *(pytest.param(after, marks=pytest.mark.long) for after in (1, 2, 5))])
def test_a_deployment_that_is_stopped_half_way_goes_on(made: Google, after: int) -> None:
    made.stub.stop_after = len(made.stub.world.changes) + after
    assert made.run("deploy", "--release=one", check=False).returncode < 0
    made.run("deploy", "--release=one")
    assert serving(made) == ["ticket-home-00001", "ticket-home-mobile-00001"]
    assert len(made.stub.world.one("service", "ticket-home")["bindings"]) == 1
    assert len(made.stub.world.of("image")) == 1


def test_a_rollback_leads_to_the_revision_before_the_one_that_serves(deployed: Google) -> None:
    assert "ticket-home has no revision before the one that serves" in deployed.refusal_of("rollback")
    deployed.run("deploy", "--release=two")
    assert serving(deployed) == ["ticket-home-00002", "ticket-home-mobile-00002"]
    deployed.run("rollback")
    assert serving(deployed) == ["ticket-home-00001", "ticket-home-mobile-00001"]
    # Keys are rotated for what serves, not for the newest revision.
    image = container(deployed, "ticket-home")["image"]
    deployed.run("rotate-keys", "--step=add")
    assert container(deployed, "ticket-home")["image"] != image


def test_what_is_not_committed_is_another_image_each_time(made: Google) -> None:
    (made.programs / "git").unlink()
    (made.programs / "git").write_text('#!/bin/bash\necho "abc1234-dirty"\n')
    (made.programs / "git").chmod(0o755)
    made.run("deploy")
    (image,) = made.stub.world.of("image")
    assert re.search(r":abc1234-dirty-\d{8}T\d{6}$", image)


@pytest.mark.long
@pytest.mark.parametrize("stopped", ["deploy", "rollback"])
def test_a_rollback_after_something_stopped_between_the_two_services_ends_with_both_on_one(
    deployed: Google, stopped: str
) -> None:
    deployed.run("deploy", "--release=two")
    deployed.run("deploy", "--release=three") if stopped == "rollback" else None
    both = [f"{name}-0000{3 if stopped == 'rollback' else 2}" for name in SERVICES]
    assert serving(deployed) == both
    deployed.stub.stop_after = len(deployed.stub.world.changes) + (3 if stopped == "deploy" else 1)
    assert deployed.run(stopped, "--release=four", check=False).returncode < 0
    assert serving(deployed)[1] == both[1]
    assert serving(deployed)[0] != both[0]
    deployed.run("rollback")
    assert serving(deployed) == ["ticket-home-00002", "ticket-home-mobile-00002"]


def test_a_new_key_verifies_everywhere_before_it_signs_and_the_old_one_goes_last(deployed: Google) -> None:
    old = deployed.secret("secret-keys")
    assert "there is one key only: --step=add comes first" in deployed.refusal_of("rotate-keys", "--step=sign")
    # A step that is stopped half-way is repeated, and one that was taken is not taken again.
    deployed.stub.stop_after = len(deployed.stub.world.changes) + 1
    assert deployed.run("rotate-keys", "--step=add", check=False).returncode < 0
    deployed.run("rotate-keys", "--step=add")
    first, new = deployed.secret("secret-keys").split(",")
    assert first == old
    assert environment(deployed, "ticket-home-mobile")["SECRET_KEYS"] == ("secret-keys", "2")
    assert "the old key still signs: --step=sign comes first" in deployed.refusal_of("rotate-keys", "--step=drop")
    for _ in range(2):
        deployed.run("rotate-keys", "--step=sign")
        assert deployed.secret("secret-keys") == f"{new},{old}"
    assert "there are two keys already: --step=drop comes first" in deployed.refusal_of("rotate-keys", "--step=add")
    for _ in range(2):
        deployed.run("rotate-keys", "--step=drop")
        assert deployed.secret("secret-keys") == new
    assert serving(deployed) == ["ticket-home-00004", "ticket-home-mobile-00004"]
    # What an operator runs has the services' keys, and runs nothing by itself.
    job = deployed.stub.world.one("job", "ticket-home-migrate")
    assert "SECRET_KEYS=secret-keys:4" in job["--set-secrets"].split(",")
    assert "--execute-now" not in job


def test_another_database_is_addressed_with_the_same_password(deployed: Google) -> None:
    old, redis = deployed.secret("database-url"), deployed.stub.world.one("secret", "redis-url")["versions"]
    deployed.shell(["gcloud", "sql", "instances", "clone", "ticket-home-db", "restored", "--project=demo"])
    deployed.run("readdress", "--sql-instance=restored")
    assert deployed.secret("database-url") == old.replace("@10.30.1.3:", "@10.30.1.4:")
    assert ":5432/" in deployed.secret("database-listen-url")
    assert "@10.30.1.4:" in deployed.secret("database-listen-url")
    assert deployed.secret("database-ca").splitlines()[1] == "restored"
    assert len(redis) == 1
    assert deployed.changes_of("readdress", "--sql-instance=restored") == []


@pytest.mark.parametrize(
    "words",
    [
        ("deploy",),
        ("migrate",),
        ("rollback",),
        ("readdress",),
        *(("rotate-keys", f"--step={s}") for s in ("add", "sign", "drop")),
    ],
)
def test_a_dry_run_asks_nothing_and_names_what_it_would_do(google: Google, words: tuple[str, ...]) -> None:
    printed = google.run(*words, "--release=one", "--dry-run").stdout
    assert "+ gcloud " in printed
    assert google.stub.calls == []
    if words[0] in ("deploy", "rotate-keys"):
        assert all(f"\n  name: {name}\n" in printed for name in SERVICES)
