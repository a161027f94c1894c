"""A space that an admin closed: no ticket, no link and no look comes by any way."""

from __future__ import annotations

import inspect
import re

import pytest
from django.core.cache import cache
from django.test import Client

from automation.models import Rule
from automation.pipeline import evaluate_all
from automation.rules.services import create_rule, deliver_waiting, enable_rule
from config.accounts.api_keys import create_api_key
from config.accounts.roles import Permission
from findings.services import record
from tests.factories import FindingFactory, ProjectFactory, SourceFactory, reported, ticket_rule
from tests.flows.closed_space import SECRET, WAYS, World
from tests.flows.closed_space_doors import DOORS, doors
from tests.jira_places import destination_at
from ticketing import outbox
from ticketing.accounts import allow_spaces
from ticketing.allowed_spaces import may_use
from ticketing.delivery import deliver_due
from ticketing.models import Destination, ExternalIssue, JiraIssueTemplate, JiraSpace
from ticketing.services import open_manual_case
from ticketing.sync import sync_due

pytestmark = pytest.mark.django_db(transaction=True)


def browser(user) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def place(sandbox_jira, settings):
    """In SEC, which is open yet, like PLAT."""
    settings.ALLOW_PRIVATE_NETWORKS = True
    cache.clear()
    place = destination_at(sandbox_jira)
    for key in ("SEC", "PLAT"):
        JiraSpace.objects.create(
            account=place.account, space_id=sandbox_jira.project(key).id, key=key, name=key
        )
    return place


def close(place) -> None:
    allow_spaces(place.account, [], actor=None)


def reopen(place) -> None:
    allow_spaces(place.account, [place.space_id], actor=None)


@pytest.fixture
def world(place, sandbox_jira, admin, editor, analyst) -> World:
    close(place)
    raw = create_api_key("ci", scopes=list(Permission), actor=admin)[1]
    issue = sandbox_jira.create_issue("SEC", SECRET)
    sandbox_jira.log.clear()
    return World(
        jira=sandbox_jira,
        place=place,
        project=ProjectFactory(key="FREE"),
        finding=FindingFactory(finding_type="secret"),
        key=issue.key,
        editor=browser(editor),
        analyst=browser(analyst),
        machine=Client(headers={"DD-API-KEY": raw, "DD-APPLICATION-KEY": raw}),
    )


@pytest.mark.parametrize("name", WAYS)
def test_it_lets_nobody_into_a_closed_space(world, name, tmp_path):
    attempt = WAYS[name]
    more = [tmp_path] if len(inspect.signature(attempt).parameters) > 1 else []
    answer = attempt(world, *more)

    assert not ExternalIssue.objects.exists()
    assert Destination.objects.count() == 1
    assert not JiraIssueTemplate.objects.exists()
    assert not Rule.objects.filter(enabled=True, action__target="jira").exists()
    seen = [each.path for each in world.jira.log.all() if re.search("SEC|assignable", each.path)]
    assert not seen
    assert not world.jira.log.matching("* /issue")
    assert getattr(answer, "status_code", 200) < 500
    assert SECRET.encode() not in getattr(answer, "content", b"")


def test_it_knows_every_door_to_jira():
    assert set(doors()) == set(DOORS)
    tried = {name for name in DOORS.values() if "_" in name and " " not in name}
    assert tried <= set(WAYS)


def test_it_breaks_the_rule_and_delivers_when_the_space_is_open_again(place, sandbox_jira):
    said = {"finding_types": ["library_vulnerability"], "max_tickets_per_day": 9}
    rule = create_rule(
        ticket_rule(name="R", project_id=place.project_id, target="jira", **said), actor=None
    )
    record(reported(2), source=SourceFactory())
    evaluate_all()
    close(place)

    deliver_due()

    rule.refresh_from_db()
    assert not rule.enabled
    assert "SEC is not open for tickets" in rule.auto_disabled_reason
    assert set(ExternalIssue.objects.values_list("state", "field")) == {("blocked", "project")}
    assert not sandbox_jira.issues("SEC")

    reopen(place)
    enable_rule(rule.pk, actor=None)
    assert deliver_waiting(rule.pk, actor=None) == 2
    deliver_due()
    assert len(sandbox_jira.issues("SEC")) == 2


def test_it_holds_a_ticket_made_by_hand_for_a_person(place, sandbox_jira, analyst):
    finding = FindingFactory()
    open_manual_case([finding.pk], project=place.project, actor=analyst, promise=outbox.Promise({}))
    close(place)
    deliver_due()
    issue = ExternalIssue.objects.get()
    assert (issue.state, "not open" in issue.reason) == ("blocked", True)

    outbox.retry_now(issue, actor=analyst)
    deliver_due()
    assert not sandbox_jira.issues("SEC")

    reopen(place)
    outbox.retry_now(issue, actor=analyst)
    deliver_due()
    assert len(sandbox_jira.issues("SEC")) == 1


def test_it_keeps_a_ticket_that_is_there_in_step(place, sandbox_jira, analyst):
    case = open_manual_case(
        [FindingFactory().pk], project=place.project, actor=analyst, promise=outbox.Promise({})
    )
    deliver_due()
    [issue] = sandbox_jira.issues("SEC")
    close(place)

    sandbox_jira.set_status(issue.key, "Done")
    ExternalIssue.objects.update(sync_due_at=case.created_at)
    sync_due()

    case.refresh_from_db()
    assert case.status == "CLOSED"


@pytest.mark.parametrize(
    ("listed", "expected"),
    [({}, True), ({"10000": True}, True), ({"10000": False}, False), ({"1": True}, False)],
)
def test_it_closes_what_is_not_on_the_list(place, listed, expected):
    JiraSpace.objects.all().delete()
    for space_id, is_allowed in listed.items():
        JiraSpace.objects.create(
            account=place.account, space_id=space_id, key=space_id, is_allowed=is_allowed
        )
    assert place.space_id == "10000"
    assert may_use(place.account, place) is expected
