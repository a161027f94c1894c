"""Promises: made with their case, given up or renewed by a person, moved only as allowed."""

from __future__ import annotations

import pytest
from django.db import transaction
from django_q.models import OrmQ

from tests.factories import DestinationFactory, FindingFactory, ProjectFactory, opened_case
from tests.ticketing.outbox import RULE, promised, state_of
from ticketing import outbox
from ticketing.models import Case, Destination, ExternalIssue
from ticketing.outbox import IssueTaken, Promise
from ticketing.outbox.moves import ForbiddenMove, move
from ticketing.services import CaseDraft, open_case_each, open_cases, open_manual_case
from ticketing.states import MOVES, State
from ticketing.trackers.base import Destination as Place
from ticketing.trackers.base import IssueRef

pytestmark = pytest.mark.django_db
PLACE = Place("10000", "SEC", "10001")
MOVES_THERE_ARE = [(one, other) for one in State for other in State]


def drafts(place, number):
    said = {"title": "t", "description": "", "priority": "P2", "origin": Case.Origin.MANUAL}
    return [
        CaseDraft(project_id=place.project_id, promise=Promise({}), **said) for _ in range(number)
    ]


def created(**said):
    issue = promised(**said)
    ExternalIssue.objects.filter(pk=issue.pk).update(
        state="created", issue_id="7", issue_key="SEC-7"
    )
    issue.refresh_from_db()
    return issue


def blocked(issue, **said):
    ExternalIssue.objects.filter(pk=issue.pk).update(
        **{"state": "blocked", "fault": "config", "reason": "Why."} | said
    )
    return issue


# --- Promising ----------------------------------------------------------------------------


def test_it_promises_with_the_case_in_constant_statements(django_assert_num_queries):
    place = DestinationFactory()
    for number in (1, 20):
        with transaction.atomic(), django_assert_num_queries(8):
            cases = open_cases(drafts(place, number))
        issues = ExternalIssue.objects.filter(case__in=cases)
        assert issues.filter(state="pending", account=place.account).count() == number


def test_it_promises_nothing_when_the_case_is_not_opened():
    with transaction.atomic():
        open_cases(drafts(DestinationFactory(), 2))
        transaction.set_rollback(True)
    assert not ExternalIssue.objects.exists()


def test_it_refuses_a_project_that_is_not_linked():
    case = opened_case(ProjectFactory())
    with pytest.raises(Destination.DoesNotExist):
        outbox.promise([(case, Promise({}))])


@pytest.mark.django_db(transaction=True)
def test_it_rings_once_for_all_of_them():
    place = DestinationFactory()
    with transaction.atomic():
        open_cases(drafts(place, 20))
    rings = [ring.task["func"] for ring in OrmQ.objects.all()]
    assert rings.count("ticketing.tasks.deliver") == 1


def test_a_ticket_by_hand_takes_the_facts_of_its_finding(analyst):
    place = DestinationFactory()
    findings = [FindingFactory(title=f"t{n}").pk for n in range(3)]
    asked = {"project": place.project, "actor": analyst, "promise": Promise({"labels": ["x"]})}
    cases = open_case_each(findings[:2], **asked)
    facts = ExternalIssue.objects.filter(case__in=cases).values_list("facts__title", flat=True)
    assert set(facts) == {"t0", "t1"}
    several = open_manual_case(findings, **asked)
    assert several.external_issues.get().facts is None


# --- Moves --------------------------------------------------------------------------------


@pytest.mark.parametrize(("one", "other"), MOVES_THERE_ARE)
def test_only_the_moves_of_the_drawing_are_possible(one, other):
    rows = ExternalIssue.objects.none()
    if other in MOVES[one]:
        assert move(rows, one, other) == 0
    else:
        with pytest.raises(ForbiddenMove):
            move(rows, one, other)


def test_whoever_comes_second_is_told_so():
    issue = promised()
    rows = ExternalIssue.objects.filter(pk=issue.pk)
    assert move(rows, State.PENDING, State.CANCELLED) == 1
    assert move(rows, State.PENDING, State.CANCELLED) == 0


# --- By hand ------------------------------------------------------------------------------


def test_a_person_tries_a_blocked_ticket_again(analyst):
    issue = blocked(promised(), attempts=5, remedies=["truncate"])
    assert outbox.retry_now(issue, actor=analyst)
    assert (state_of(issue), issue.reason, issue.attempts, issue.remedies) == ("pending", "", 0, [])


def test_trying_again_what_may_be_there_looks_first(analyst):
    issue = blocked(promised(), fault="unsure", was_unsure=True)
    outbox.retry_now(issue, actor=analyst)
    assert state_of(issue) == "unsure"


def test_there_is_nothing_to_try_of_what_is_created(analyst):
    assert not outbox.retry_now(created(), actor=analyst)


def test_a_person_says_that_it_was_not_created(analyst):
    issue = blocked(promised(), fault="unsure", was_unsure=True)
    assert outbox.confirm_absent(issue, actor=analyst)
    assert state_of(issue) == "pending"
    assert issue.case.timeline.filter(kind="issue", actor=analyst).exists()
    assert not outbox.confirm_absent(blocked(promised()), actor=analyst)


def test_a_person_gives_up_a_promise(analyst):
    issue = promised()
    assert outbox.cancel(issue, actor=analyst)
    assert state_of(issue) == "cancelled"
    assert not outbox.cancel(issue, actor=analyst)
    assert not outbox.cancel(created(), actor=analyst)


def test_what_may_be_in_jira_is_not_among_the_waiting(analyst):
    blocked(promised(), fault="unsure")
    issue = blocked(promised())
    counted = outbox.waiting_count([issue.case.rule_id])
    assert {str(rule): number for rule, number in counted.items()} == {RULE: 1}
    assert outbox.deliver_waiting(issue.case.rule_id, fields={"a": 1}, actor=analyst) == 1
    assert (state_of(issue), issue.fields) == ("pending", {"a": 1})


# --- Issues that are there ----------------------------------------------------------------


def test_it_adopts_an_issue_for_a_case(analyst):
    place = DestinationFactory()
    case = opened_case(place.project)
    ref = IssueRef("7", "SEC-7")
    issue = outbox.adopt(case, ref, account=place.account, place=PLACE, actor=analyst)
    assert (issue.state, issue.issue_key) == ("created", "SEC-7")
    assert case.timeline.filter(kind="issue", after="SEC-7", actor=analyst).exists()


@pytest.mark.parametrize("ref", [IssueRef("7", "SEC-7"), IssueRef("8", "SEC-8")])
def test_it_adopts_no_issue_of_another_case_and_none_for_a_case_that_has_one(analyst, ref):
    issue = created()
    case = opened_case(ProjectFactory()) if ref.id == "7" else issue.case
    with pytest.raises(IssueTaken) as refused:
        outbox.adopt(case, ref, account=issue.account, place=PLACE, actor=analyst)
    assert refused.value.issue == issue


def test_it_promises_another_for_one_that_is_gone(analyst):
    issue = created(fields={"labels": ["x"]})
    again = outbox.recreate(issue, actor=analyst)
    issue.refresh_from_db()
    assert issue.detached_at is not None
    assert (again.case, again.state, again.fields) == (issue.case, "pending", {"labels": ["x"]})
    assert again.key != issue.key
    with pytest.raises(IssueTaken):
        outbox.recreate(issue, actor=analyst)


def test_it_lets_go_of_an_issue(analyst):
    issue = created()
    outbox.detach_issue(issue, actor=analyst)
    outbox.detach_issue(issue, actor=analyst)
    assert issue.case.timeline.filter(kind="issue", before="SEC-7").count() == 1
    issue.refresh_from_db()
    assert issue.detached_at is not None
