"""Answers that are not Jira's, once, twice and for an hour, to each kind of call: what waits is
done within a bound of time once Jira is well, by nobody's doing. The clock is simulated."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.utils import timezone

from automation.models import Rule
from config.runtime import schedules
from tests.factories import ExternalIssueFactory, RuleFactory, UserFactory, opened_case
from tests.jira_places import destination_at
from tests.ticketing.outbox import promised
from ticketing import account_probe, accounts, delivery, pacing, services, sync
from ticketing.account_data import AccountData
from ticketing.models import ExternalIssue, JiraAccount
from ticketing.outbox.lost import free_lost
from ticketing.states import State
from ticketing.trackers.jira.sandbox.defaults import BOT

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.timeout(300),
]  # many steps on a busy machine

PAGE = "<html><title>Back soon</title>"
LONG_AGO = {"Date": "Sat, 23 Nov 2025 12:00:00 GMT", "Retry-After": "Sat, 23 Nov 2025 12:10:00 GMT"}
ANSWERS = {
    "302 maintenance": (302, PAGE, {"Location": "https://status.example.com/"}),
    "302 login": (302, PAGE, {"Location": "/login.jsp"}),
    "401": (401, {"errorMessages": ["You are not authenticated."]}, {}),
    "403 page": (403, PAGE, {}),
    "404 page": (404, PAGE, {}),
    "200 captive page": (200, PAGE, {}),
    "200 login page": (200, "<html><form id=login-form>", {}),
    "200 other product": (200, {"id": "a1", "key": "page", "status": "current"}, {}),
    "429 a year ago": (429, PAGE, LONG_AGO),
}
CALLS = {
    "create": "POST /issue$",
    "find": "GET /search",
    "fetch": "POST /bulkfetch$",
    "push": "POST /transitions$",
    "comment": "POST /comment$",
}
TASKS = {
    "ticketing.tasks.deliver": delivery.deliver_due,
    "ticketing.tasks.sync": sync.sync_due,
    "ticketing.tasks.probe_accounts": account_probe.probe_due,
}


class World:
    """Three tickets wait, one of them perhaps created already; a fourth is there, changed on both
    sides and commented here."""

    def __init__(self, jira, clock):
        self.jira, self.clock = jira, clock
        self.place = destination_at(jira)
        self.rule = RuleFactory(project_id=self.place.project_id, enabled=True)
        self.there = self._followed()
        self.waiting = promised(3, destination=self.place, rule_id=self.rule.pk)
        unsure = {"state": State.UNSURE, "was_unsure": True, "posted_at": timezone.now()}
        ExternalIssue.objects.filter(pk=self.waiting[0].pk).update(**unsure)
        person = UserFactory(name="Dana Developer")
        services.change_case(self.there.case, status="CLOSED", actor=person)
        services.comment(self.there.case, "Patched.", actor=person)

    def _followed(self):
        issue = self.jira.create_issue("SEC", "Outdated library", by=BOT)
        return ExternalIssueFactory(
            case=opened_case(self.place.project),
            account=self.place.account,
            state=State.CREATED,
            issue_id=str(issue.id),
            issue_key=issue.key,
            sync_due_at=timezone.now(),
        )

    def live(self, seconds, *, step):
        """What the clusters would do in that time; returns when all is done, or at its end."""
        ends = timezone.now().timestamp() + seconds
        while timezone.now().timestamp() < ends and not self.is_done:
            for path in schedules.due():
                TASKS[path]()
            free_lost()
            self.clock.shift(step)

    @property
    def is_done(self):
        states = {each.state for each in ExternalIssue.objects.all()}
        there = self.jira.issue(self.there.issue_key)
        is_closed = self.jira.status_of(self.there.issue_key) == "Done"
        return states == {"created"} and is_closed and len(there.comments) == 1

    def assert_all_is_well(self):
        account = JiraAccount.objects.get()
        assert (account.state, account.sync_failures) == ("connected", 0)
        assert self.is_done
        assert len(self.jira.issues()) == 4
        assert Rule.objects.get().enabled
        assert not ExternalIssue.objects.exclude(sync_problem="").exists()


@pytest.fixture
def world(frozen, sandbox_jira, settings, monkeypatch):
    settings.ALLOW_PRIVATE_NETWORKS = True
    monkeypatch.setattr(pacing, "time", SimpleNamespace(sleep=frozen.shift))
    return World(sandbox_jira, frozen)


def spoil(world, match, name, *, times):
    status, body, headers = ANSWERS[name]
    world.jira.faults.answer(match, status, body, headers=headers, times=times)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("name", ANSWERS)
def test_it_goes_on_within_minutes_after_one_strange_answer_or_two(world, name, times):
    """To each kind of call."""
    for match in CALLS.values():
        spoil(world, match, name, times=times)
    world.live(600, step=5)
    world.assert_all_is_well()


@pytest.mark.parametrize("name", ANSWERS)
def test_it_goes_on_by_itself_after_an_hour_of_strange_answers(world, name):
    spoil(world, "* .", name, times=None)
    world.live(3600, step=20)
    assert not world.is_done
    is_suspended = JiraAccount.objects.get().is_suspended
    assert is_suspended is not name.startswith("429")
    assert len(world.jira.log.all()) < (20 if is_suspended else 200)
    world.jira.faults.clear()
    world.live(25 * 60, step=20)  # it was looked at after 0, 1, 6, 21 and 81 minutes
    world.assert_all_is_well()


@pytest.mark.parametrize("name", ANSWERS)
def test_it_goes_on_by_itself_when_only_creates_were_answered_strangely(world, name):
    spoil(world, CALLS["create"], name, times=None)
    world.live(3600, step=20)
    assert not world.is_done
    world.jira.faults.clear()
    world.live(20 * 60, step=20)
    world.assert_all_is_well()


def test_a_revoked_token_stays_suspended_until_there_is_another(world):
    world.jira.revoke_token()
    world.live(12 * 3600, step=300)
    account = JiraAccount.objects.get()
    assert account.state == "auth_failed"
    assert len(world.jira.log.all()) < 25
    world.jira.restore_token()
    data = {name: getattr(account, name) for name in ("name", "site_url", "email", "deployment")}
    accounts.edit_account(account, AccountData(**data), token=account.token, actor=None)
    world.live(300, step=5)
    world.assert_all_is_well()
