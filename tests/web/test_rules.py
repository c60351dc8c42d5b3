"""What an operator copies into Prometheus."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from monitor.live import Live
from monitor.web.agent_metrics import agent_exposition, agent_registry
from monitor.web.claim_metrics import claim_exposition
from monitor.web.exposition import Exposition
from monitor.web.incident_metrics import incident_exposition
from probes.prober import probers
from tests.agent.real import REPOSITORY
from tests.peers import peer

WHERE = REPOSITORY / "config" / "prometheus"


def exposed_names() -> set[str]:
    """Our own metrics."""
    live = Live("lux-1", "0")
    text = agent_exposition(agent_registry(live)) + "".join(Exposition(live.services).pieces(0))
    text += "".join(claim_exposition(live.claims)) + "".join(incident_exposition(live.incidents))
    return set(re.findall(r"^# TYPE (ringback_\w+)", text, re.MULTILINE))


def declared_names() -> set[str]:
    """Those that probers declare, which are documented on their pages."""
    return {f"ringback_{metric.name}" for prober in probers().values() for metric in prober.metrics}


def check(*words: str) -> None:
    done = subprocess.run([peer("promtool"), "check", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_alert_rules_are_valid() -> None:
    check("rules", str(WHERE / "alerts.yml"))


def test_the_sample_and_the_rules_are_a_valid_configuration(tmp_path: Path) -> None:
    config = tmp_path / "prometheus.yml"
    config.write_text((WHERE / "scrape.yml").read_text() + f"rule_files: [{WHERE}/alerts.yml]\n")
    check("config", str(config))


def test_the_rules_name_no_metric_that_does_not_exist() -> None:
    named = set(re.findall(r"\bringback_\w+", (WHERE / "alerts.yml").read_text()))
    assert {name.removesuffix("_bucket") for name in named} <= exposed_names() | declared_names()


def test_an_outage_alerts_and_a_spent_budget_does(tmp_path: Path) -> None:
    """By Prometheus' own unit tests of rules."""
    file = tmp_path / "test.yml"
    deadline = "ringback_claim_deadline_timestamp_seconds"
    left, breached = "ringback_incident_time_left_seconds", "ringback_incident_clock_breached"
    file.write_text(
        f"""
rule_files: [{WHERE}/alerts.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {{series: 'ringback_service_up{{service="a", instance="lux"}}', values: '1 1 0 0 0'}}
      - {{series: 'ringback_guarantee_ratio{{service="a", instance="lux"}}', values: '0.999x4'}}
      - {{series: 'ringback_month_downtime_seconds{{service="a", instance="lux"}}', values: '0 0 0 1339.1 1400'}}
      - {{series: '{deadline}{{service="a", month="2026-09"}}', values: '240x4'}}
      - {{series: '{deadline}{{service="a", month="2026-10"}}', values: '{240 + 6 * 86400}x4'}}
      - {{series: '{deadline}{{service="a", month="2026-11"}}', values: '{240 + 8 * 86400}x4'}}
      - {{series: '{left}{{service="a", incident="i", clock="mrt"}}', values: '1801 1800 1740 0 -60'}}
      - {{series: '{breached}{{service="a", incident="i", clock="mrt"}}', values: '0 0 0 0 1'}}
      - {{series: 'up{{job="ringback", instance="lux"}}', values: '1x4'}}
    alert_rule_test:
      - {{eval_time: 1m, alertname: RingbackServiceDown, exp_alerts: []}}
      - eval_time: 2m
        alertname: RingbackServiceDown
        exp_alerts:
          - exp_labels: {{severity: critical, service: a, instance: lux}}
            exp_annotations:
              summary: a is down
              description: Seen from lux. The outage is written down with its evidence.
      - {{eval_time: 3m, alertname: RingbackBudgetBurning, exp_alerts: []}}
      - eval_time: 4m
        alertname: RingbackBudgetBurning
        exp_alerts:
          - exp_labels: {{severity: warning, service: a, instance: lux}}
            exp_annotations:
              summary: a has been down for 23m 20s this month, more than half of what is allowed
      - {{eval_time: 4m, alertname: RingbackGuaranteeBroken, exp_alerts: []}}
      - {{eval_time: 4m, alertname: RingbackAgentAbsent, exp_alerts: []}}
      - eval_time: 4m
        alertname: RingbackClaimDue
        exp_alerts:
          - exp_labels: {{severity: warning, service: a, month: 2026-10}}
            exp_annotations:
              summary: The claim of a for 2026-10 has to be sent within 6d 0h 0m 0s
      - eval_time: 4m
        alertname: RingbackClaimLate
        exp_alerts:
          - exp_labels: {{severity: critical, service: a, month: 2026-09}}
            exp_annotations:
              summary: The claim of a for 2026-09 was not sent in time
      - {{eval_time: 1m, alertname: RingbackDeadlineNear, exp_alerts: []}}
      - eval_time: 2m
        alertname: RingbackDeadlineNear
        exp_alerts:
          - exp_labels: {{severity: warning, service: a, incident: i, clock: mrt}}
            exp_annotations:
              summary: 29m 0s of handling time are left to mrt of incident i (a)
      - {{eval_time: 4m, alertname: RingbackDeadlineNear, exp_alerts: []}}
      - {{eval_time: 3m, alertname: RingbackDeadlineMissed, exp_alerts: []}}
      - eval_time: 4m
        alertname: RingbackDeadlineMissed
        exp_alerts:
          - exp_labels: {{severity: warning, service: a, incident: i, clock: mrt}}
            exp_annotations:
              summary: mrt of incident i (a) is breached
              description: A claim is drafted, its amount is to be agreed.
"""
    )
    argv = [peer("promtool"), "test", "rules", str(file)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_documentation_has_every_metric_and_no_other() -> None:
    page = (REPOSITORY / "docs" / "http.md").read_text()
    assert set(re.findall(r"^\| `(ringback_\w+)`", page, re.MULTILINE)) == exposed_names()
