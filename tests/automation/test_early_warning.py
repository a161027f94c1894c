"""The early warning: what is said of a rule before its next ticket fails."""

from contextlib import contextmanager
from datetime import timedelta

import pytest

from automation import early_warning, services
from automation.early_warning import check_due
from automation.models import Rule, RuleCheck
from tests.factories import DestinationFactory, JiraAccountFactory
from tests.fakes.tracker import FakeTracker, misconfigured, transient, unauthorized
from ticketing.models import JiraAccount

pytestmark = pytest.mark.django_db
TEAM = "customfield_10020"


@pytest.fixture
def tracker(monkeypatch):
    fake = FakeTracker()

    @contextmanager
    def for_account(account, *, pace):
        yield fake

    monkeypatch.setattr(early_warning, "tracker_for", for_account)
    return fake


@pytest.fixture
def destination():
    return DestinationFactory()


@pytest.fixture
def rule(destination):
    return make(destination)


def make(destination, name="Libraries", **said):
    data = {
        "finding_types": ["library_vulnerability"],
        "project_id": destination.project_id,
        "max_tickets_per_day": 10,
        "target": Rule.Target.JIRA,
        **said,
    }
    return services.create_rule(services.RuleData(name=name, **data), actor=None)


def seen():
    return RuleCheck.objects.get()


def test_it_warns_of_a_fault_of_the_rule(rule, tracker, frozen):
    tracker.fail("check", misconfigured("Field Team is now required in SEC.", field=TEAM))

    assert check_due() == 1

    assert seen().warning == "Field Team is now required in SEC. The next ticket will fail."
    assert seen().field == TEAM
    rule.refresh_from_db()
    assert rule.enabled


def test_a_good_look_ends_the_warning(rule, tracker, frozen):
    tracker.fail("check", misconfigured())
    check_due()
    frozen.shift(timedelta(minutes=61))

    assert check_due() == 1

    assert (seen().warning, seen().field, seen().since) == ("", "", None)


def test_it_remembers_since_when(rule, tracker, frozen):
    tracker.fail("check", misconfigured(), times=2)
    check_due()
    first = seen().since
    frozen.shift(timedelta(minutes=61))
    check_due()

    assert seen().since == first


def test_it_looks_once_an_hour(rule, tracker, frozen):
    check_due()

    assert check_due() == 0
    frozen.shift(timedelta(minutes=61))
    assert check_due() == 1


def test_it_looks_again_when_the_rule_was_changed(rule, tracker, editor, frozen):
    tracker.fail("check", misconfigured())
    check_due()
    services.disable_rule(rule.pk, actor=editor)
    services.enable_rule(rule.pk, actor=editor)

    assert check_due() == 1
    assert seen().warning == ""


@pytest.mark.parametrize("error", [transient(), unauthorized()], ids=["transient", "auth"])
def test_trouble_of_the_account_is_no_warning(rule, tracker, error, frozen):
    tracker.fail("check", error)

    check_due()

    assert seen().warning == ""


def test_it_leaves_an_account_in_trouble_alone(destination, tracker, frozen):
    make(destination, "One")
    make(destination, "Two")
    tracker.fail("check", transient())

    assert check_due() == 1
    assert check_due() == 1


def test_it_keeps_the_warning_while_jira_does_not_answer(rule, tracker, frozen):
    tracker.fail("check", misconfigured())
    tracker.fail("check", transient())
    check_due()
    frozen.shift(timedelta(minutes=61))
    check_due()

    assert seen().warning


@pytest.mark.parametrize(
    "account",
    [
        {"state": "auth_failed", "problem": "No."},
        {"deleted_at": "2026-11-20T00:00Z"},
        {"connected_at": None},
    ],
    ids=["rejected", "deleted", "draft"],
)
def test_it_asks_no_account_that_must_not_be_called(rule, tracker, account):
    JiraAccount.objects.update(**account)

    assert check_due() == 0


def test_it_looks_only_at_rules_that_would_create_issues(destination, tracker, editor):
    make(destination, "Cases", target=Rule.Target.CASE_MANAGEMENT)
    services.disable_rule(make(destination, "Off").pk, actor=editor)

    assert check_due() == 0


def test_it_looks_at_so_many_at_once(destination, tracker, monkeypatch):
    monkeypatch.setattr(early_warning, "MOST", 2)
    for name in "ABC":
        make(destination, name)

    assert (check_due(), check_due(), check_due()) == (2, 1, 0)


def test_it_sees_a_field_become_required(sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    access = sandbox_jira.access
    account = JiraAccountFactory(
        site_url=sandbox_jira.url,
        api_url=sandbox_jira.url,
        email=access.email,
        token=access.token,
        user_id=sandbox_jira.credentials.user_id,
    )
    make(DestinationFactory(account=account), fields={"summary": "{{title}}", "labels": ["x"]})
    sandbox_jira.require_field("SEC", TEAM)

    check_due()

    assert seen().warning.startswith("Field Team is now required in SEC.")
    assert seen().field == TEAM
