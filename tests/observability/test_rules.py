"""Each alert of deploy/alerts.yaml fires and does not fire, on made series, as Prometheus's own tool evaluates them."""

import json
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.observability.cases import CASES, Case
from tests.support.processes.commands import ROOT
from tests.support.servers.debian import program

RULES = ROOT / "deploy" / "alerts.yaml"


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def whole(values: str, minutes: int) -> str:
    """promtool's notation of `values` that go on until then."""
    return f"{values}x{minutes}"


def unit_test(case: Case, series: dict[str, str], firing: int) -> dict[str, Any]:
    """promtool's, that so many alerts of the case fire in the end."""
    asked = f'count(ALERTS{{alertname="TicketHome{case.alert}",alertstate="firing"}}) or vector(0)'
    return {
        "name": f"{case.alert} {firing} {series}",
        "interval": "1m",
        "input_series": [{"series": name, "values": whole(values, case.minutes)} for name, values in series.items()],
        "promql_expr_test": [
            {"expr": asked, "eval_time": f"{case.minutes}m", "exp_samples": [{"labels": "{}", "value": firing}]}
        ],
    }


@pytest.mark.long
def test_every_alert_fires_and_does_not_fire(tmp_path: Path) -> None:
    promtool = program("promtool", "prometheus")
    tests = [unit_test(case, series, firing) for case in CASES for series, firing in ((case.fires, 1), (case.quiet, 0))]
    file = tmp_path / "tests.yaml"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "5m", "tests": tests}))
    ran = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert {f"TicketHome{case.alert}" for case in CASES} == {rule["alert"] for rule in rules() if "alert" in rule}


def test_the_files_are_as_prometheus_takes_them() -> None:
    promtool = program("promtool", "prometheus")
    # Its token's file is the container's.
    for kind, name in ((["rules"], "alerts.yaml"), (["config", "--syntax-only"], "prometheus.yaml")):
        ran = subprocess.run(
            [promtool, "check", *kind, RULES.parent / name], capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_each_alert_says_who_acts_and_why() -> None:
    alerts = [rule for rule in rules() if "alert" in rule]
    assert max(Counter(rule["alert"] for rule in alerts).values()) == 1
    for rule in alerts:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]
    told = (ROOT / "docs" / "observability.md").read_text()
    assert [rule["alert"] for rule in alerts if f"`{rule['alert'].removeprefix('TicketHome')}`" not in told] == []


SELECTED = re.compile(r"(ticket_home_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)=~?"([^"]*)"')
ALWAYS_THERE = {"outcome"}
"""Labels whose values are all told from the start, at 0: one that an alert asks for and nobody tells can never fire."""


async def test_no_alert_asks_for_what_nobody_tells(client: httpx.AsyncClient) -> None:
    """A series that is not there makes no error: its alert is silent for ever."""
    families = list(text_string_to_metric_families((await client.get("/metrics")).text))
    told = {name for family in families for name in (family.name, *(sample.name for sample in family.samples))}
    told |= {f"{family.name}{end}" for family in families for end in ("_total", "_count", "_bucket", "_sum")}
    values = {
        (sample.name, *label) for family in families for sample in family.samples for label in sample.labels.items()
    }
    asked = [found for rule in rules() for found in SELECTED.findall(rule["expr"])]
    assert len(asked) > 40
    assert [name for name, _ in asked if name not in told] == []
    for name, matchers in asked:
        if name == "ticket_home_cache_reads_total":
            continue  # by policy, each told once it was read
        for label, wanted in MATCHER.findall(matchers):
            if label in ALWAYS_THERE:
                assert [one for one in wanted.split("|") if (name, label, one) not in values] == [], name
