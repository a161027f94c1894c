"""Somebody in Jira who has no account here is the assignee of a case like anybody else."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction

from tests.factories import (
    DestinationFactory,
    JiraAccountFactory,
    ProjectFactory,
    UserFactory,
    opened_case,
)
from tests.fakes.tracker import BOT, PEOPLE
from ticketing import services
from ticketing.case_lists import CaseQuery, find_cases
from ticketing.jira_people import meet
from ticketing.models import Case, ExternalIssue, JiraUser
from ticketing.models.jira_users import HIDDEN_NAME
from ticketing.outbox import Promise
from ticketing.selectors import case_by_key, count_by
from ticketing.sync import sync_due
from ticketing.templatetags.cases import happening
from ticketing.trackers.base import IssueRef, RemoteUser

pytestmark = pytest.mark.django_db
PRIYA = RemoteUser("u-priya", "Priya Platform")
EVE = RemoteUser("u-eve", "Eve Else")


@pytest.fixture
def assign_there(remote, look):
    """`assign_there(issue, user)`: somebody does it in Jira, and we look."""

    def assign(issue: ExternalIssue, user: RemoteUser | None) -> Case:
        remote.change(IssueRef(issue.issue_id, issue.issue_key), assignee=user)
        look()
        return whose(issue)

    return assign


def whose(issue: ExternalIssue) -> Case:
    issue.refresh_from_db()
    return Case.objects.get(pk=issue.case_id)


def name_of(case: Case) -> str:
    return case.assigned_to.name if case.assigned_to else ""


def activity(case: Case, kind: str = "assignee") -> list[str]:
    """The sentences, oldest first."""
    return [str(happening(entry, case)) for entry in case.timeline.filter(kind=kind)][::-1]


def test_it_is_shown_and_told_once_for_each_change(issue, assign_there, look, dana):
    changes = (PRIYA, EVE, None, PRIYA, PEOPLE["dana"], PRIYA)
    names = [name_of(assign_there(issue, user)) for user in changes]

    assert names == [
        "Priya Platform · Jira",
        "Eve Else · Jira",
        "",
        "Priya Platform · Jira",
        "Dana Developer",
        "Priya Platform · Jira",
    ]
    look()
    by_dana = " in Jira by <b>Dana Developer</b>"
    assert activity(issue.case) == [
        f"<b>Priya Platform · Jira</b> was assigned{by_dana}",
        f"<b>Eve Else · Jira</b> was assigned{by_dana}",
        f"<b>Eve Else · Jira</b> was unassigned{by_dana}",
        f"<b>Priya Platform · Jira</b> was assigned{by_dana}",
        f"<b>Dana Developer</b> was assigned{by_dana}",
        f"<b>Priya Platform · Jira</b> was assigned{by_dana}",
    ]
    assert activity(issue.case, "conflict") == []


def test_it_takes_two_looks_at_the_same_change_for_one(issue, remote, assign_there, frozen):
    assign_there(issue, PRIYA)
    services.change_case(issue.case, status="IN_PROGRESS", actor=None)
    sync_due()

    assert name_of(whose(issue)) == "Priya Platform · Jira"
    assert len(activity(issue.case)) == 1
    assert remote.issues[issue.issue_id].state.assignee == PRIYA


@pytest.mark.parametrize("to_dana", [True, False])
def test_who_is_assigned_here_takes_their_place(
    issue, remote, assign_there, look, analyst, dana, to_dana
):
    case = assign_there(issue, PRIYA)

    services.change_case(case, assignee=dana if to_dana else None, actor=analyst)
    sync_due()
    look()

    case = whose(issue)
    assert (case.assignee, case.jira_assignee) == (dana if to_dana else None, None)
    assert remote.issues[issue.issue_id].state.assignee == (PEOPLE["dana"] if to_dana else None)
    entry = case.timeline.filter(kind="assignee").first()
    assert (entry.before, entry.after) == (
        "Priya Platform · Jira",
        "Dana Developer" if to_dana else "",
    )
    assert len(activity(case)) == 2


def test_a_later_act_here_wins_and_the_activity_names_who_lost(
    issue, remote, look, frozen, analyst, dana
):
    remote.change(IssueRef(issue.issue_id, issue.issue_key), assignee=PRIYA)
    frozen.shift(5)
    services.change_case(issue.case, assignee=dana, actor=analyst)
    look()

    assert whose(issue).assignee == dana
    [said] = activity(issue.case, "conflict")
    assert "<b>Priya Platform · Jira</b> gave way to <b>Dana Developer</b>" in said


def test_an_account_here_takes_over_all_their_cases(make_issue, remote, assign_there, look):
    seen = PRIYA._replace(email="priya@example.com")
    issues = [make_issue(), make_issue()]
    for issue in issues:
        assign_there(issue, seen)
    person = UserFactory(name="Priya", email="Priya@example.com")
    ExternalIssue.objects.update(sync_due_at=None)

    meet(issues[0].account, [PRIYA])  # Jira hides the address by now
    sync_due()
    look()

    for issue in issues:
        case = whose(issue)
        assert (case.assignee, case.jira_assignee) == (person, None)
        assert activity(case)[1:] == [
            'Assigned to <b>Priya</b><span class="sub">. Priya Platform · Jira has an account '
            "here with the same email address.</span>"
        ]
    assert remote.called("push") == []


@pytest.mark.parametrize("mode", ["two_way", "once"])
def test_an_account_here_takes_over_however_the_field_is_synced(
    issue, destination, assign_there, look, mode
):
    assign_there(issue, PRIYA._replace(email="priya@example.com"))
    destination.sync_assignee = mode
    destination.save(update_fields=["sync_assignee"])
    person = UserFactory(email="priya@example.com")
    look()
    look()

    assert whose(issue).assignee == person
    assert len(activity(issue.case)) == 2


def test_a_deactivated_account_is_nobody_here(issue, assign_there):
    UserFactory(email="priya@example.com", is_active=False)

    case = assign_there(issue, PRIYA._replace(email="priya@example.com"))

    assert name_of(case) == "Priya Platform · Jira"


@pytest.mark.parametrize(
    ("before", "now", "shown"),
    [
        ("", "", HIDDEN_NAME),
        ("", "u-priya", HIDDEN_NAME),  # what Cloud's reader says in its place
        ("Priya Platform", "", "Priya Platform"),
        ("Priya Platform", "u-priya", "Priya Platform"),
    ],
)
def test_a_name_that_jira_hides(issue, assign_there, before, now, shown):
    meet(issue.account, [RemoteUser("u-priya", before)])

    case = assign_there(issue, RemoteUser("u-priya", now))

    assert name_of(case) == f"{shown} · Jira"
    assert issue.remote_assignee == shown
    assert f"<b>{shown} · Jira</b> was assigned in Jira" in activity(case)[0]


@pytest.mark.parametrize("mode", ["once", "off"])
def test_it_leaves_the_assignee_alone_where_it_is_not_synced(
    issue, destination, assign_there, mode
):
    destination.sync_assignee = mode
    destination.save(update_fields=["sync_assignee"])

    assert name_of(assign_there(issue, PRIYA)) == ""
    assert activity(issue.case) == []


def test_an_issue_in_another_jira_does_not_keep_them(issue, remote, assign_there, look):
    case = assign_there(issue, PRIYA)
    ExternalIssue.objects.update(account=JiraAccountFactory(user_id=BOT.id), agreed={})
    remote.change(IssueRef(issue.issue_id, issue.issue_key), assignee=None)
    look()

    assert name_of(whose(issue)) == ""
    assert "<b>Priya Platform · Jira</b> was unassigned" in activity(case)[1]


def test_it_is_a_person_here_or_one_in_jira_never_both(db, analyst):
    case = opened_case(ProjectFactory())
    case.jira_assignee = JiraUser.objects.create(account=JiraAccountFactory(), user_id="1")
    case.assignee = analyst

    with pytest.raises(IntegrityError), transaction.atomic():
        case.save(update_fields=["assignee", "jira_assignee"])


# --- A new case -------------------------------------------------------------------------------


def test_a_case_is_born_with_whom_its_issue_is_assigned_to(db, dana, analyst):
    """Of two Jiras that both know a `jsmith`, and one more person who is known here, too."""
    first, second = DestinationFactory(), DestinationFactory()
    JiraUser.objects.create(account=first.account, user_id="jsmith", name="Jane Smith")
    JiraUser.objects.create(account=second.account, user_id="jsmith", name="John Smith")
    JiraUser.objects.create(account=second.account, user_id="dana", person=dana)

    def opened(place, **fields) -> str:
        promise = Promise(fields)
        case = services.open_manual_case(
            [], project=place.project, title="T", actor=analyst, promise=promise
        )
        return name_of(case_by_key(case.key))

    assert opened(first, assignee={"name": "jsmith"}) == "Jane Smith · Jira"
    assert opened(second, assignee={"name": "jsmith"}) == "John Smith · Jira"
    assert opened(second, assignee={"accountId": "dana"}) == "Dana Developer"
    assert opened(first, assignee={"accountId": "dana"}) == ""
    assert opened(first, assignee="dana", labels=["x"]) == ""


# --- Searching and counting ----------------------------------------------------------------------


@pytest.fixture
def searched(db, analyst):
    """SEC-1 of Jane and SEC-2 of John, both `jsmith`, SEC-3 of Alan, SEC-4 of nobody, SEC-5 of
    somebody whose name Jira hides."""
    project = ProjectFactory(key="SEC")
    for name in ("Jane Smith", "John Smith"):
        user = JiraUser.objects.create(
            account=JiraAccountFactory(), user_id="jsmith", name=name, email="a@secret.example"
        )
        Case.objects.filter(pk=opened_case(project).pk).update(jira_assignee=user)
    opened_case(project, assignee_id=analyst.pk)
    opened_case(project)
    hidden = JiraUser.objects.create(account=JiraAccountFactory(), user_id="712020:1")
    Case.objects.filter(pk=opened_case(project).pk).update(jira_assignee=hidden)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("assignee:jane", {1}),
        ("assignee:SMITH", {1, 2}),
        ('assignee:"John Smith · Jira"', {2}),
        ("assignee:jo*jira", {2}),
        ("assignee:jira", {1, 2, 5}),
        ('assignee:"name hidden"', {5}),
        ("assignee:jsmith", set()),
        ("assignee:secret.example", set()),
        ("assignee:none", {4}),
        ("-assignee:none", {1, 2, 3, 5}),
        ("assignee:*", {1, 2, 3, 5}),
        ("-assignee:*", {4}),
        ("-assignee:jane", {2, 3, 4, 5}),
        ("assignee:me", {3}),
        ("assignee:alan OR assignee:jane", {1, 3}),
    ],
)
def test_a_search_finds_them_by_the_name_that_is_shown(searched, analyst, text, numbers):
    found = find_cases(CaseQuery(text), me=analyst)
    assert {row.case.number for row in found.rows} == numbers
    assert sum(found.counts.values()) == len(numbers)


def test_counts_by_assignee_are_what_a_search_finds(searched, analyst):
    counted = dict(count_by(Case.objects.all(), ["assignee"], limit=10))

    assert counted == {
        ("Jane Smith · Jira",): 1,
        ("John Smith · Jira",): 1,
        (f"{HIDDEN_NAME} · Jira",): 1,
        (str(analyst.pk),): 1,
        ("none",): 1,
    }
    both = dict(count_by(Case.objects.all(), ["status", "assignee"], limit=10))
    assert both["OPEN", "Jane Smith · Jira"] == 1


# --- An upgrade -------------------------------------------------------------------------------


def test_the_upgrade_fills_in_whom_both_sides_agreed_on(make_issue, assign_there, destination):
    names = {"stranger": PRIYA, "known": PEOPLE["dana"], "nobody": None, "owed": EVE}
    issues = {name: make_issue() for name in names}
    for name, user in names.items():
        assign_there(issues[name], user)
    once = DestinationFactory(account=destination.account, sync_assignee="once")
    issues["once"] = make_issue(once.project)
    assign_there(issues["once"], PRIYA)
    before = {name: name_of(whose(issue)) for name, issue in issues.items()}
    Case.objects.update(jira_assignee=None)  # as it was before
    for issue in ExternalIssue.objects.all():
        agreed = issue.agreed["assignee"]
        if agreed["here"].startswith("jira:"):
            agreed |= {"here": "", "is_owed": issue.pk == issues["owed"].pk}
            issue.save(update_fields=["agreed"])

    import_module("ticketing.migrations.0024_jira_assignee").fill(apps, None)

    after = {name: name_of(whose(issue)) for name, issue in issues.items()}
    assert after == before | {"owed": ""}
    assert before["stranger"] == "Priya Platform · Jira"
    assert name_of(assign_there(issues["stranger"], EVE)) == "Eve Else · Jira"
    assert activity(issues["stranger"].case, "conflict") == []
