"""Semantics §7.1: a case closes and re-opens with its findings, and nobody's act is undone."""

import pytest

from findings.facts import Status
from findings.services import change_status, mute, unmute
from tests.factories import FindingFactory, ProjectFactory
from ticketing import details, following, services
from ticketing.close_reasons import CloseReason
from ticketing.following import follow_findings
from ticketing.models import Attachment, Case

pytestmark = pytest.mark.django_db
RISK_ACCEPTED = CloseReason.RISK_ACCEPTED


@pytest.fixture
def findings():
    return [FindingFactory(), FindingFactory()]


@pytest.fixture
def case(findings, analyst):
    project = ProjectFactory()
    return services.open_manual_case([f.pk for f in findings], project=project, actor=analyst)


def status(case):
    case.refresh_from_db()
    return case.status


def resolve(*findings):
    change_status([f.pk for f in findings], status=Status.RESOLVED, actor=None)
    return follow_findings()


def test_it_closes_when_the_last_open_finding_is_gone(case, findings):
    assert resolve(findings[0]) == 0
    assert status(case) == "OPEN"
    assert resolve(findings[1]) == 1
    assert status(case) == "CLOSED"
    findings[1].refresh_from_db()
    assert findings[1].ticket_status == "closed"


def test_following_twice_changes_nothing(case, findings):
    resolve(*findings)
    entries = case.timeline.count()
    assert follow_findings() == 0
    assert case.timeline.count() == entries


def test_it_opens_again_with_a_finding(case, findings):
    resolve(*findings)
    change_status([findings[0].pk], status=Status.OPEN, actor=None)
    follow_findings()
    assert status(case) == "OPEN"


def test_muting_the_last_open_finding_closes_it(case, findings):
    mute([f.pk for f in findings], reason="RISK_ACCEPTED", actor=None)
    follow_findings()
    assert status(case) == "CLOSED"
    unmute([findings[0].pk], actor=None)
    follow_findings()
    assert status(case) == "OPEN"


def test_detaching_the_last_open_finding_closes_it(case, findings, analyst):
    resolve(findings[0])
    services.detach([findings[1].pk], actor=analyst)
    assert status(case) == "CLOSED"


def test_a_person_closing_it_is_not_undone(case, analyst):
    services.change_case(case, status="CLOSED", actor=analyst)
    follow_findings()
    assert status(case) == "CLOSED"


def test_a_person_opening_it_again_is_not_undone(case, findings, analyst):
    resolve(*findings)
    services.change_case(case, status="OPEN", actor=analyst)
    follow_findings()
    assert status(case) == "OPEN"


def test_closing_the_case_never_closes_the_finding(case, findings, analyst):
    services.change_case(case, status="CLOSED", actor=analyst)
    findings[0].refresh_from_db()
    assert findings[0].status == Status.OPEN


def test_a_project_may_switch_both_off(findings, analyst):
    project = ProjectFactory(closes_with_findings=False, reopens_with_findings=False)
    case = services.open_manual_case([f.pk for f in findings], project=project, actor=analyst)
    resolve(*findings)
    assert status(case) == "OPEN"
    services.change_case(case, status="CLOSED", actor=analyst)
    change_status([findings[0].pk], status=Status.OPEN, actor=None)
    follow_findings()
    assert status(case) == "CLOSED"


def test_it_costs_the_same_for_one_case_and_for_twenty(analyst, django_assert_num_queries):
    project = ProjectFactory()

    def resolved(number):
        pks = [FindingFactory().pk for _ in range(number)]
        services.open_case_each(pks, project=project, actor=analyst)
        change_status(pks, status=Status.RESOLVED, actor=None)

    resolved(1)
    with django_assert_num_queries(25):
        assert follow_findings() == 1
    resolved(20)
    with django_assert_num_queries(25):
        assert follow_findings() == 20
    assert Case.objects.filter(status="CLOSED").count() == 21


@pytest.fixture
def quiet(analyst, monkeypatch):
    """Four cases whose findings are gone; two of them are a chunk."""
    monkeypatch.setattr(following, "CHUNK", 2)
    pks = [FindingFactory().pk for _ in range(4)]
    services.open_case_each(pks, project=ProjectFactory(), actor=analyst)
    change_status(pks, status=Status.RESOLVED, actor=None)


def test_it_rings_again_for_what_there_was_no_time_for(quiet, monkeypatch):
    rung = []
    monkeypatch.setattr(following, "enqueue", rung.append)
    assert follow_findings(seconds=0) == 2
    assert rung == ["ticketing.tasks.follow"]
    assert follow_findings(seconds=60) == 2


def test_a_case_that_raises_does_not_stop_the_others(quiet, monkeypatch):
    bad = Case.objects.order_by("pk").first()
    real = following.close_if_done

    def close(cases, *, now):
        if bad in cases:
            raise ZeroDivisionError
        return real(cases, now=now)

    monkeypatch.setattr(following, "close_if_done", close)
    with pytest.raises(ExceptionGroup):
        follow_findings()
    assert list(Case.objects.exclude(status="CLOSED")) == [bad]


# --- Why it is closed --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deeds", "reason"),
    [
        (("resolved", "auto_closed"), "fixed"),
        (("resolved", "RISK_ACCEPTED"), "fixed"),
        (("auto_closed", "FALSE_POSITIVE"), "removed"),
        (("RISK_ACCEPTED", "FALSE_POSITIVE"), "risk_accepted"),
        (("FALSE_POSITIVE", "DUPLICATE"), "false_positive"),
        (("NO_FIX", "PENDING_FIX"), "risk_accepted"),
    ],
)
def test_it_notes_why_it_closes(case, findings, deeds, reason):
    for finding, deed in zip(findings, deeds, strict=True):
        if deed.isupper():
            mute([finding.pk], reason=deed, actor=None)
        else:
            change_status([finding.pk], status=Status(deed), actor=None)
    follow_findings()
    assert status(case) == "CLOSED"
    assert (case.close_reason, case.stays_closed) == (reason, False)


def test_it_forgets_why_when_it_opens(case, findings, analyst):
    services.change_case(case, status="CLOSED", close_reason=RISK_ACCEPTED, actor=analyst)
    assert status(case) == "CLOSED"
    assert (case.close_reason, case.stays_closed) == ("risk_accepted", True)
    services.change_case(case, status="OPEN", actor=analyst)
    assert status(case) == "OPEN"
    assert (case.close_reason, case.stays_closed) == ("", False)


def test_a_reason_given_later_holds(case, findings, analyst):
    services.change_case(case, status="CLOSED", actor=analyst)
    services.change_case(case, status="CLOSED", close_reason=RISK_ACCEPTED, actor=analyst)
    details.set_resolved_reason(case, "FALSE_POSITIVE", actor=analyst)
    assert status(case) == "CLOSED"
    assert (case.close_reason, case.stays_closed) == ("false_positive", True)


# --- The brake ---------------------------------------------------------------------------


@pytest.fixture
def flap(frozen, findings):
    """`flap()`: everything is fixed, and a day later one is reported again."""
    resolve(findings[1])

    def come_and_go(actor=None):
        resolve(findings[0])
        frozen.shift(86_400)
        change_status([findings[0].pk], status=Status.OPEN, actor=actor)
        follow_findings()

    return come_and_go


@pytest.fixture
def braked(case, findings, flap):
    for _ in range(3):
        flap()
    assert resolve(findings[0]) == 0
    return case


def test_after_three_times_a_week_it_stays_open_and_says_so_once(braked, findings, flap, frozen):
    flap()
    resolve(findings[0])
    assert status(braked) == "OPEN"
    [said] = braked.timeline.filter(kind="comment")
    assert said.after.startswith("Stays open until 1 Dec 2026, 12:00 UTC")
    assert braked.held_open_until.isoformat() == "2026-12-01T12:00:00+00:00"


def test_it_closes_by_itself_when_the_week_is_over(braked, frozen):
    frozen.move_to("2026-12-01T11:59:00+00:00")
    assert follow_findings() == 0
    frozen.shift(61)
    assert follow_findings() == 1
    assert status(braked) == "CLOSED"
    assert (braked.held_open_until, braked.reopenings) == (None, [])
    assert follow_findings() == 0


def test_it_closes_as_ever_after_a_week_with_a_finding_open(braked, findings, frozen):
    change_status([findings[0].pk], status=Status.OPEN, actor=None)
    follow_findings()
    frozen.move_to("2026-12-01T12:01:00+00:00")
    assert follow_findings() == 0
    assert status(braked) == "OPEN"
    assert resolve(findings[0]) == 1


def test_a_person_who_closes_it_ends_the_brake(braked, flap, analyst):
    services.change_case(braked, status="CLOSED", actor=analyst)
    assert status(braked) == "CLOSED"
    assert (braked.held_open_until, braked.reopenings) == (None, [])
    flap()
    assert status(braked) == "OPEN"


def test_slow_or_personal_comings_and_goings_are_no_flapping(case, findings, flap, frozen, analyst):
    for actor in (None, None, analyst, analyst):
        flap(actor)
    assert resolve(findings[0]) == 1
    frozen.shift(8 * 86_400)
    for _ in range(2):
        flap()
    assert resolve(findings[0]) == 1


def test_it_holds_no_more_findings_at_once_than_it_may(monkeypatch):
    """But for one ticket that has more: 4, then 2 and 1, then 3."""
    monkeypatch.setattr("ticketing.locking.AT_ONCE", 3)
    project, held = ProjectFactory(), []
    for number in (4, 2, 1, 3):
        pks = [FindingFactory().pk for _ in range(number)]
        services.open_manual_case(pks, project=project, actor=None)
        change_status(pks, status=Status.RESOLVED, actor=None)
    monkeypatch.setattr(following, "run_batch", lambda cases, work: held.append([*cases]))
    follow_findings()
    sizes = [[Attachment.objects.filter(case=case).count() for case in cases] for cases in held]
    assert sorted(size for some in sizes for size in some) == [1, 2, 3, 4]
    assert all(sum(some) <= 3 or len(some) == 1 for some in sizes)
