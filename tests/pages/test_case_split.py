"""Splitting: some of a case's findings get a ticket of their own."""

from __future__ import annotations

import pytest

from automation.decisions.conservation import violations
from config.lib.ui_tags import SUBMISSION_ID
from findings.models import Finding
from tests.factories import DestinationFactory, ExternalIssueFactory, FindingFactory
from tests.pages.groups import found
from ticketing import services
from ticketing.models import Case, CaseGroup, ExternalIssue, JiraSpace
from ticketing.splitting import CannotSplit, split
from ticketing.states import State

URL = "/cases/RISK-1/split"


@pytest.fixture
def group(make_rule) -> list[Finding]:
    """RISK-1 stands for these four findings."""
    make_rule("Libraries", group_by=["package"])
    found(1, prefix="worst", severity="critical")
    found(3)
    return list(Finding.objects.order_by("pk"))


@pytest.fixture
def plain(project, analyst) -> list[Finding]:
    findings = FindingFactory.create_batch(3, title="Leak")
    services.open_manual_case([each.pk for each in findings], project=project, actor=analyst)
    return findings


def send(browser, findings, *, follow=False, **more):
    said = {"finding": [each.finding_id for each in findings]} | more
    return browser.post(URL, said, follow=follow)


def sizes() -> list[int]:
    return [case.attachments.count() for case in Case.objects.order_by("number")]


def test_it_asks_first(as_user, analyst, group):
    asked = send(as_user(analyst), group[:3]).content.decode()
    assert "Split 3 findings into a ticket of their own?" in asked
    assert "RISK-1 keeps the other one. Findings found later still go to RISK-1." in asked
    assert sizes() == [4]


def test_it_gives_them_a_ticket_by_hand(as_user, analyst, group):
    page = send(as_user(analyst), group[:2], confirmed="yes").headers["Location"]
    old, new = Case.objects.order_by("number")
    assert page == "/cases/RISK-1"
    assert sizes() == [2, 2]
    assert (new.origin, new.created_by, new.project) == ("manual", analyst, old.project)
    assert new.title == "Update grpcio 1.50.0 → 1.53.2: 2 findings in 2 resources"
    assert new.priority == "P1"
    assert "Split from RISK-1 by Alan Analyst." in new.description
    assert "q=%40ticket.key%3ARISK-2" in new.description
    assert not CaseGroup.objects.filter(case=new).exists()
    moved = Finding.objects.filter(pk__in=[each.pk for each in group[:2]])
    assert {(each.ticket, each.ticket_key) for each in moved} == {("manual", "RISK-2")}
    assert {each.workflow.get("automations") for each in moved} == {None}


def test_what_comes_later_goes_to_the_old_one(as_user, analyst, group):
    send(as_user(analyst), group[:2], confirmed="yes")
    found(2, prefix="later")
    assert sizes() == [4, 2]
    assert Case.objects.get(number=1).title.startswith("Update grpcio 1.50.0 → 1.53.2: 4 findings")
    assert [*violations()] == []


def test_both_timelines_tell_it(as_user, analyst, group):
    browser = as_user(analyst)
    send(browser, group[:2], confirmed="yes")
    said = "<b>2 findings</b> split {} <b>{}</b> by <b>Alan Analyst</b>"
    assert said.format("into", "RISK-2") in browser.get("/cases/RISK-1").content.decode()
    assert said.format("from", "RISK-1") in browser.get("/cases/RISK-2").content.decode()


def test_other_cases_are_split_too(as_user, analyst, plain):
    send(as_user(analyst), plain[:1], confirmed="yes")
    new = Case.objects.get(number=2)
    assert (sizes(), new.title) == ([2, 1], f"Leak ({plain[0].resource_id})")


@pytest.mark.parametrize("confirmed", [{}, {"confirmed": "yes"}])
def test_it_leaves_at_least_one(as_user, analyst, group, confirmed):
    response = send(as_user(analyst), group, **confirmed)
    assert response.status_code == 422
    assert "Leave at least one finding in RISK-1." in response.content.decode()
    assert sizes() == [4]


def test_sent_twice_it_makes_one(as_user, analyst, group):
    browser, sent = as_user(analyst), {"confirmed": "yes", SUBMISSION_ID: "once"}
    send(browser, group[:2], **sent)
    assert send(browser, group[:2], **sent).headers["Location"] == "/cases/RISK-1"
    assert sizes() == [2, 2]


def test_those_that_moved_on_meanwhile_stay_where_they_are(as_user, analyst, group, project):
    services.open_manual_case([group[0].pk], project=project, actor=analyst)
    send(as_user(analyst), group[:2], confirmed="yes")
    assert sizes() == [2, 1, 1]
    with pytest.raises(CannotSplit, match="None of these findings is on RISK-1 any more"):
        split(Case.objects.get(number=1), [group[0].pk], actor=analyst)


def test_nothing_chosen_is_said(as_user, analyst, group):
    response = as_user(analyst).post(URL, follow=True)
    assert "Select findings of the case first." in response.content.decode()


@pytest.fixture
def in_jira(plain, project) -> ExternalIssue:
    place = DestinationFactory(project=project)
    return ExternalIssueFactory(
        case=Case.objects.get(),
        account=place.account,
        issue_key="SEC-14",
        issue_id="14",
        state=State.CREATED,
        fields={"labels": ["security"]},
    )


def test_the_new_one_has_an_issue_where_the_old_one_has(as_user, analyst, plain, in_jira):
    send(as_user(analyst), plain[:1], confirmed="yes")
    issue = ExternalIssue.objects.exclude(pk=in_jira.pk).get()
    assert (issue.case.key, issue.state) == ("RISK-2", State.PENDING)
    assert issue.fields == {"labels": ["security"]}
    in_jira.refresh_from_db()
    assert in_jira.case.key == "RISK-1"


def test_without_an_issue_there_is_none_for_the_new_one(as_user, analyst, plain, project):
    DestinationFactory(project=project)
    send(as_user(analyst), plain[:1], confirmed="yes")
    assert not ExternalIssue.objects.exists()


def test_a_closed_space_stops_it(as_user, analyst, plain, in_jira):
    JiraSpace.objects.create(
        account=in_jira.account, space_id=in_jira.space_id, key="SEC", is_allowed=False
    )
    response = send(as_user(analyst), plain[:1], confirmed="yes", follow=True)
    assert "Nothing was split. The Jira space SEC is not open" in response.content.decode()
    assert sizes() == [3]
