"""Semantics §7.1: a case closes and re-opens with its findings, and nobody's act is undone."""

import pytest

from findings.facts import Status
from findings.services import change_status, mute, unmute
from tests.factories import FindingFactory, ProjectFactory
from ticketing import services
from ticketing.following import follow_findings
from ticketing.models import Case

pytestmark = pytest.mark.django_db


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
    with django_assert_num_queries(21):
        assert follow_findings() == 1
    resolved(20)
    with django_assert_num_queries(21):
        assert follow_findings() == 20
    assert Case.objects.filter(status="CLOSED").count() == 21
