"""Findings go back to the tickets they were on, exactly, unless somebody moved them since."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from django.utils import timezone

from config.accounts.models import Act
from config.accounts.undo.service import undo
from findings.models import Finding
from tests.factories import FindingFactory, ProjectFactory, UserFactory
from ticketing import services
from ticketing.attachment_undo import ATTACH, DETACH, SPLIT, recorded
from ticketing.mirror import mirror
from ticketing.models import Attachment, Case, CaseGroup, TimelineEntry
from ticketing.splitting import split

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return ProjectFactory(key="RISK")


@pytest.fixture
def case(project, editor):
    """RISK-1 with three findings, the first added by its rule a day ago."""
    case = services.open_manual_case(
        [FindingFactory().pk for _ in range(3)], project=project, actor=editor
    )
    first = Attachment.objects.order_by("pk").first()
    Attachment.objects.filter(pk=first.pk).update(
        created_by=None, created_at=timezone.now() - timedelta(days=1)
    )
    mirror([case])
    return case


def pks_of(case) -> list[int]:
    return list(case.attachments.order_by("finding").values_list("finding_id", flat=True))


def state():
    """Where each finding is, since when and by whom, what it says of it, and the cases."""
    attached = Attachment.objects.order_by("finding").values_list(
        "finding_id", "case__key", "created_at", "created_by", "finding_is_open"
    )
    columns = ("pk", "ticket", "ticket_key", "ticket_status", "ticket_rule_id", "ticketed_at")
    cases = Case.objects.order_by("key").values_list("key", "status", "archived_at")
    return list(attached), list(Finding.objects.order_by("pk").values_list(*columns)), list(cases)


def act(kind, pks, service, *, actor, case=None) -> Act:
    with recorded(kind, pks, actor=actor, case=case) as recording:
        service()
    assert recording.act is not None
    return recording.act


def detach(pks, *, actor) -> Act:
    return act(DETACH, pks, lambda: services.detach(pks, actor=actor), actor=actor)


def attach(case, pks, *, actor) -> Act:
    return act(ATTACH, pks, lambda: services.attach(case, pks, actor=actor), actor=actor, case=case)


@pytest.mark.parametrize("number", [1, 2, 3])  # with the third the case closes
def test_it_attaches_again_as_before(case, analyst, number):
    pks, before = pks_of(case)[:number], state()
    done = detach(pks, actor=analyst)
    assert state() != before

    outcome = undo(done.pk, actor=analyst)

    assert state() == before
    assert outcome.title.endswith("to RISK-1 again")
    told = TimelineEntry.objects.filter(reason="Undo", kind="attached")
    assert set(told.values_list("actor", flat=True)) == {analyst.pk}
    assert told.count() == number


@pytest.mark.parametrize("was", ["free", "elsewhere", "on a case that is closed"])
def test_it_takes_off_what_was_attached(case, project, analyst, was):
    empty = services.open_manual_case([], project=project, actor=analyst, title="Empty")
    if was == "on a case that is closed":
        services.change_case(empty, actor=analyst, status="CLOSED")
    pks = [FindingFactory().pk] if was == "free" else pks_of(case)[:2]
    before = state()
    done = attach(empty, pks, actor=analyst)

    outcome = undo(done.pk, actor=analyst)

    assert state() == before
    words = "no ticket, as before" if was == "free" else "in RISK-1 again, as before"
    assert words in outcome.text


def test_it_undoes_a_split(case, analyst):
    pks, before = pks_of(case)[:2], state()
    done = act(SPLIT, pks, lambda: split(case, pks, actor=analyst), actor=analyst)

    outcome = undo(done.pk, actor=analyst)

    attached, findings, cases = state()
    assert (attached, findings) == before[:2]
    assert cases == [("RISK-1", "OPEN", None), ("RISK-2", "CLOSED", None)]
    assert outcome.title == "Split undone"


@pytest.mark.parametrize(
    ("since", "why"),
    [
        ("attached elsewhere", "Tomasz Kowal attached it to RISK-2 just now."),
        ("archived", "RISK-1 is archived."),
        ("closed", "RISK-1 is closed."),
        ("full", "RISK-1 is full: it has 1,000 findings."),
        ("deleted", "RISK-1 was deleted since."),
    ],
)
def test_it_changes_nothing_where_the_finding_cannot_go_back(
    case, project, analyst, monkeypatch, since, why
):
    [pk, *_] = pks_of(case)
    done = detach([pk], actor=analyst)
    tomasz = UserFactory(name="Tomasz Kowal")
    match since:
        case "attached elsewhere":
            services.open_manual_case([pk], project=project, actor=tomasz)
        case "archived":
            services.archive(case, actor=tomasz)
        case "closed":
            services.change_case(case, actor=tomasz, status="CLOSED")
        case "full":
            monkeypatch.setattr("ticketing.attachment_undo.MAX_FINDINGS_OF_GROUP", 2)
            why = why.replace("1,000", "2")
        case "deleted":
            Case.objects.filter(pk=case.pk).delete()
    before = state()

    outcome = undo(done.pk, actor=analyst)

    assert state() == before
    assert [later.sentence() for later in outcome.left.values()] == [why]


def test_it_leaves_what_was_detached_since(case, project, analyst):
    free = FindingFactory().pk
    done = attach(case, [free], actor=analyst)
    services.detach([free], actor=UserFactory(name="Lena Brandt"))

    outcome = undo(done.pk, actor=analyst)

    assert [later.sentence() for later in outcome.left.values()] == [
        "Lena Brandt detached it just now."
    ]


def test_the_status_that_a_person_gave_meanwhile_stays(case, analyst):
    [pk, *_] = pks_of(case)
    done = detach([pk], actor=analyst)
    services.change_case(case, actor=analyst, status="IN_PROGRESS")

    undo(done.pk, actor=analyst)

    assert pk in pks_of(case)
    case.refresh_from_db()
    assert case.status == "IN_PROGRESS"


@pytest.mark.parametrize("has_next", [False, True])
def test_a_groups_ticket_takes_more_again_if_no_other_does(case, project, analyst, has_next):
    fields = {"rule_id": case.pk, "key": "k", "group_by": ["package"], "group_values": ["p"]}
    CaseGroup.objects.create(case=case, written_at=timezone.now(), **fields)
    done = detach(pks_of(case), actor=analyst)
    assert not CaseGroup.objects.get().takes_more
    if has_next:
        other = services.open_manual_case([], project=project, actor=analyst, title="Next")
        CaseGroup.objects.create(case=other, written_at=timezone.now(), **fields)

    undo(done.pk, actor=analyst)

    assert CaseGroup.objects.get(case=case).takes_more is not has_next
    assert len(pks_of(case)) == 3


def test_it_is_all_or_nothing(case, analyst, monkeypatch):
    done = detach(pks_of(case), actor=analyst)
    before = state()

    def die(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("ticketing.attachment_undo.mark_groups", die)
    with suppress(KeyboardInterrupt):
        undo(done.pk, actor=analyst)

    assert state() == before
    done.refresh_from_db()
    assert done.undone_at is None
