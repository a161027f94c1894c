"""A person's severity above the source's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from config.accounts.api_keys import KeyActor
from findings.facts import Facts, Severity, lookup
from findings.models import Finding, FindingEvent
from findings.overrides import clear_severity, set_severity
from findings.query.parse import parse
from findings.query.predicate import compile_predicate
from findings.query.sql import condition
from findings.services import mute, record
from tests.factories import FindingFactory, SourceFactory, reported

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ONE = timedelta(hours=1)
NOON_MS = 1_795_435_200_000
KEY = UUID("6f0c2f6e-6c52-4b5e-9b6d-5d0c2f3d9a10")

pytestmark = pytest.mark.django_db


def severities() -> list[tuple[str, str, str]]:
    rows = Finding.objects.order_by("pk")
    return [(row.severity, row.source_severity, row.base_severity) for row in rows]


def events() -> list[tuple[str, str, str, str]]:
    return list(FindingEvent.objects.order_by("pk").values_list("kind", "before", "after", "note"))


@pytest.fixture
def reports():
    """`reports(severity)`: the source reports its one finding with it."""
    source = SourceFactory()
    hours = iter(range(100))

    def report(severity: str, **fields):
        now = NOON + next(hours) * ONE
        record(reported(1, severity=severity, **fields), source=source, now=now)
        return Finding.objects.get()

    return report


def test_it_sets_a_severity_above_the_sources(frozen, analyst):
    finding = FindingFactory(severity="high")
    said = {"severity": Severity.CRITICAL, "description": "Exploited in the wild"}
    assert set_severity([finding.pk], **said, actor=analyst) == 1
    finding.refresh_from_db()
    assert (finding.severity, finding.severity_rank) == ("critical", 6)
    assert (finding.base_severity, finding.source_severity) == ("high", "high")
    assert finding.workflow["severity_override"] == {
        "value": "critical",
        "description": "Exploited in the wild",
        "updated_at": NOON_MS,
        "updated_by": {"id": str(analyst.pk), "name": analyst.name},
    }
    assert events() == [("overridden", "high", "critical", "Exploited in the wild")]
    assert FindingEvent.objects.get().actor == analyst


def test_it_changes_only_the_base_when_the_source_says_another_severity(reports, analyst):
    finding = reports("high")
    set_severity([finding.pk], severity=Severity.CRITICAL, actor=analyst)
    finding = reports("low", title="Renamed")
    assert (finding.severity, finding.source_severity) == ("critical", "low")
    assert finding.title == "Renamed"
    assert finding.detection_changed_at == NOON + ONE
    assert events()[-1] == ("reported", "high", "low", "")


def test_it_keeps_the_override_through_everything_a_source_says(reports, analyst):
    finding = reports("high")
    set_severity([finding.pk], severity=Severity.INFO, actor=analyst)
    for severity in ("high", "high", "critical", "info", "low"):
        assert reports(severity).severity == "info"
    Finding.objects.update(status="resolved")
    finding = reports("low")
    assert (finding.status, finding.severity, finding.source_severity) == ("open", "info", "low")


def test_it_holds_even_where_it_equals_what_the_source_said(reports, analyst):
    finding = reports("high")
    set_severity([finding.pk], severity=Severity.HIGH, actor=analyst)
    assert severities() == [("high", "high", "high")]
    assert reports("low").severity == "high"


def test_it_lets_the_sources_hold_again(reports, analyst):
    finding = reports("high")
    set_severity([finding.pk], severity=Severity.CRITICAL, actor=analyst)
    reports("medium")
    assert clear_severity([finding.pk], description="A mistake", actor=analyst) == 1
    assert severities() == [("medium", "medium", "")]
    assert "severity_override" not in Finding.objects.get().workflow
    assert events()[-1] == ("restored", "critical", "medium", "A mistake")
    assert reports("low").severity == "low"
    assert events()[-1] == ("severity", "medium", "low", "")


def test_it_keeps_the_source_s_severity_when_the_override_is_set_anew(analyst):
    finding = FindingFactory(severity="high")
    for severity in (Severity.CRITICAL, Severity.LOW):
        set_severity([finding.pk], severity=severity, actor=analyst)
    assert severities() == [("low", "high", "high")]
    assert [event[:3] for event in events()] == [
        ("overridden", "high", "critical"),
        ("overridden", "critical", "low"),
    ]


def test_it_does_nothing_twice(frozen, analyst):
    finding = FindingFactory(severity="high")
    said = {"severity": Severity.LOW, "description": "In tests only", "actor": analyst}
    assert set_severity([finding.pk], **said) == 1
    before = Finding.objects.values().get()
    frozen.shift(ONE)
    assert set_severity([finding.pk], **said) == 0
    assert (Finding.objects.values().get(), len(events())) == (before, 1)
    assert clear_severity([finding.pk], actor=analyst) == 1
    assert clear_severity([finding.pk], actor=analyst) == 0
    assert len(events()) == 2


def test_it_leaves_auto_closed_findings_alone(analyst):
    closed = FindingFactory(severity="high", status="auto_closed")
    resolved = FindingFactory(severity="high", status="resolved")
    both = [closed.pk, resolved.pk]
    assert set_severity(both, severity=Severity.LOW, actor=analyst) == 1
    assert severities() == [("high", "high", ""), ("low", "high", "high")]
    Finding.objects.filter(pk=resolved.pk).update(status="auto_closed")
    assert clear_severity(both, actor=analyst) == 0


def test_it_leaves_the_rest_of_the_workflow_as_it_is(analyst):
    finding = FindingFactory()
    mute([finding.pk], reason="OTHER", actor=analyst)
    muted = Finding.objects.get().workflow
    set_severity([finding.pk], severity=Severity.LOW, actor=analyst)
    assert Finding.objects.get().workflow["mute"] == muted["mute"]
    clear_severity([finding.pk], actor=analyst)
    assert Finding.objects.get().workflow == muted


def test_it_names_the_key_that_set_it():
    finding = FindingFactory()
    key = KeyActor(id=KEY, name="ci", permissions=frozenset())
    set_severity([finding.pk], severity=Severity.LOW, actor=key)
    noted = Finding.objects.get().workflow["severity_override"]["updated_by"]
    assert noted == {"id": str(KEY), "name": "ci"}
    assert FindingEvent.objects.values_list("actor", "key_name").get() == (None, "ci")


def test_it_rings_once_and_only_for_a_change(rings, analyst):
    findings = FindingFactory.create_batch(3)
    pks = [finding.pk for finding in findings]
    assert rings(lambda: set_severity(pks, severity=Severity.LOW, actor=analyst)) == ["changed"]
    assert rings(lambda: set_severity(pks, severity=Severity.LOW, actor=analyst)) == []


@pytest.mark.parametrize("size", [1, 100])
def test_it_costs_a_constant_number_of_statements(size, analyst):
    pks = [finding.pk for finding in FindingFactory.create_batch(size)]
    for change in (
        lambda: set_severity(pks, severity=Severity.LOW, actor=analyst),
        lambda: clear_severity(pks, actor=analyst),
    ):
        with CaptureQueriesContext(connection) as captured:
            assert change() == size
        # savepoint, lock, findings, their evaluations, events, audit, release
        assert len(captured) == 7


@pytest.mark.parametrize("size", [10, 1000])
def test_it_costs_a_report_no_statement_more(size, analyst):
    source = SourceFactory()
    record(reported(size), source=source)
    pks = list(Finding.objects.values_list("pk", flat=True))
    set_severity(pks, severity=Severity.CRITICAL, actor=analyst)
    with CaptureQueriesContext(connection) as captured:
        record(reported(size, severity="low"), source=source)
    assert len(captured) == 7  # source, known, seen, update, changed at, evaluations, events


@pytest.mark.parametrize("statement", range(4))
def test_it_sets_all_or_nothing(statement, analyst):
    pks = [finding.pk for finding in FindingFactory.create_batch(3)]
    before = list(Finding.objects.values())
    left = iter(range(statement, -1, -1))

    def die(execute, *query):
        if next(left, None) == 0:
            raise RuntimeError("the process dies here")
        return execute(*query)

    with pytest.raises(RuntimeError), connection.execute_wrapper(die), transaction.atomic():
        set_severity(pks, severity=Severity.LOW, actor=analyst)
    assert (list(Finding.objects.values()), events()) == (before, [])


@pytest.mark.parametrize(
    ("query", "finds"),
    [
        ("@severity:critical", True),
        ("@severity:high", False),
        ("@severity_details.base.value:high", True),
        ("@severity_details.adjusted.value:HIGH", True),
        ("@severity_details.adjusted.value:critical", False),
        ("@severity_details.base.value:h*", True),
        ("@workflow.severity_override.value:critical", True),
        ("-@workflow.severity_override.value:*", False),
    ],
)
def test_it_is_found_by_either_severity(query, finds, analyst):
    set_severity([FindingFactory(severity="high").pk], severity=Severity.CRITICAL, actor=analyst)
    root = parse(query).root
    assert Finding.objects.filter(condition(root)).exists() is finds
    facts = Facts._make(Finding.objects.values_list(*map(lookup, Facts._fields)).get())
    assert compile_predicate(root)(facts) is finds


def test_it_keeps_unknown_severities_out_of_the_database():
    finding = FindingFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        Finding.objects.filter(pk=finding.pk).update(base_severity="severe")
