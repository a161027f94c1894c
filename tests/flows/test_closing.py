"""A ticket is closed in Jira for the reason it is closed for here, or says what is missing."""

from __future__ import annotations

import pytest
from django.utils import timezone

from findings.facts import Status
from findings.services import change_status, mute
from tests.factories import ExternalIssueFactory, FindingFactory
from tests.jira_places import destination_at
from ticketing import destinations, services
from ticketing.close_reasons import CloseReason
from ticketing.destinations import Answer
from ticketing.following import follow_findings
from ticketing.models import Case, ExternalIssue
from ticketing.states import State
from ticketing.sync import sync_due
from ticketing.trackers.jira.sandbox.defaults import BOT, CLOSING_FIELDS, ROOT_CAUSE

pytestmark = pytest.mark.django_db
CAUSE, FIXED_BY = (field.id for field in CLOSING_FIELDS)


@pytest.fixture
def jira(frozen, sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    return sandbox_jira


@pytest.fixture
def place(jira):
    return destination_at(jira, space="PLAT")


@pytest.fixture
def finding():
    return FindingFactory(title="Outdated grpcio", tags=["team:Blue", "team:Red"])


@pytest.fixture
def issue(jira, place, finding, analyst):
    there = jira.create_issue("PLAT", "Outdated library", by=BOT)
    made = ExternalIssueFactory(
        case=services.open_manual_case([finding.pk], project=place.project, actor=analyst),
        account=place.account,
        state=State.CREATED,
        issue_id=str(there.id),
        issue_key=there.key,
        sync_due_at=timezone.now(),
    )
    sync_due()
    return made


@pytest.fixture
def look(frozen):
    def look_again():
        frozen.shift(60)
        follow_findings()
        ExternalIssue.objects.update(sync_due_at=timezone.now())
        sync_due()

    return look_again


def reload(issue):
    issue.refresh_from_db()
    issue.case.refresh_from_db()
    return issue


def gone(finding, status=Status.RESOLVED):
    change_status([finding.pk], status=status, actor=None)


def reported(finding):
    change_status([finding.pk], status=Status.OPEN, actor=None)


def answer(place, *answers, actor=None):
    destinations.save_answers(place, [Answer(*each) for each in answers], actor=actor)


def close_with(name, finding):
    if name in ("RISK_ACCEPTED", "FALSE_POSITIVE"):
        mute([finding.pk], reason=name, actor=None)
    else:
        gone(finding, Status(name))


@pytest.mark.parametrize(
    ("how", "resolution"),
    [
        ("resolved", "Done"),
        ("auto_closed", "Obsolete"),
        ("RISK_ACCEPTED", "Won't Do"),
        ("FALSE_POSITIVE", "Duplicate"),
    ],
)
def test_it_closes_for_the_reason_of_the_findings(
    jira, place, issue, finding, look, how, resolution
):
    jira.demand_resolution("PLAT", "Won't Do", "Duplicate", "Obsolete", "Done")
    answer(place, (CloseReason.FALSE_POSITIVE, "resolution", "Resolution", "Invalid, Duplicate"))
    close_with(how, finding)
    look()
    assert jira.resolution_of(issue.issue_key) == resolution
    assert reload(issue).remote_resolution == resolution
    look()
    assert reload(issue).sync_problem == ""
    assert len(jira.log.matching("POST /transitions$")) == 1


def test_it_stops_and_says_where_the_answer_is_missing(jira, place, issue, finding, look, editor):
    jira.demand_resolution("PLAT")
    jira.demand_on_closing("PLAT", *CLOSING_FIELDS)
    gone(finding)
    look()
    assert reload(issue).sync_problem == (
        "Jira asks for “Root cause” on the step “Close” to close PLAT-1. "
        "Set an answer under Projects › Cloud Risk › Data Sync Settings."
    )
    assert issue.closing_field == ROOT_CAUSE.id
    assert jira.status_of(issue.issue_key) == "To Do"
    fixed = CloseReason.FIXED
    answer(
        place,
        (fixed, CAUSE, "Root cause", "{{title}} was fixed."),
        (fixed, FIXED_BY, "Fixed by", "scanner, {{tags.team}}"),
        actor=editor,
    )
    assert sync_due() == 1  # at once
    assert (reload(issue).sync_problem, issue.closing_field) == ("", "")
    fields = jira.issue(issue.issue_key).fields
    assert fields[CAUSE] == "Outdated grpcio was fixed."
    assert fields[FIXED_BY] == ["Blue", "Red", "scanner"]
    assert jira.resolution_of(issue.issue_key) == "Done"


def test_it_empties_the_resolution_when_the_finding_is_back(jira, issue, finding, look):
    jira.keep_resolution("PLAT", shown_on="edit")
    gone(finding)
    look()
    assert jira.resolution_of(issue.issue_key) == "Done"
    reported(finding)
    look()
    assert jira.status_of(issue.issue_key) == "To Do"
    assert (jira.resolution_of(issue.issue_key), reload(issue).remote_resolution) == ("", "")
    look()
    assert reload(issue).case.status == "OPEN"


# --- Won't fix stays closed -------------------------------------------------------------------


def comes_back(finding, look):
    gone(finding, Status.AUTO_CLOSED)
    look()
    reported(finding)
    look()


@pytest.mark.parametrize("reopens", [False, True])
@pytest.mark.parametrize(
    ("status", "resolution", "is_wont_fix"),
    [
        ("Done", "Won't Do", True),
        ("Won't Do", "", True),
        ("Done", "Duplicate", True),
        ("Done", "", False),
    ],
)
def test_what_jira_closed_as_wont_fix_stays_closed(
    jira, place, issue, finding, look, status, resolution, is_wont_fix, reopens
):
    place.project.reopens_wont_fix = reopens
    place.project.save()
    jira.set_status(issue.issue_key, status, resolution=resolution)
    look()
    assert reload(issue).case.stays_closed is is_wont_fix
    comes_back(finding, look)
    stays = is_wont_fix and not reopens
    assert reload(issue).case.status == ("CLOSED" if stays else "OPEN")
    assert (jira.status_of(issue.issue_key) == "To Do") is not stays


def test_a_resolution_that_is_changed_later_counts(jira, issue, finding, look):
    jira.set_status(issue.issue_key, "Done")
    look()
    assert reload(issue).case.close_reason == "fixed"
    jira.set_resolution(issue.issue_key, "Won't Do")
    look()
    assert (reload(issue).case.close_reason, issue.case.stays_closed) == ("risk_accepted", True)
    assert issue.case.timeline.get(kind="resolved").author == "Dana Developer"


def test_our_own_resolution_is_nobodys_decision(jira, place, issue, finding, look):
    """All that Jira offers for a false positive is Won't Do: it stays a false positive."""
    jira.demand_resolution("PLAT", "Won't Do", "Done")
    mute([finding.pk], reason="FALSE_POSITIVE", actor=None)
    look()
    look()
    assert jira.resolution_of(issue.issue_key) == "Won't Do"
    assert (reload(issue).case.close_reason, issue.case.stays_closed) == ("false_positive", False)


def test_what_a_person_closed_here_as_wont_fix_stays_closed(jira, issue, finding, look, analyst):
    services.change_case(
        issue.case, status="CLOSED", close_reason=CloseReason.RISK_ACCEPTED, actor=analyst
    )
    comes_back(finding, look)
    assert reload(issue).case.status == "CLOSED"
    assert jira.status_of(issue.issue_key) == "Won't Do"
    change_status([finding.pk], status=Status.RESOLVED, actor=analyst)
    look()
    change_status([finding.pk], status=Status.OPEN, actor=analyst)  # a person: that is news
    look()
    assert reload(issue).case.status == "OPEN"
    assert Case.objects.get().stays_closed is False


def test_a_case_that_flaps_stays_open_in_jira_and_says_why(jira, issue, finding, look):
    for _ in range(3):
        comes_back(finding, look)
    gone(finding)
    look()
    look()
    assert jira.status_of(issue.issue_key) == "To Do"
    [comment] = jira.issue(issue.issue_key).comments
    assert "reported again 3 times within 7 days" in str(comment.text)
