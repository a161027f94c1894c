from __future__ import annotations

from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from findings.facts import Status, Ticket
from findings.formats.normalised import Normalised
from findings.models import Evaluation, Finding, FindingEvent, Scope
from findings.services import Recorded, record
from tests.factories import SourceFactory

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ONE = timedelta(hours=1)

pytestmark = pytest.mark.django_db


def problem(number: int = 0, **fields) -> Normalised:
    given = {
        "finding_type": "library_vulnerability",
        "title": f"Problem {number}",
        "severity": "high",
        "resource_id": f"resource-{number}",
        "fingerprint": f"fingerprint-{number}",
        "tags": ("env:prod", "team:payments"),
        "attributes": {"service": "shop", "cvss": {"score": 7.5}},
    }
    return Normalised(**(given | fields))


@pytest.fixture
def source():
    return SourceFactory()


def test_it_records_a_new_finding(source):
    earlier = NOON - 30 * ONE
    recorded = record([problem(first_seen_at=earlier)], source=source, now=NOON)
    finding = Finding.objects.get()
    assert recorded == Recorded(new=1, seen_again=0, reopened=0)
    assert (finding.title, finding.severity, finding.severity_rank) == ("Problem 0", "high", 5)
    assert finding.tags == ["env:prod", "team:payments"]
    assert finding.attributes == {"service": "shop", "cvss": {"score": 7.5}}
    assert (finding.status, finding.ticket, finding.workflow) == ("open", "none", {})
    assert finding.first_seen_at == earlier
    assert finding.last_seen_at == finding.opened_at == finding.detection_changed_at == NOON
    assert finding.evaluation.unevaluated_since == NOON


def test_it_gives_a_finding_the_same_public_id_in_every_database(source):
    record([problem(resource_id="i-1"), problem(1, resource_id="ä" * 2000)], source=source)
    short, long = Finding.objects.order_by("pk").values_list("finding_id", flat=True)
    assert short == "OTIwMDQwYjBhMzE2NDcxMGIzNmR-aS0x"
    assert urlsafe_b64decode(short).endswith(b"~i-1")
    assert len(long) <= 400


def test_it_takes_no_finding_of_another_source_for_its_own(source):
    record([problem()], source=source)
    assert record([problem()], source=SourceFactory(name="other")) == (1, 0, 0)
    assert record([problem()], source=source) == (0, 1, 0)


def test_it_only_touches_a_finding_seen_again_unchanged(source):
    record([problem()], source=source, now=NOON)
    before, evaluated = Finding.objects.values().get(), Evaluation.objects.values().get()
    with CaptureQueriesContext(connection) as captured:
        recorded = record([problem()], source=source, now=NOON + ONE)
    assert recorded == Recorded(new=0, seen_again=1, reopened=0)
    assert Finding.objects.values().get() == before
    assert Evaluation.objects.values().get() == evaluated | {"last_seen_at": NOON + ONE}
    assert [each["sql"] for each in captured if 'UPDATE "findings_finding"' in each["sql"]] == []
    assert not FindingEvent.objects.exists()


@pytest.mark.parametrize(("scopes", "written"), [("aa", 0), ("ab", 1), ("a-", 1), ("--", 0)])
def test_it_writes_a_finding_seen_again_unchanged_where_its_scope_differs(source, scopes, written):
    """The narrow rows are written by one statement, whatever else is."""
    known = {name: Scope.objects.create(source=source, target=name) for name in "ab"}
    first, then = (known.get(name) for name in scopes)
    record([problem(nth) for nth in range(3)], source=source, scope=first)
    with CaptureQueriesContext(connection) as captured:
        record([problem(nth) for nth in range(3)], source=source, scope=then)
    said = [each["sql"].split(" SET ")[0] for each in captured]
    assert said.count('UPDATE "findings_evaluation"') == 1
    assert said.count('UPDATE "findings_finding"') == written
    assert set(Finding.objects.values_list("scope", flat=True)) == {then and then.pk}


def test_it_takes_the_order_of_attributes_for_no_change(source):
    record([problem(attributes={"a": 1, "b": 2})], source=source)
    digest = Finding.objects.get().digest
    record([problem(attributes={"b": 2, "a": 1})], source=source)
    assert Finding.objects.get().digest == digest


def test_it_stores_what_a_source_now_says(source):
    record([problem()], source=source, now=NOON)
    record([problem(title="Better title", tags=("env:dev",))], source=source, now=NOON + ONE)
    finding = Finding.objects.get()
    assert (finding.title, finding.tags) == ("Better title", ["env:dev"])
    assert (finding.last_seen_at, finding.detection_changed_at) == (NOON + ONE, NOON)
    assert finding.evaluation.unevaluated_since == NOON


def test_it_notes_a_change_of_severity(source):
    record([problem()], source=source, now=NOON)
    record([problem(severity="low")], source=source, now=NOON + ONE)
    finding = Finding.objects.get()
    event = FindingEvent.objects.get()
    assert (finding.severity, finding.severity_rank) == ("low", 3)
    assert finding.detection_changed_at == NOON + ONE
    assert (event.kind, event.before, event.after) == ("severity", "high", "low")
    assert (event.actor, event.created_at) == (None, NOON + ONE)


def test_it_never_moves_first_seen_later_or_last_seen_earlier(source):
    record([problem()], source=source, now=NOON)
    record([problem(first_seen_at=NOON - ONE)], source=source, now=NOON + ONE)
    record([problem(first_seen_at=NOON + ONE)], source=source, now=NOON - ONE)
    finding = Finding.objects.get()
    assert (finding.first_seen_at, finding.last_seen_at) == (NOON - ONE, NOON + ONE)


def test_it_believes_no_finding_to_be_first_seen_in_the_future(source):
    record([problem(first_seen_at=NOON + ONE)], source=source, now=NOON)
    assert Finding.objects.get().first_seen_at == NOON


@pytest.mark.parametrize("gone", ["resolved", "auto_closed"])
def test_it_opens_a_gone_finding_again(source, gone):
    record([problem()], source=source, now=NOON)
    Finding.objects.update(status=gone, resolved_at=NOON)
    Evaluation.objects.update(unevaluated_since=None)
    recorded = record([problem()], source=source, now=NOON + ONE)
    finding = Finding.objects.get()
    event = FindingEvent.objects.get()
    assert recorded == Recorded(new=0, seen_again=0, reopened=1)
    assert (finding.status, finding.resolved_at) == ("open", None)
    assert finding.opened_at == finding.detection_changed_at == NOON + ONE
    assert finding.evaluation.unevaluated_since == finding.last_seen_at == NOON + ONE
    assert (event.kind, event.before, event.after) == ("reopened", gone, "open")


@pytest.mark.parametrize("ticket", ["automated", "manual", "test"])
def test_it_does_not_ask_for_a_decision_where_a_case_follows_the_finding(source, ticket):
    record([problem()], source=source)
    Finding.objects.update(status=Status.RESOLVED, ticket=ticket)
    Evaluation.objects.update(unevaluated_since=None)
    assert record([problem()], source=source).reopened == 1
    assert Finding.objects.get().evaluation.unevaluated_since is None
    assert Finding.objects.get().ticket == ticket


def test_it_forgets_that_a_reopened_finding_was_over_the_limit(source):
    record([problem()], source=source, now=NOON)
    Finding.objects.update(
        status=Status.RESOLVED,
        ticket=Ticket.OVER_LIMIT,
        ticket_rule_id="6f0c2f6e-6c52-4b5e-9b6d-5d0c2f3d9a10",
    )
    Evaluation.objects.update(unevaluated_since=None)
    record([problem()], source=source, now=NOON + ONE)
    finding = Finding.objects.get()
    assert (finding.ticket, finding.ticket_rule_id) == ("none", None)
    assert finding.evaluation.unevaluated_since == NOON + ONE


def test_it_asks_for_a_decision_from_when_a_finding_opened_again(source):
    record([problem()], source=source, now=NOON)
    Finding.objects.update(status=Status.RESOLVED)
    record([problem()], source=source, now=NOON + ONE)
    assert Finding.objects.get().evaluation.unevaluated_since == NOON + ONE


@pytest.mark.parametrize("status", ["muted", "in-progress"])
def test_it_keeps_the_status_of_a_finding_that_is_not_gone(source, status):
    record([problem()], source=source)
    Finding.objects.update(status=status)
    assert record([problem(title="Changed")], source=source).seen_again == 1
    assert Finding.objects.get().status == status


def test_it_lets_the_last_of_a_batch_win_and_counts_the_others_as_seen_again(source):
    recorded = record([problem(title="One"), problem(1), problem(title="Two")], source=source)
    assert recorded == Recorded(new=2, seen_again=1, reopened=0)
    assert Finding.objects.get(fingerprint="fingerprint-0").title == "Two"


def test_it_keeps_the_findings_of_two_sources_apart(source):
    record([problem()], source=source)
    assert record([problem()], source=SourceFactory(name="other")).new == 1
    assert Finding.objects.values("finding_id").distinct().count() == 2


def test_it_stores_what_looks_like_sql_or_copy_syntax(source):
    hostile = "\\N \\. \t\r\n'\"; DROP TABLE x; %s {}"
    for severity in ("high", "low"):  # once inserted, once updated
        given = problem(
            title=hostile, severity=severity, tags=("k:" + hostile,), attributes={hostile: hostile}
        )
        record([given], source=source)
        finding = Finding.objects.get()
        assert (finding.title, finding.severity) == (hostile, severity)
        assert (finding.tags, finding.attributes) == (["k:" + hostile], {hostile: hostile})


def test_it_rings_only_when_there_is_something_to_do(source, rings):
    assert rings(lambda: record([problem()], source=source)) == ["recorded"]
    assert rings(lambda: record([problem(title="Changed")], source=source)) == []
    Finding.objects.update(status=Status.RESOLVED)
    assert rings(lambda: record([problem()], source=source)) == ["recorded", "changed"]


@pytest.mark.parametrize("statement", range(6))
def test_it_records_all_or_nothing(source, statement):
    record([problem(), problem(1)], source=source, now=NOON)
    Finding.objects.update(status=Status.RESOLVED)
    before = list(Finding.objects.values())
    left = iter(range(statement, -1, -1))

    def die(execute, *query):
        if next(left, None) == 0:
            raise RuntimeError("the process dies here")
        return execute(*query)

    again = [problem(severity="low"), problem(1), problem(2)]
    with pytest.raises(RuntimeError), connection.execute_wrapper(die), transaction.atomic():
        record(again, source=source, now=NOON + ONE)
    assert list(Finding.objects.values()) == before
    assert not FindingEvent.objects.exists()


def test_it_takes_an_empty_batch(source):
    assert record([], source=source) == Recorded()


def statements(batch, source) -> int:
    with CaptureQueriesContext(connection) as captured:
        record(batch, source=source)
    return len(captured)


@pytest.mark.parametrize("size", [10, 1000])
def test_it_costs_a_constant_number_of_statements(source, size):
    batch = [problem(number) for number in range(size)]
    assert statements(batch, source) == 5  # source, known, keys, findings, evaluations
    assert statements(batch, source) == 3
    Finding.objects.update(status=Status.RESOLVED)
    worst = [problem(number, severity="low") for number in range(size - 5)]
    worst += [problem(number) for number in range(size - 5, size + 5)]
    assert statements(worst, source) == 12
