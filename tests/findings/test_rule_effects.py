"""What rules do to findings, and that a person's word stands above it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from findings import mute_expiry, services
from findings.facts import Severity, Status
from findings.models import Evaluation, Finding, FindingEvent
from findings.overrides import clear_severity, set_severity
from findings.rule_effects import (
    MuteSpec,
    RuleActor,
    claim_for_recheck,
    mute,
    set_due_dates,
    set_inbox,
    set_severities,
    unmute,
)
from tests.factories import FindingFactory, SourceFactory, reported

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NOON_MS = 1_795_435_200_000
ONE = timedelta(hours=1)
RULE = RuleActor("6f0c2f6e-6c52-4b5e-9b6d-5d0c2f3d9a10", "Loud")
OTHER = RuleActor("6f0c2f6e-6c52-4b5e-9b6d-5d0c2f3d9a11", "Quiet")
DEFAULT = RuleActor("secret_default_rule", "Secrets")
WHY = MuteSpec("risk_accepted", "Until the move", NOON + ONE)
DAY = date(2026, 11, 30)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon(frozen):
    return frozen


def ask(act):
    """`act` with the one finding; what it gives back, which is what the row then says."""
    with transaction.atomic():
        [claimed] = claim_for_recheck(limit=1)
        [after] = act(claimed)
    with transaction.atomic():
        assert claim_for_recheck(limit=1) == [after]
    return after


def raise_it(severity="critical", rule=RULE):
    return ask(lambda f: set_severities([(f, severity, rule)], now=NOON))


def mute_it(spec=WHY, rule=RULE):
    return ask(lambda f: mute([(f, spec, rule)], now=NOON))


def unmute_it(note=""):
    return ask(lambda f: unmute([f], now=NOON, note=note))


def put_in(rule=RULE):
    return ask(lambda f: set_inbox([(f, rule is not None, rule)], now=NOON))


def date_it(day=DAY, rule=RULE):
    return ask(lambda f: set_due_dates([(f, day, rule)], now=NOON))


def events(*also):
    columns = ("kind", "before", "after", "rule_name", *also)
    return list(FindingEvent.objects.order_by("pk").values_list(*columns))


def automations() -> list[tuple[str, str]]:
    entries = Finding.objects.get().workflow.get("automations", [])
    return [(entry["rule_type"], entry["rule_name"]) for entry in entries]


# --- Severity -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "person", "holds", "base"),
    [
        ("", "", "high", ""),
        ("critical", "", "critical", "high"),
        ("", "low", "low", "high"),
        ("critical", "low", "low", "high"),
        ("critical", "critical", "critical", "high"),
        ("critical", "high", "high", "high"),
    ],
)
@pytest.mark.parametrize("first", ["rule", "person"])
def test_a_persons_severity_stands_above_a_rules_above_the_sources(
    first, rule, person, holds, base, analyst
):
    finding = FindingFactory(severity="high")
    acts = {
        "rule": lambda: raise_it(rule, RULE if rule else None),
        "person": lambda: (
            person and set_severity([finding.pk], severity=Severity(person), actor=analyst)
        ),
    }
    for act in sorted(acts, key=lambda name: name != first):
        acts[act]()
    finding.refresh_from_db()
    assert (finding.severity, finding.base_severity) == (holds, base)
    assert (finding.source_severity, finding.rule_severity) == ("high", rule)
    clear_severity([finding.pk], actor=analyst)
    finding.refresh_from_db()
    assert (finding.severity, finding.source_severity) == (rule or "high", "high")


def test_it_says_that_a_rule_raised_it():
    FindingFactory(severity="high")
    after = raise_it()
    assert (after.facts.severity, after.facts.source_severity) == ("critical", "high")
    assert after.state.severity_rule_id == UUID(RULE.id)
    assert events() == [("adjusted", "high", "critical", "Loud")]
    assert automations() == [("severity_modifier", "Loud")]
    raise_it("", None)
    assert events()[1:] == [("restored", "critical", "high", "Loud")]
    assert (automations(), Finding.objects.get().base_severity) == ([], "")


def test_it_tells_no_change_of_a_severity_that_a_persons_hides(analyst):
    finding = FindingFactory(severity="high")
    set_severity([finding.pk], severity=Severity.LOW, actor=analyst)
    raise_it()
    assert [kind for kind, *_ in events()] == ["overridden"]
    assert automations() == [("severity_modifier", "Loud")]


def test_it_asks_the_rule_again_when_the_source_says_another_severity():
    source = SourceFactory()
    services.record(reported(1, severity="high"), source=source, now=NOON)
    Evaluation.objects.update(unevaluated_since=None)
    raise_it()
    services.record(reported(1, severity="low"), source=source, now=NOON + ONE)
    with transaction.atomic():
        [marked] = claim_for_recheck(limit=5, only_marked=True)
        assert claim_for_recheck(limit=5, only_marked=True) == []
    assert (marked.facts.severity, marked.facts.source_severity) == ("critical", "low")
    assert events()[-1] == ("reported", "high", "low", "")


# --- Mute ---------------------------------------------------------------------------------


def test_it_mutes_for_a_rule_and_opens_again(rings):
    FindingFactory(status=Status.IN_PROGRESS)
    assert rings(mute_it) == ["changed"]
    finding = Finding.objects.get()
    assert (finding.status, finding.muted_until) == ("muted", NOON + ONE)
    assert finding.workflow["mute"] == {
        "is_muted": True,
        "is_muted_by_rule": True,
        "rule_id": RULE.id,
        "rule_name": "Loud",
        "reason": "risk_accepted",
        "description": "Until the move",
        "expire_at": NOON_MS + 3_600_000,
        "muted_at": NOON_MS,
    }
    assert rings(unmute_it) == ["changed"]
    finding = Finding.objects.get()
    assert (finding.status, finding.mute_rule_id) == ("open", None)
    assert finding.evaluation.unevaluated_since is None
    assert (finding.workflow, finding.is_mute_lifted) == ({"mute": {"is_muted": False}}, False)
    assert events("note") == [
        ("muted", "in-progress", "risk_accepted", "Loud", "Until the move"),
        ("unmuted", "muted", "open", "Loud", ""),
    ]


def test_it_changes_rules_without_opening_the_finding(rings):
    FindingFactory()
    mute_it()
    assert rings(lambda: mute_it(MuteSpec("other"), OTHER)) == []
    assert automations() == [("mute", "Quiet")]
    assert events()[-1] == ("muted", "muted", "other", "Quiet")


def test_it_leaves_a_persons_mute_alone(analyst):
    finding = FindingFactory()
    services.mute([finding.pk], reason="false_positive", actor=analyst)
    before = Finding.objects.values().get()
    mute_it()
    unmute_it()
    assert Finding.objects.values().get() == before


def unmute_by(analyst, pk):
    services.unmute([pk], actor=analyst)


def open_by(analyst, pk):
    services.change_status([pk], status=Status.IN_PROGRESS, actor=analyst)


@pytest.mark.parametrize("lift", [unmute_by, open_by])
def test_a_mute_that_a_person_lifts_stays_lifted(lift, analyst):
    finding = FindingFactory()
    mute_it()
    lift(analyst, finding.pk)
    assert mute_it().facts.status in ("open", "in-progress")
    services.mute([finding.pk], reason="other", actor=analyst)
    services.unmute([finding.pk], actor=analyst)
    assert mute_it().facts.status == "open"
    assert automations() == []


def test_a_mute_stays_lifted_until_the_finding_is_reported_anew(analyst):
    source = SourceFactory()
    services.record(reported(1), source=source, now=NOON)
    Evaluation.objects.update(unevaluated_since=None)
    Finding.objects.update(is_mute_lifted=True)
    pks = [Finding.objects.get().pk]
    services.change_status(pks, status=Status.RESOLVED, actor=analyst)
    assert Finding.objects.get().is_mute_lifted
    services.record(reported(1), source=source, now=NOON + ONE)
    assert not Finding.objects.get().is_mute_lifted


def test_it_asks_the_rules_when_a_rules_mute_ends(rings):
    FindingFactory()
    mute_it()
    assert rings(lambda: mute_expiry.wake_muted(NOON + ONE)) == []
    with transaction.atomic():
        [marked] = claim_for_recheck(limit=1, only_marked=True)
    assert marked.facts.status == "muted"


# --- Inbox and due date -------------------------------------------------------------------


def test_it_puts_into_the_inbox_and_takes_out():
    FindingFactory()
    assert put_in(DEFAULT).facts.is_in_security_inbox
    put_in(RULE)
    assert automations() == [("security_inbox", "Loud")]
    assert Finding.objects.get().workflow["security_inbox"]["added_at"] == NOON_MS
    assert not put_in(None).state.is_in_inbox
    assert events() == [("inbox_added", "", "", "Secrets"), ("inbox_left", "", "", "Loud")]
    assert Finding.objects.get().workflow == {}


def test_it_sets_and_takes_away_a_due_date():
    FindingFactory()
    assert date_it().state.due_on == DAY
    finding = Finding.objects.get()
    assert (finding.due_at, finding.due_rule_id) == (
        datetime(2026, 11, 30, tzinfo=UTC),
        UUID(RULE.id),
    )
    assert finding.workflow["due_date"] == {"due_at": 1_795_996_800_000, "rule_id": RULE.id}
    date_it(rule=OTHER)
    assert automations() == [("due_date", "Quiet")]
    assert date_it(None, None).state.due_on is None
    assert events() == [("due", "", "2026-11-30", "Loud"), ("due", "2026-11-30", "", "Quiet")]
    assert Finding.objects.get().workflow == {}


@pytest.mark.parametrize(
    "leave",
    [
        lambda pk, actor: services.mute([pk], reason="other", actor=actor),
        lambda pk, actor: services.change_status([pk], status=Status.RESOLVED, actor=actor),
        lambda pk, actor: mute_it(),
    ],
)
def test_a_finding_that_asks_for_no_work_has_no_due_date(leave, analyst):
    finding = FindingFactory()
    raise_it()
    date_it()
    leave(finding.pk, analyst)
    finding.refresh_from_db()
    assert (finding.due_at, finding.due_rule_id) == (None, None)
    assert "due_date" not in finding.workflow
    assert finding.severity == "critical"
    if finding.status == "muted":
        assert date_it().state.due_on is None


@pytest.mark.parametrize(
    "act",
    [
        lambda pk, actor: services.unmute([pk], actor=actor),
        lambda pk, actor: set_severity([pk], severity=Severity.LOW, actor=actor),
        lambda pk, actor: clear_severity([pk], actor=actor),
        lambda pk, actor: services.change_status([pk], status=Status.OPEN, actor=actor),
    ],
)
def test_it_asks_the_rules_again_after_what_a_person_did(act, analyst):
    finding = FindingFactory()
    set_severity([finding.pk], severity=Severity.HIGH, actor=analyst)
    services.mute([finding.pk], reason="other", actor=analyst)
    Evaluation.objects.update(recheck_since=None)
    act(finding.pk, analyst)
    with transaction.atomic():
        assert [f.pk for f in claim_for_recheck(limit=1, only_marked=True)] == [finding.pk]


def test_it_keeps_since_when_there_is_a_fix():
    source = SourceFactory()
    for hour, is_fixed in enumerate([False, False, True, True]):
        batch = reported(1, attributes={"vulnerability": {"is_fix_available": is_fixed}, "n": hour})
        services.record(batch, source=source, now=NOON + hour * ONE)
    assert Finding.objects.get().fix_available_at == NOON + 2 * ONE


# --- All of them --------------------------------------------------------------------------

ACTS = {
    "severity": lambda found: set_severities([(f, "critical", RULE) for f in found], now=NOON),
    "back": lambda found: set_severities([(f, "", None) for f in found], now=NOON),
    "mute": lambda found: mute([(f, WHY, RULE) for f in found], now=NOON),
    "unmute": lambda found: unmute(found, now=NOON, note="Deleted"),
    "inbox": lambda found: set_inbox([(f, True, RULE) for f in found], now=NOON),
    "out": lambda found: set_inbox([(f, False, None) for f in found], now=NOON),
    "due": lambda found: set_due_dates([(f, DAY, RULE) for f in found], now=NOON),
    "undue": lambda found: set_due_dates([(f, None, None) for f in found], now=NOON),
}
_FIRST = {"back": "severity", "unmute": "mute", "out": "inbox", "undue": "due"}


@pytest.mark.parametrize("size", [1, 40])
@pytest.mark.parametrize("name", ACTS)
def test_it_costs_two_statements_and_the_same_again_none(name, size):
    FindingFactory.create_batch(size)
    with transaction.atomic():
        found = claim_for_recheck(limit=100)
        found = ACTS[_FIRST[name]](found) if name in _FIRST else found
        with CaptureQueriesContext(connection) as captured:
            after = ACTS[name](found)
        assert len(captured) == 2  # events, findings
        with CaptureQueriesContext(connection) as captured:
            assert ACTS[name](after) == after
        assert len(captured) == 0
    assert [f.pk for f in after] == [f.pk for f in found]


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize("status", [Status.RESOLVED, Status.AUTO_CLOSED])
def test_it_leaves_closed_findings_as_they_are(name, status):
    FindingFactory()
    with transaction.atomic():
        claimed = claim_for_recheck(limit=1)
        claimed = ACTS[_FIRST[name]](claimed) if name in _FIRST else claimed
    Finding.objects.update(status=status)
    closed = [f._replace(facts=f.facts._replace(status=status.value)) for f in claimed]
    before = Finding.objects.values().get()
    with transaction.atomic():
        assert ACTS[name](closed) == closed
    assert Finding.objects.values().get() == before


def test_it_claims_by_primary_key_what_is_here_and_waits_for_nothing():
    here = [FindingFactory(), FindingFactory(status="muted"), FindingFactory(status="in-progress")]
    FindingFactory(unevaluated_since=NOON)
    for status in (Status.RESOLVED, Status.AUTO_CLOSED):
        FindingFactory(status=status)
    with transaction.atomic():
        first = claim_for_recheck(limit=2)
        rest = claim_for_recheck(after_pk=first[-1].pk, limit=2)
        assert claim_for_recheck(after_pk=rest[-1].pk, limit=2) == []
    assert [f.pk for f in (*first, *rest)] == [f.pk for f in here]


def test_it_names_the_rules_in_the_order_of_the_pipeline():
    FindingFactory()
    date_it()
    put_in(DEFAULT)
    raise_it(rule=OTHER)
    kinds = ["severity_modifier", "security_inbox", "due_date"]
    assert [kind for kind, _ in automations()] == kinds
