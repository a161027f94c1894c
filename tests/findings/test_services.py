"""What the pipeline and people do to findings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from findings import mute_expiry, services
from findings.facts import Facts, Status, Ticket
from findings.models import Evaluation, Finding, FindingEvent
from findings.services import TicketUpdate
from tests.factories import FindingFactory

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ONE = timedelta(hours=1)
NOON_MS = 1_795_435_200_000
RULE = UUID("6f0c2f6e-6c52-4b5e-9b6d-5d0c2f3d9a10")

pytestmark = pytest.mark.django_db


def events() -> list[tuple[str, str, str, str]]:
    return list(FindingEvent.objects.order_by("pk").values_list("kind", "before", "after", "note"))


def test_it_claims_what_waits_longest_first():
    second = FindingFactory(unevaluated_since=NOON + ONE)
    first = FindingFactory(
        unevaluated_since=NOON, tags=["env:prod"], attributes={"a": {"b": 1}}, severity="low"
    )
    FindingFactory(unevaluated_since=None)
    with transaction.atomic():
        claimed = services.claim_unevaluated(limit=10)
        assert [claim.pk for claim in services.claim_unevaluated(limit=1)] == [first.pk]
    assert [claim.pk for claim in claimed] == [first.pk, second.pk]
    facts = claimed[0].facts
    assert isinstance(facts, Facts)
    assert (facts.severity, facts.tags, facts.attributes) == ("low", ["env:prod"], {"a": {"b": 1}})
    assert (facts.finding_id, facts.ticket) == (first.finding_id, "none")


@pytest.mark.parametrize(
    "said",
    [
        {"first_seen_at": NOON - timedelta(microseconds=1), "last_seen_at": NOON + ONE},
        {"first_seen_at": datetime(1970, 1, 1, tzinfo=UTC), "last_seen_at": NOON},
        {"tags": [], "attributes": {}, "workflow": {"mute": {"reason": "ä'\"\\\n"}}},
        {"tags": ["k:ü"], "attributes": {"n": [1e300, 2**63 - 1, -0.5, None, True, {"ä": "\t"}]}},
        {
            "base_severity": "high",
            "severity": "low",
            "ticket": "over_limit",
            "ticket_rule_id": RULE,
        },
    ],
)
def test_a_claim_has_the_facts_of_the_row(said):
    FindingFactory(unevaluated_since=NOON, **said)
    finding = Finding.objects.get()
    with transaction.atomic():
        (claimed,) = services.claim_unevaluated(limit=1)
    expected = Facts(*[getattr(finding, name) for name in Facts._fields])
    assert (claimed.pk, claimed.facts) == (finding.pk, expected)


def test_it_settles_what_was_evaluated():
    done, waiting = FindingFactory.create_batch(2, unevaluated_since=NOON)
    services.settle_evaluated([done.pk], decided_at=NOON)
    assert Evaluation.objects.get(unevaluated_since=None, decided_at=NOON).finding == done
    assert Evaluation.objects.get(unevaluated_since=NOON).finding == waiting


def test_it_stores_tickets_in_one_statement():
    findings = FindingFactory.create_batch(30)
    workflow = {"automations": [{"rule_id": str(RULE)}], "note": "ä'\"\\"}
    updates = [
        TicketUpdate(f.pk, Ticket.AUTOMATED, f"SEC-{n}", "OPEN", RULE if n else None, workflow)
        for n, f in enumerate(findings)
    ]
    with CaptureQueriesContext(connection) as captured:
        services.store_tickets(updates)
    assert len(captured) == 1
    stored = Finding.objects.get(pk=findings[7].pk)
    assert (stored.ticket, stored.ticket_key, stored.ticket_status) == (
        "automated",
        "SEC-7",
        "OPEN",
    )
    assert (stored.ticket_rule_id, stored.workflow) == (RULE, workflow)
    assert Finding.objects.get(pk=findings[0].pk).ticket_rule_id is None
    assert Finding.objects.filter(ticket_rule_id=RULE).count() == 29


def test_it_refuses_a_ticket_key_longer_than_its_column():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no length of text columns")
    finding = FindingFactory()
    update = TicketUpdate(finding.pk, Ticket.MANUAL, "K" * 41, "OPEN", None, {})
    with pytest.raises(Exception, match="too long"), transaction.atomic():
        services.store_tickets([update])


def test_it_stores_no_tickets_without_a_statement(django_assert_num_queries):
    with django_assert_num_queries(0):
        services.store_tickets([])


def test_it_resolves_a_finding(frozen, analyst, rings):
    finding = FindingFactory()
    names = rings(
        lambda: services.change_status([finding.pk], status=Status.RESOLVED, actor=analyst)
    )
    finding.refresh_from_db()
    assert (finding.status, finding.resolved_at) == ("resolved", NOON)
    assert finding.detection_changed_at == NOON
    assert events() == [("status", "open", "resolved", "")]
    assert FindingEvent.objects.get().actor == analyst
    assert names == ["changed"]


def test_it_asks_for_a_decision_when_a_person_opens_a_resolved_finding(frozen, analyst, rings):
    finding = FindingFactory(
        status=Status.RESOLVED, first_seen_at=NOON - ONE - ONE, resolved_at=NOON - ONE
    )
    names = rings(
        lambda: services.change_status([finding.pk], status=Status.IN_PROGRESS, actor=analyst)
    )
    finding.refresh_from_db()
    assert (finding.status, finding.resolved_at) == ("in-progress", None)
    assert finding.evaluation.unevaluated_since == finding.opened_at == NOON
    assert names == ["recorded", "changed"]


def test_it_asks_for_no_decision_when_a_finding_only_comes_into_progress(analyst):
    finding = FindingFactory()
    assert services.change_status([finding.pk], status=Status.IN_PROGRESS, actor=analyst) == 1
    finding.refresh_from_db()
    assert (finding.status, finding.evaluation.unevaluated_since) == ("in-progress", None)


def test_it_changes_nothing_where_the_status_is_that_already(analyst, rings):
    finding = FindingFactory(status=Status.OPEN)
    names = rings(lambda: services.change_status([finding.pk], status=Status.OPEN, actor=analyst))
    assert (events(), names) == ([], [])


def test_it_keeps_when_a_finding_was_resolved_first(frozen):
    finding = FindingFactory(status=Status.AUTO_CLOSED, resolved_at=NOON - ONE)
    services.change_status([finding.pk], status=Status.RESOLVED, actor=None)
    finding.refresh_from_db()
    assert (finding.status, finding.resolved_at) == ("resolved", NOON - ONE)


def test_it_ends_the_mute_of_a_finding_whose_status_changes(analyst):
    finding = FindingFactory()
    services.mute([finding.pk], reason="false_positive", until=NOON + ONE, actor=analyst)
    services.change_status([finding.pk], status=Status.IN_PROGRESS, actor=analyst)
    finding.refresh_from_db()
    assert (finding.muted_until, finding.workflow["mute"]) == (None, {"is_muted": False})


def test_it_does_not_mute_without_a_reason(analyst):
    with pytest.raises(ValueError, match="mute"):
        services.change_status([1], status=Status.MUTED, actor=analyst)


def test_it_mutes_with_a_reason_and_an_end(frozen, analyst, rings):
    finding = FindingFactory(workflow={"triage": {"assignee": None}})
    names = rings(
        lambda: services.mute(
            [finding.pk],
            reason="risk_accepted",
            description="Until the move",
            until=NOON + ONE,
            actor=analyst,
        )
    )
    finding.refresh_from_db()
    assert (finding.status, finding.muted_until) == ("muted", NOON + ONE)
    assert finding.workflow == {
        "triage": {"assignee": None},
        "mute": {
            "is_muted": True,
            "reason": "risk_accepted",
            "description": "Until the move",
            "expire_at": NOON_MS + 3_600_000,
            "muted_at": NOON_MS,
            "muted_by": {"id": str(analyst.pk), "name": "Alan Analyst"},
        },
    }
    assert events() == [("muted", "open", "risk_accepted", "Until the move")]
    assert names == ["changed"]


def test_it_mutes_no_finding_that_is_gone(analyst):
    finding = FindingFactory(status=Status.RESOLVED)
    assert services.mute([finding.pk], reason="other", actor=analyst) == 0
    assert not events()


def test_it_unmutes_to_open(analyst, rings):
    finding = FindingFactory()
    services.mute([finding.pk], reason="other", until=NOON, actor=analyst)
    names = rings(lambda: services.unmute([finding.pk, FindingFactory().pk], actor=analyst))
    finding.refresh_from_db()
    assert (finding.status, finding.muted_until) == ("open", None)
    assert finding.workflow["mute"] == {"is_muted": False}
    assert finding.evaluation.unevaluated_since is None
    assert events()[1:] == [("unmuted", "muted", "open", "")]
    assert names == ["changed"]


def test_it_wakes_what_was_muted_until_now(analyst):
    due, later, forever = FindingFactory.create_batch(3)
    services.mute([due.pk], reason="other", until=NOON, actor=analyst)
    services.mute([later.pk], reason="other", until=NOON + ONE, actor=analyst)
    services.mute([forever.pk], reason="other", actor=analyst)
    assert mute_expiry.wake_muted(NOON)
    assert Finding.objects.get(status=Status.OPEN) == due
    assert events()[-1] == ("unmuted", "muted", "open", "The mute ended.")


def test_it_assigns_and_takes_away(frozen, analyst, editor):
    finding = FindingFactory(workflow={"mute": {"is_muted": False}})
    services.assign([finding.pk], assignee=analyst, actor=editor)
    finding.refresh_from_db()
    assert finding.workflow == {
        "mute": {"is_muted": False},
        "triage": {
            "assignee": {
                "id": str(analyst.pk),
                "name": "Alan Analyst",
                "updated_at": NOON_MS,
                "updated_by": {"id": str(editor.pk), "name": "Edith Editor"},
            }
        },
    }
    services.assign([finding.pk], assignee=None, actor=editor)
    finding.refresh_from_db()
    assert finding.workflow["triage"] == {"assignee": None}
    assert events() == [
        ("assigned", "", "Alan Analyst", ""),
        ("assigned", "Alan Analyst", "", ""),
    ]


@pytest.mark.parametrize(
    "action",
    [
        lambda pks, actor: services.change_status(pks, status=Status.RESOLVED, actor=actor),
        lambda pks, actor: services.mute(pks, reason="other", actor=actor),
        lambda pks, actor: services.assign(pks, assignee=actor, actor=actor),
    ],
)
def test_it_costs_a_constant_number_of_statements(action, analyst):
    counts = []
    for size in (1, 40):
        pks = [finding.pk for finding in FindingFactory.create_batch(size)]
        with CaptureQueriesContext(connection) as captured:
            action(pks, analyst)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 7


def test_it_locks_in_the_order_of_keys():
    findings = FindingFactory.create_batch(3)
    with transaction.atomic():
        locked = services.lock(finding.pk for finding in reversed(findings))
    assert locked == findings
