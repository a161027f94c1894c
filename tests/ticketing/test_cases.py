"""Opening, changing, commenting, moving and archiving cases."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from findings.facts import Ticket
from tests.factories import FindingFactory, ProjectFactory
from ticketing import projects, services
from ticketing.models import Attachment, Case, Project

pytestmark = pytest.mark.django_db


def kinds(case):
    return list(case.timeline.values_list("kind", flat=True))


def test_it_creates_a_project_with_history(admin):
    project = projects.create_project(key="SEC", name="Security", actor=admin)
    assert project.history.get().history_user == admin


@pytest.mark.parametrize("key", ["", "sec", "1SEC", "TOOLONGKEY1", "SEC-1", "SEC\n", "SÉC"])
def test_it_refuses_a_malformed_project_key(admin, key):
    with pytest.raises(ValidationError) as error:
        projects.create_project(key=key, name="Security", actor=admin)
    assert "key" in error.value.message_dict


def test_it_refuses_a_taken_project_key(admin):
    ProjectFactory(key="SEC")
    with pytest.raises(ValidationError):
        projects.create_project(key="SEC", name="Another", actor=admin)


def test_the_database_refuses_a_malformed_key():
    with pytest.raises(IntegrityError), transaction.atomic():
        Project.objects.create(key="se c", name="x")


def test_it_numbers_cases_in_their_project(analyst):
    sec, ops = ProjectFactory(key="SEC"), ProjectFactory(key="OPS")
    for project in (sec, ops, sec):
        services.open_manual_case([FindingFactory().pk], project=project, actor=analyst)
    assert sorted(Case.objects.values_list("key", flat=True)) == ["OPS-1", "SEC-1", "SEC-2"]


def test_it_opens_one_case_for_several_findings(analyst):
    findings = [FindingFactory(severity="low"), FindingFactory(severity="critical", title="RCE")]
    project = ProjectFactory(key="SEC")
    case = services.open_manual_case([f.pk for f in findings], project=project, actor=analyst)
    assert (case.title, case.priority, case.origin) == ("2 findings: RCE", "P1", "manual")
    for finding in findings:
        finding.refresh_from_db()
        assert (finding.ticket, finding.ticket_key) == (Ticket.MANUAL, "SEC-1")
        assert finding.workflow["integrations"]["cases"][0]["key"] == "SEC-1"


def test_it_opens_one_case_for_each_finding_in_constant_statements(
    analyst, django_assert_num_queries
):
    project = ProjectFactory()
    few, many = [FindingFactory().pk for _ in range(2)], [FindingFactory().pk for _ in range(20)]
    with django_assert_num_queries(15):
        services.open_case_each(few, project=project, actor=analyst)
    with django_assert_num_queries(15):
        services.open_case_each(many, project=project, actor=analyst)
    assert Case.objects.count() == 22


def test_it_refuses_more_than_fifty_findings(analyst):
    pks = [FindingFactory().pk for _ in range(51)]
    with pytest.raises(services.TooManyFindings):
        services.open_manual_case(pks, project=ProjectFactory(), actor=analyst)
    assert not Case.objects.exists()


def test_a_finding_moves_when_it_is_attached_elsewhere(analyst):
    finding, project = FindingFactory(), ProjectFactory(key="SEC")
    first = services.open_manual_case([finding.pk], project=project, actor=analyst)
    second = services.open_manual_case([finding.pk], project=project, actor=analyst)
    assert Attachment.objects.get(finding=finding).case == second
    first.refresh_from_db()
    assert first.status == Case.Status.CLOSED  # nothing is left on it
    assert "detached" in kinds(first)


def test_the_database_refuses_a_second_attachment(analyst):
    finding = FindingFactory()
    case = services.open_manual_case([finding.pk], project=ProjectFactory(), actor=analyst)
    with pytest.raises(IntegrityError), transaction.atomic():
        Attachment.objects.create(finding=finding, case=case)


def test_attaching_again_changes_nothing(analyst):
    finding = FindingFactory()
    case = services.open_manual_case([finding.pk], project=ProjectFactory(), actor=analyst)
    services.attach(case, [finding.pk], actor=analyst)
    assert kinds(case) == ["created"]


def test_attaching_an_open_finding_opens_a_closed_case(analyst):
    case = services.open_manual_case([FindingFactory().pk], project=ProjectFactory(), actor=analyst)
    services.change_case(case, status="CLOSED", actor=analyst)
    finding = FindingFactory()
    services.attach(case, [finding.pk], actor=analyst)
    case.refresh_from_db()
    finding.refresh_from_db()
    assert (case.status, case.closed_at) == ("OPEN", None)
    assert finding.ticket_status == "open"


def test_detaching_leaves_the_case_and_frees_the_finding(analyst):
    finding = FindingFactory()
    case = services.open_manual_case([finding.pk], project=ProjectFactory(), actor=analyst)
    assert services.detach([finding.pk, FindingFactory().pk], actor=analyst) == 1
    finding.refresh_from_db()
    assert (finding.ticket, finding.ticket_key, finding.workflow) == ("none", "", {})
    assert Case.objects.filter(pk=case.pk).exists()


def test_detaching_from_a_case_leaves_a_finding_that_has_moved_on(analyst):
    finding, project = FindingFactory(), ProjectFactory()
    first = services.open_manual_case([finding.pk], project=project, actor=analyst)
    second = services.open_manual_case([finding.pk], project=project, actor=analyst)
    assert services.detach([finding.pk], actor=analyst, case=first) == 0
    assert Attachment.objects.get(finding=finding).case == second


def test_a_change_is_told_once_and_mirrored(analyst, editor):
    finding = FindingFactory()
    case = services.open_manual_case([finding.pk], project=ProjectFactory(), actor=analyst)
    for _ in range(2):
        services.change_case(
            case, status="IN_PROGRESS", priority="P1", assignee=editor, actor=analyst
        )
    finding.refresh_from_db()
    assert finding.ticket_status == "in_progress"
    assert sorted(kinds(case)) == ["assignee", "created", "priority", "status"]


def test_it_refuses_an_unknown_status(analyst):
    case = services.open_manual_case([FindingFactory().pk], project=ProjectFactory(), actor=analyst)
    with pytest.raises(ValidationError):
        services.change_case(case, status="DONE", actor=analyst)


def test_a_comment_needs_words(analyst):
    case = services.open_manual_case([FindingFactory().pk], project=ProjectFactory(), actor=analyst)
    with pytest.raises(ValidationError):
        services.comment(case, "  \n", actor=analyst)
    assert services.comment(case, " Fixed in 2.1 ", actor=analyst).after == "Fixed in 2.1"


def test_a_moved_case_takes_a_new_key(analyst):
    finding = FindingFactory()
    case = services.open_manual_case([finding.pk], project=ProjectFactory(key="SEC"), actor=analyst)
    moved = services.move(case, ProjectFactory(key="OPS"), actor=analyst)
    finding.refresh_from_db()
    assert (moved.key, finding.ticket_key) == ("OPS-1", "OPS-1")
    assert case.timeline.get(kind="moved").before == "SEC-1"


def test_archiving_twice_is_told_once(analyst):
    case = services.open_manual_case([FindingFactory().pk], project=ProjectFactory(), actor=analyst)
    services.archive(case, actor=analyst)
    services.archive(case, actor=analyst)
    assert kinds(case).count("archived") == 1
    assert services.unarchive(case, actor=analyst).archived_at is None
