"""What people did to findings is put back exactly, once, unless somebody changed it since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.core.exceptions import PermissionDenied

from config.accounts.models import Act, ActRow, AuditEvent, User
from config.accounts.roles import Role
from config.accounts.undo.acts import forget_old
from config.accounts.undo.registry import CannotUndo
from config.accounts.undo.service import AlreadyUndone, HourPassed, undo
from findings import inbox, overrides, services
from findings.facts import Severity, Status
from findings.models import Evaluation, Finding, FindingEvent, InboxChoice
from findings.undo import ASSIGN, INBOX, MUTE, SEVERITY, STATUS, recorded
from tests.factories import FindingFactory, UserFactory
from tests.together import done_by_two_at_once

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RULE = UUID("7d6f0c1c-0f0e-4b0e-9a57-3a1a3f0b7c11")
_RULE = {"rule_id": str(RULE), "rule_name": "Quiet"}
OPEN = {
    "due_at": NOON,
    "due_rule_id": RULE,
    "workflow": {
        "automations": [{**_RULE, "rule_type": "due_date"}],
        "due_date": {"due_at": 1, "rule_id": str(RULE)},
    },
}
MUTED_BY_RULE = {
    "status": Status.MUTED,
    "muted_until": NOON + timedelta(days=9),
    "mute_rule_id": RULE,
    "workflow": {
        "automations": [{**_RULE, "rule_type": "mute"}],
        "mute": {"is_muted": True, "reason": "OTHER", **_RULE},
        "triage": {"assignee": {"name": "Vera Viewer"}},
    },
}
LOUD = {
    "severity": "critical",
    "base_severity": "low",
    "person_severity": "critical",
    "workflow": {"severity_override": {"value": "critical", "description": "Exploited"}},
}
IN_INBOX = {
    "is_in_inbox": True,
    "inbox_rule_id": str(RULE),
    "workflow": {
        "automations": [{**_RULE, "rule_type": "security_inbox"}],
        "security_inbox": {"added_at": 5, "added_by": None},
    },
}
ACTS = {
    "mute": (MUTE, lambda pks, **k: services.mute(pks, reason="OTHER", until=NOON, **k)),
    "open": (STATUS, lambda pks, **k: services.change_status(pks, status=Status.OPEN, **k)),
    "resolve": (STATUS, lambda pks, **k: services.change_status(pks, status=Status.RESOLVED, **k)),
    "assign": (ASSIGN, lambda pks, **k: services.assign(pks, assignee=k["actor"], **k)),
    "set low": (SEVERITY, lambda pks, **k: overrides.set_severity(pks, severity=Severity.LOW, **k)),
    "clear": (SEVERITY, overrides.clear_severity),
    "put in": (INBOX, lambda pks, **k: inbox.choose(pks, choice=InboxChoice.ADDED, **k)),
    "take out": (INBOX, lambda pks, **k: inbox.choose(pks, choice=InboxChoice.REMOVED, **k)),
}
LEFT_OUT = ("opened_at",)  # a time of evaluation is used once


def done(what: str, pks: list[int], *, actor: User) -> Act:
    kind, service = ACTS[what]
    with recorded(kind, pks, actor=actor) as recording:
        service(pks, actor=actor)
    assert recording.act is not None
    return recording.act


def columns() -> list[dict[str, object]]:
    names = [f.attname for f in Finding._meta.concrete_fields if f.attname not in LEFT_OUT]
    return list(Finding.objects.order_by("pk").values(*names, "evaluation__unevaluated_since"))


@pytest.mark.parametrize(
    ("what", "was", "event"),
    [
        ("mute", OPEN, ("unmuted", "muted", "open")),
        ("mute", {"status": "in-progress"}, ("unmuted", "muted", "in-progress")),
        ("mute", MUTED_BY_RULE, ("muted", "muted", "OTHER")),
        ("open", MUTED_BY_RULE, ("muted", "open", "OTHER")),
        ("open", {"status": "resolved", "resolved_at": NOON}, ("status", "open", "resolved")),
        ("resolve", OPEN, ("status", "resolved", "open")),
        ("resolve", MUTED_BY_RULE, ("muted", "resolved", "OTHER")),
        ("assign", MUTED_BY_RULE, ("assigned", "Alan Analyst", "Vera Viewer")),
        ("set low", {}, ("restored", "low", "high")),
        ("set low", LOUD, ("overridden", "low", "critical")),
        ("clear", LOUD, ("overridden", "low", "critical")),
        ("put in", {}, ("inbox_left", "", "")),
        ("take out", IN_INBOX, ("inbox_added", "", "")),
    ],
)
def test_it_puts_back_exactly_what_was(analyst, what, was, event):
    finding = FindingFactory(**was)
    before = columns()
    act = done(what, [finding.pk], actor=analyst)
    assert columns() != before

    outcome = undo(act.pk, actor=analyst)

    assert columns() == before
    assert outcome.left == {}
    last = FindingEvent.objects.latest("pk")
    assert (last.kind, last.before, last.after, last.note) == (*event, "Undo")
    assert last.actor == analyst
    audited = AuditEvent.objects.latest("pk")
    assert (audited.category, audited.action, audited.count) == ("finding", "undone", 1)


def test_it_keeps_what_the_source_says_meanwhile_beneath_a_severity(analyst):
    finding = FindingFactory(severity="high")
    act = done("set low", [finding.pk], actor=analyst)
    Finding.objects.update(base_severity="medium")

    undo(act.pk, actor=analyst)

    finding.refresh_from_db()
    assert (finding.severity, finding.base_severity, finding.person_severity) == ("medium", "", "")


def test_it_does_not_have_a_finding_evaluated_twice(analyst):
    finding = FindingFactory(status="resolved")
    act = done("open", [finding.pk], actor=analyst)
    Evaluation.objects.update(unevaluated_since=None)
    Finding.objects.update(ticket="automated", ticket_key="RISK-1")

    undo(act.pk, actor=analyst)

    finding.refresh_from_db()
    assert (finding.status, finding.evaluation.unevaluated_since) == ("resolved", None)
    assert (finding.ticket, finding.ticket_key) == ("automated", "RISK-1")


def test_it_changes_nothing_that_somebody_changed_since(frozen, analyst):
    finding = FindingFactory()
    act = done("mute", [finding.pk], actor=analyst)
    lena = UserFactory(name="Lena Brandt")
    services.change_status([finding.pk], status=Status.RESOLVED, actor=lena)
    before = columns()
    frozen.move_to(NOON + timedelta(minutes=2))

    outcome = undo(act.pk, actor=analyst)

    assert columns() == before
    [later] = outcome.left.values()
    assert later.sentence() == "Lena Brandt resolved it 2 min ago."
    act.refresh_from_db()
    assert act.undone_at is None


def test_it_puts_back_those_that_nobody_touched_and_names_the_others(analyst):
    pks = [FindingFactory().pk for _ in range(5)]
    act = done("mute", pks, actor=analyst)
    services.unmute(pks[:1], actor=UserFactory(name="Lena Brandt"))
    services.end_mutes(services.lock(pks[1:2]), {"is_muted": False}, actor=None, note="")
    Finding.objects.filter(pk=pks[2]).delete()

    outcome = undo(act.pk, actor=analyst)

    assert outcome.total == 5
    assert [later.who for later in outcome.left.values()] == ["Lena Brandt", "The system", ""]
    assert set(Finding.objects.values_list("status", flat=True)) == {"open"}
    assert ActRow.objects.exclude(reason="").count() == 3
    with pytest.raises(AlreadyUndone):
        undo(act.pk, actor=analyst)


@pytest.mark.parametrize("hours", [1, 23])
def test_it_is_not_offered_after_an_hour(frozen, analyst, hours):
    act = done("mute", [FindingFactory().pk], actor=analyst)
    frozen.move_to(NOON + timedelta(hours=hours))
    forget_old(NOON + timedelta(hours=hours, seconds=1))

    with pytest.raises(HourPassed):
        undo(act.pk, actor=analyst)
    assert not ActRow.objects.exists()


def test_it_forgets_an_act_after_a_day(frozen, analyst):
    act = done("mute", [FindingFactory().pk], actor=analyst)
    forget_old(NOON + timedelta(hours=26))
    with pytest.raises(Act.DoesNotExist):
        undo(act.pk, actor=analyst)


def test_it_is_for_who_acted_and_for_admins_as_long_as_they_may(analyst, admin):
    pk = FindingFactory().pk
    act = done("mute", [pk], actor=analyst)
    with pytest.raises(CannotUndo, match="Only Alan Analyst or an admin can undo this"):
        undo(act.pk, actor=UserFactory(role=Role.EDITOR))
    analyst.role = Role.VIEWER
    with pytest.raises(PermissionDenied):
        undo(act.pk, actor=analyst)
    undo(act.pk, actor=admin)
    assert Finding.objects.get().status == "open"


def test_it_keeps_no_act_that_changed_nothing(analyst):
    finding = FindingFactory(status="resolved")
    with recorded(MUTE, [finding.pk], actor=analyst) as recording:
        services.mute([finding.pk], reason="OTHER", actor=analyst)
    assert recording.act is None
    assert not Act.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_exactly_one_undoes_it(analyst):
    act = done("mute", [FindingFactory().pk for _ in range(20)], actor=analyst)
    outcomes = done_by_two_at_once(lambda: undo(act.pk, actor=analyst), AlreadyUndone)
    assert outcomes == ["AlreadyUndone", "done"]
    assert FindingEvent.objects.filter(kind="unmuted").count() == 20
