"""The assignee of a case who is known in Jira alone, on every page that shows one."""

from __future__ import annotations

import re

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from automation.kinds.ticket_creation.action import Target
from automation.models import TestRun
from automation.rule_tests import execution
from tests.factories import DestinationFactory, FindingFactory, JiraAccountFactory, ProjectFactory
from tests.jira_places import account_at
from ticketing import services
from ticketing.models import Case, JiraUser
from ticketing.trackers.jira.sandbox.defaults import PRIYA, TASK

SHOWN = "Priya Platform · Jira"


@pytest.fixture
def finding(db):
    return FindingFactory(finding_type="secret", severity="high")


@pytest.fixture
def case(finding, project, analyst) -> Case:
    case = services.open_manual_case([finding.pk], project=project, actor=analyst)
    return give(case, "Priya Platform")


def give(case: Case, name: str) -> Case:
    account = JiraAccountFactory()
    case.jira_assignee = JiraUser.objects.create(account=account, user_id="jsmith", name=name)
    case.save(update_fields=["jira_assignee"])
    return case


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.mark.parametrize(
    "address",
    [
        "/cases",
        "/cases?q=assignee:priya",
        "/cases/RISK-1",
        "/tickets/{finding}/popover",
        "/findings/{finding}",
    ],
)
def test_every_page_names_them(as_user, viewer, analyst, case, finding, address):
    address = address.format(finding=finding.finding_id)
    for person in (viewer, analyst):
        assert SHOWN in text_of(as_user(person).get(address).text)


def test_the_board_names_them_beside_their_initials(as_user, viewer, case):
    shown = as_user(viewer).get("/cases?layout=board").text

    assert f'data-i="PP" role="img" aria-label="{SHOWN}" title="{SHOWN}"' in shown


def test_the_menu_of_assignees_shows_them_as_chosen_and_takes_another(as_user, analyst, case):
    browser = as_user(analyst)
    chosen = re.findall(
        r'<button class="menu-item"[^>]*aria-checked="true"[^>]*>(.*?)</button>',
        browser.get("/cases/RISK-1").text.partition('id="assignee-menu"')[2],
    )
    assert [text_of(each).strip() for each in chosen] == [SHOWN]

    browser.post("/cases/RISK-1/change", {"assignee": "", "seen": "2126-01-01T00:00:00Z"})

    case.refresh_from_db()
    assert case.assigned_to is None
    assert f"Unassigned from {SHOWN}" in text_of(browser.get("/cases/RISK-1").text)


def test_the_admin_names_them(as_user, admin, case):
    assert SHOWN in as_user(admin).get("/admin/ticketing/case/").text


@pytest.mark.parametrize("layout", ["", "?layout=board"])
def test_it_costs_the_same_for_one_as_for_many(as_user, analyst, project, layout):
    browser, costs = as_user(analyst), []
    for number in (1, 20):
        for _ in range(number):
            case = services.open_manual_case([], title="T", project=project, actor=None)
            give(case, f"Priya {case.number}")
        with CaptureQueriesContext(connection) as statements:
            browser.get(f"/cases{layout}")
        costs.append(len(statements))

    assert costs[0] == costs[1] <= 13


def test_the_result_of_a_test_names_them(as_user, editor, project, finding, sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    cache.clear()
    account = account_at(sandbox_jira)
    JiraUser.objects.create(account=account, user_id=PRIYA.account_id, name=PRIYA.display_name)
    place = {"account": str(account.pk), "space": sandbox_jira.project("SEC").id, "type": TASK.id}
    form = {"types": ["secret"], "severities": ["high"], "limit": "5", "target": "jira"}
    form |= place | {"jira_assignee": PRIYA.account_id, "run": "yes"}
    browser = as_user(editor)

    browser.post("/rules/test", form | {"finding": finding.finding_id})
    run = TestRun.objects.get()
    execution.carry_on(run.pk)

    assert SHOWN in text_of(browser.get(f"/tests/{run.pk}").text)


def test_a_rule_of_each_jira_names_its_own(as_user, viewer, make_rule):
    """Two accounts with a user of one id are two people."""
    for name in ("Jane Smith", "John Smith"):
        place = DestinationFactory(project=ProjectFactory())
        JiraUser.objects.create(account=place.account, user_id="jsmith", name=name)
        make_rule(
            name=f"Of {name}",
            project_id=place.project_id,
            target=Target.JIRA,
            fields={"assignee": {"name": "jsmith"}},
        )

    shown = text_of(as_user(viewer).get("/settings/findings-automation").text)

    assert ("Jane Smith · Jira" in shown, "John Smith · Jira" in shown) == (True, True)
