"""Semantics §11: one ticket for all findings of a group."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from msgspec import structs

from automation.decisions.conservation import violations
from automation.models import DailyUsage, Decision
from automation.pipeline import evaluate_all, evaluate_chunk
from automation.rules import services as rules
from automation.rules.data import data_of
from findings.facts import Status
from findings.models import Finding
from findings.services import change_status
from ticketing import groups, services
from ticketing.following import follow_findings
from ticketing.groups import refresh_due
from ticketing.models import Case, CaseGroup, TimelineEntry

pytestmark = pytest.mark.django_db
GRPC = {"package": {"name": "grpcio", "ecosystem": "pip", "version": "1.50.0"}}
FIXED = {"package": GRPC["package"] | {"fixed_version": "1.53.2"}}
REQUESTS = {"package": {"name": "requests", "ecosystem": "pip"}}


@pytest.fixture
def rule(make_rule):
    return make_rule(group_by=["package"])


@pytest.fixture
def found(report):
    """Findings are reported, decided, and the tickets say so."""

    def send(number: int = 1, *, prefix: str = "r", **fields: Any) -> None:
        report(number, prefix=prefix, **{"attributes": FIXED} | fields)
        evaluate_all()
        refresh_due()

    return send


def outcomes() -> dict[str, int]:
    made = list(Decision.objects.values_list("outcome", flat=True))
    return {outcome: made.count(outcome) for outcome in sorted(set(made))}


def sizes() -> list[int]:
    cases = Case.objects.exclude(origin="limit_notice").order_by("number")
    return [case.attachments.count() for case in cases]


def close(case: Case) -> None:
    services.change_case(case, actor=None, status=Case.Status.CLOSED)


def test_11_2_findings_of_a_group_share_a_ticket_and_others_stand_alone(rule, found):
    found(3)
    found(2, prefix="q", attributes=REQUESTS)
    found(2, prefix="none", attributes={})
    assert sizes() == [3, 2, 1, 1]
    assert outcomes() == {"grouped": 3, "ticketed": 4}
    usage = DailyUsage.objects.get()
    assert (usage.ticketed, usage.grouped, usage.matched) == (4, 3, 7)
    assert [*violations()] == []


def test_11_3_later_findings_join_the_open_ticket(rule, found):
    found(2)
    found(3, prefix="later")
    case = Case.objects.get()
    assert sizes() == [5]
    (entry,) = TimelineEntry.objects.filter(kind="grouped")
    assert (entry.case, entry.after) == (case, "3")
    assert entry.reason == "later-0 and later-1 and 1 more"
    assert set(Finding.objects.values_list("ticket_key", flat=True)) == {case.key}
    assert [*violations()] == []


def test_11_4_a_finding_that_joins_takes_no_slot_and_a_new_group_without_one_is_over(
    make_rule, found
):
    make_rule(group_by=["package"], limit=1)
    found(2)
    found(3, prefix="q", attributes=REQUESTS)
    found(2, prefix="more")
    assert outcomes() == {"grouped": 3, "over_limit": 3, "ticketed": 1}
    assert sizes() == [4]
    assert Case.objects.filter(origin="limit_notice").count() == 1
    assert [*violations()] == []


def test_11_5_a_closed_ticket_is_followed_by_a_new_one(rule, found):
    found(2)
    close(first := Case.objects.get())
    found(1, prefix="later")
    second = Case.objects.exclude(pk=first.pk).get()
    assert second.group.follows == first
    assert not second.group.is_continuation
    assert sizes() == [2, 1]
    first.refresh_from_db()
    assert first.status == Case.Status.CLOSED
    assert [group.takes_more for group in CaseGroup.objects.order_by("case__number")] == [
        False,
        True,
    ]


def test_11_5_or_it_opens_again_where_the_rule_wants_it(make_rule, found):
    make_rule(group_by=["package"], reopens_closed=True)
    found(2)
    close(Case.objects.get())
    found(1, prefix="later")
    case = Case.objects.get()
    assert (case.status, sizes()) == (Case.Status.OPEN, [3])
    assert set(Finding.objects.values_list("ticket_status", flat=True)) == {"open"}


def test_11_5_one_that_closed_with_its_findings_opens_with_them(rule, found):
    found(2)
    pks = list(Finding.objects.values_list("pk", flat=True))
    change_status(pks, status=Status.RESOLVED, actor=None)
    follow_findings()
    assert Case.objects.get().status == Case.Status.CLOSED
    change_status(pks[:1], status=Status.OPEN, actor=None)
    follow_findings()
    found(1, prefix="later")
    assert (Case.objects.get().status, sizes()) == (Case.Status.OPEN, [3])


@pytest.mark.parametrize("end", ["archived", "all detached", "regrouped"])
def test_11_3_what_ends_a_ticket_for_its_group(rule, found, editor, end):
    found(2)
    first = Case.objects.get()
    if end == "archived":
        services.archive(first, actor=editor)
    elif end == "all detached":
        services.detach(list(Finding.objects.values_list("pk", flat=True)), actor=editor)
    else:
        data = data_of(rule)
        action = structs.replace(data.action, group_by=["package", "team"])
        rules.edit_rule(rule.pk, replace(data, action=action), actor=editor)
    found(1, prefix="later", tags=("team:a",))
    assert Case.objects.count() == 2
    assert [*violations()] == []


def test_11_10_detaching_one_leaves_the_others_and_the_ticket_takes_more(rule, found, editor):
    found(3)
    services.detach([Finding.objects.first().pk], actor=editor)
    found(1, prefix="later")
    assert sizes() == [3]


def test_11_6_a_full_ticket_is_continued(rule, found, monkeypatch):
    for module in ("ticketing.groups", "automation.kinds.ticket_creation.groups"):
        monkeypatch.setattr(f"{module}.MAX_FINDINGS_OF_GROUP", 4)
    found(3)
    found(7, prefix="later")
    assert sizes() == [4, 4, 2]
    groups = CaseGroup.objects.order_by("case__number")
    assert [group.is_continuation for group in groups] == [False, True, True]
    assert [group.takes_more for group in groups] == [False, False, True]
    assert groups[2].follows == groups[1].case
    assert outcomes() == {"grouped": 7, "ticketed": 3}
    assert [*violations()] == []


def test_11_7_title_text_and_priority_follow_the_findings(rule, found):
    found(1, severity="low", tags=("repo:acme/a",))
    case = Case.objects.get()
    assert case.title == "Update grpcio 1.50.0 → 1.53.2: 1 finding in r-0"
    assert case.priority == Case.Priority.P4
    found(2, prefix="worse", severity="high", tags=("repo:acme/b",), resource_type="file")
    case.refresh_from_db()
    assert case.title == ("Update grpcio 1.50.0 → 1.53.2: 3 findings in 3 places of 2 repositories")
    assert case.priority == Case.Priority.P2
    assert "| High | worse\\-0 | 1.50.0 |" in case.description
    assert "version `1.53.2` fixes all 3." in case.description
    high = Finding.objects.filter(severity="high").values_list("pk", flat=True)
    change_status(high, status=Status.RESOLVED, actor=None)
    follow_findings()
    refresh_due()
    case.refresh_from_db()
    assert case.priority == Case.Priority.P2  # it never falls by itself
    assert "**Left:** 1 of 3." in case.description


def test_11_7_what_a_person_wrote_stays(rule, found, editor):
    found(1)
    services.change_case(Case.objects.get(), actor=editor, title="Ours")
    found(1, prefix="later")
    case = Case.objects.get()
    assert case.title == "Ours"
    assert "fixes both" in case.description


def test_11_7_a_priority_that_a_person_lowered_stays_until_a_worse_finding_joins(
    rule, found, editor
):
    found(2, severity="high")
    services.change_case(Case.objects.get(), actor=editor, priority=Case.Priority.P5)
    found(1, prefix="alike", severity="high")
    assert Case.objects.get().priority == Case.Priority.P5
    found(1, prefix="worse", severity="critical")
    assert Case.objects.get().priority == Case.Priority.P1


def test_one_ticket_that_cannot_be_written_stops_no_other(rule, report, monkeypatch):
    for package in "abc":
        report(2, prefix=package, attributes={"package": {"name": package}})
    evaluate_all()
    CaseGroup.objects.update(refresh_since=timezone.now())
    culprit = Case.objects.order_by("pk")[1]
    write = groups.write_group

    def fails(group, members, templates, case_key):
        if case_key == culprit.key:
            raise ValueError("odd")
        return write(group, members, templates, case_key)

    monkeypatch.setattr(groups, "write_group", fails)
    with pytest.raises(ExceptionGroup):
        refresh_due()
    assert [*CaseGroup.objects.exclude(refresh_since=None)] == [culprit.group]


def test_it_takes_as_few_statements_for_any_number_of_groups(rule, report):
    def decided(groups: int, prefix: str) -> int:
        for n in range(groups):
            attributes = {"package": {"name": f"{groups} {n}"}}
            report(2, prefix=f"{prefix}-{groups}-{n}", attributes=attributes)
        with CaptureQueriesContext(connection) as queries:
            evaluate_chunk()
        return len(queries)

    decided(1, "first")
    assert decided(2, "opens") == decided(5, "opens")
    assert decided(2, "joins") == decided(5, "joins")
