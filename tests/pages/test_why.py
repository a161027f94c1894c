from __future__ import annotations

import re
from datetime import timedelta

import pytest

from automation.kinds.due_date.action import DueDays, SetDueDate
from automation.kinds.inbox.action import AddToInbox
from automation.kinds.mute.action import MuteFinding, Reason
from automation.kinds.severity.action import Level, SetSeverity
from automation.models import Decision
from automation.pipeline import evaluate_all
from automation.rules.data import RuleData
from automation.rules.services import create_rule, delete_rule, disable_rule
from findings.models import Finding
from findings.services import record
from tests.factories import FindingFactory, SourceFactory, reported
from tests.html_tree import tree
from ticketing.models import Case

WEEK = DueDays(severity="critical", due_in_days=7)


@pytest.fixture
def found(db):
    """`found(tags=["env:prod"])`: a finding as reported and evaluated."""

    def report(number=1, **said) -> Finding:
        said = {"finding_type": "secret", "severity": "critical"} | said
        record(reported(number, **said), source=SourceFactory())
        evaluate_all()
        return Finding.objects.order_by("-pk")[0]

    return report


@pytest.fixture
def why(as_user, viewer):
    def get(finding, tab="tab=why") -> str:
        return as_user(viewer).get(f"/findings/{finding.finding_id}?{tab}").content.decode()

    return get


def test_it_explains_every_rule_down_to_the_one_that_matched(why, found, make_rule):
    make_rule("Attack paths", finding_types=["attack_path"])
    make_rule("Exposed secrets", query="@severity:critical env:prod", max_tickets_per_day=25)
    make_rule("Everything else")

    page = why(found(tags=["env:prod"]))

    assert "matched at rule 2 of 3" in page
    assert "Secret is not Attack Path" in page
    assert "env:prod is selected" in page
    assert "Critical is selected" in page
    assert "0 of 25 used before this ticket" in page
    assert "RISK-1</a> in Case Management, 0." in page
    assert "Rule 3 was not evaluated because rule 2 matched." in page


def test_it_names_several_rules_that_were_not_evaluated(why, found, make_rule):
    for name in ("First", "Second", "Third", "Fourth"):
        make_rule(name)

    assert "Rules 2 to 4 were not evaluated because rule 1 matched." in why(found())


def test_it_explains_that_no_rule_matched(why, found, make_rule):
    make_rule(query="env:prod")

    finding = found()

    assert "1 rule · no match" in why(finding)
    assert "No rule matched, so no ticket was created." in why(finding)
    assert "No rule matched." in why(finding, tab="")


def test_it_explains_that_the_limit_was_reached(why, found, make_rule):
    make_rule(max_tickets_per_day=1)

    finding = found(2)

    assert "1 of 1 were used already" in why(finding)
    assert "No ticket: the rule had reached its daily limit." in why(finding)
    assert "Rule 1 matched but reached its daily limit of 1." in why(finding, tab="")
    assert "Over limit" in why(finding, tab="")


GRPC = {"package": {"name": "grpcio", "ecosystem": "pip"}}
HOUR = timedelta(hours=1)


def created(page: str) -> str:
    return tree(page).all("p", class_="why-created")[-1].text


def test_it_explains_a_ticket_of_a_group(why, found, make_rule, frozen):
    make_rule(group_by=["package"])
    first = found(attributes=GRPC)
    frozen.shift(HOUR)
    later = found(3, prefix="later", attributes=GRPC)
    assert created(why(first)) == "Created RISK-1 , one ticket per package, 0.0 s after the finding"
    said = "Added to RISK-1 , one ticket per package, with 3 others, 0.0 s after the finding"
    assert created(why(later)) == said
    assert "One ticket per package: pypi/grpcio" in why(later)
    assert "No slot: it was added to an open ticket" in why(later)
    assert "0 of 10 used before this ticket" in why(first)


@pytest.mark.parametrize(
    ("limit", "said"), [(10, "so it has a ticket of its own."), (1, "so it shares no ticket.")]
)
def test_it_explains_that_a_finding_is_of_no_group(why, found, make_rule, limit, said):
    make_rule(group_by=["package", "team"], max_tickets_per_day=limit)
    page = why(found(2))
    assert f"It names no package and no team, {said}" in page
    assert "one ticket per" not in page


def test_it_shows_the_rules_as_they_were(why, found, make_rule, editor):
    rule = make_rule("Exposed secrets")
    finding = found()
    assert f"{rule.pk}/edit" in why(finding)
    delete_rule(rule.pk, actor=editor)

    page = why(finding)

    assert "Exposed secrets" in page
    assert "(deleted)" in page
    assert f"{rule.pk}/edit" not in page


def test_it_says_which_rules_were_skipped(why, found, make_rule, editor):
    rule = make_rule("Asleep")
    make_rule("Awake")
    disable_rule(rule.pk, actor=editor)

    assert "Disabled, skipped" in why(found())


def test_it_says_that_there_were_no_rules(why, found, make_rule):
    assert "No rule was enabled, so none could match." in why(found())


def test_it_says_that_a_finding_waits(why):
    finding = FindingFactory(unevaluated_since="2026-11-23T12:00:00Z")

    assert "The finding waits to be evaluated." in why(finding)
    assert "Waiting to be evaluated." in why(finding, tab="")


def test_it_says_that_a_finding_is_older_than_the_rules(why):
    finding = FindingFactory()

    assert "Found before any rule existed" in why(finding)


def test_it_escapes_the_names_of_rules_and_tags(why, found, make_rule):
    make_rule('"><img src=x onerror=alert(1)>', query='env:"<img src=y>"')

    assert "<img" not in why(found(tags=["env:<img src=y>"]))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.44, "0.4 s"), (38, "38 s"), (125, "2 min"), (7_300, "2 h"), (2_212_484, "26 d")],
)
def test_it_says_how_long_it_took_as_exactly_as_it_is_of_use(why, found, make_rule, seconds, said):
    make_rule()
    finding = found()
    asked_at = Decision.objects.get().requested_at
    Case.objects.update(created_at=asked_at + timedelta(seconds=seconds))

    assert f"in Case Management, {said} after the finding" in why(finding)


def test_it_names_the_ticket_by_its_key_in_jira(why, found, make_rule):
    make_rule()
    finding = found()
    workflow = finding.workflow | {"integrations": {"jira": ["SEC-4821"]}}
    Finding.objects.update(workflow=workflow)

    assert re.search(r'href="/cases/RISK-1">SEC-4821</a> in Jira', why(finding))


def test_it_marks_a_match_that_got_no_ticket(why, found, make_rule):
    make_rule(max_tickets_per_day=1)
    ticketed, over = found(), found(2)

    assert 'class="badge ok"' in why(ticketed)
    assert "Matched, over limit" in why(over)
    assert 'class="badge ok"' not in why(over)


STEPS = [
    (SetSeverity(severity=Level.CRITICAL), "Modify Severity", "Severity", {"severity": "high"}),
    (MuteFinding(reason=Reason.NO_FIX), "Mute", "Muted: <b>No fix</b>", {}),
    (AddToInbox(), "Add to Inbox", "Added to the Security Inbox", {}),
    (
        SetDueDate(due_from="first_seen", due_days_per_severity=[WEEK]),
        "Set Due Date",
        "Due <b>",
        {},
    ),
]


@pytest.mark.parametrize(("action", "step", "did", "said"), STEPS)
def test_it_shows_what_each_step_did(why, found, make_rule, action, step, did, said):
    make_rule()
    for types, name in (["attack_path"], "Other"), (["secret"], "Mine"):
        data = RuleData(name=name, finding_types=types, action=action)
        create_rule(data, actor=None)

    page = why(found(**said))

    shown = page[page.index(f"<h2>{step}</h2>") :]
    assert "matched at rule 2 of 2" in shown[:200]
    assert "Secret is not Attack Path" in shown
    assert did in shown[: shown.index("why-step")]


def test_it_says_that_a_rule_would_change_nothing(why, found, make_rule):
    make_rule()
    same = SetSeverity(severity=Level.CRITICAL)
    create_rule(RuleData(name="Same", finding_types=["secret"], action=same), actor=None)

    page = why(found(severity="critical"))

    assert "1 rule · no match" in page
    assert "No change" in page
