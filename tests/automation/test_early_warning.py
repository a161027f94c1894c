"""The early warning: what is said of a rule before its next ticket fails."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from automation.destinations import early_warning
from automation.destinations.early_warning import check_due
from automation.kinds.ticket_creation.action import Target
from automation.models import RuleCheck
from automation.rules import services
from tests.desk import REQUIRED
from tests.factories import DestinationFactory, JiraAccountFactory, ProjectFactory, ticket_rule
from tests.fakes.tracker import FakeTracker, misconfigured, refused, transient, unauthorized
from tests.jira_places import destination_at
from ticketing import place_check
from ticketing.models import JiraAccount
from ticketing.trackers.jira.sandbox.defaults import OF_AN_APP, ORG_TEAM, REQUEST_TYPE

pytestmark = pytest.mark.django_db
TEAM = "customfield_10020"


@pytest.fixture
def tracker(monkeypatch):
    fake = FakeTracker()

    @contextmanager
    def for_account(account, **options):
        yield fake

    monkeypatch.setattr(place_check, "tracker_for", for_account)
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
        "target": Target.JIRA,
        **said,
    }
    return services.create_rule(ticket_rule(name=name, **data), actor=None)


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


def test_a_look_that_jira_refuses_is_no_warning_and_stops_no_other(destination, tracker, frozen):
    make(destination, "One")
    make(destination, "Two")
    tracker.fail("check", refused("Jira does not know it (HTTP 404)."), times=2)

    assert check_due() == 2
    assert set(RuleCheck.objects.values_list("warning", flat=True)) == {""}


def test_it_leaves_an_account_in_trouble_alone(destination, tracker, frozen):
    make(destination, "One")
    make(destination, "Two")
    tracker.fail("check", transient())

    assert (check_due(), check_due()) == (1, 0)
    frozen.shift(60)
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
    make(destination, "Cases", target=Target.CASE_MANAGEMENT)
    services.disable_rule(make(destination, "Off").pk, actor=editor)

    assert check_due() == 0


def test_it_looks_at_so_many_at_once(destination, tracker, monkeypatch):
    monkeypatch.setattr(early_warning, "MAX_CHECKS", 2)
    for name in "ABC":
        make(destination, name)

    assert (check_due(), check_due(), check_due()) == (2, 1, 0)


def looked_at(frozen, minutes):
    """The names of the rules that the queue looks at, ringing every minute."""
    for _ in range(minutes):
        check_due()
        frozen.shift(60)
    return set(RuleCheck.objects.values_list("rule__name", flat=True))


@pytest.mark.parametrize(
    "account",
    [{"state": "auth_failed", "problem": "No."}, {"paused_until": "2026-11-24T00:00Z"}],
    ids=["rejected", "paused"],
)
def test_rules_that_cannot_be_looked_at_do_not_starve_the_others(tracker, frozen, account):
    for number in range(25):  # more than a ring looks at
        make(DestinationFactory(account=JiraAccountFactory(**account)), f"Shut {number}")
    make(DestinationFactory(), "Open")

    assert looked_at(frozen, 1) == {"Open"}


def test_an_account_that_does_not_answer_does_not_starve_the_others(tracker, frozen):
    hanging, open_ = DestinationFactory(), DestinationFactory()
    for number in range(30):
        make(hanging, f"Hanging {number}")
    make(open_, "Open")
    tracker.fail("check", transient())

    assert "Open" in looked_at(frozen, 2)
    assert len(looked_at(frozen, 4)) == 31


def test_a_rule_that_raises_does_not_stop_the_others(tracker, frozen, monkeypatch):
    first, second = DestinationFactory(), DestinationFactory()
    for place, name in ((first, "Bad"), (first, "Behind it"), (second, "Elsewhere")):
        make(place, name, fields={"labels": [name]})

    def check(place, fields):
        if fields["labels"] == ["Bad"]:
            raise KeyError

    monkeypatch.setattr(tracker, "check", check)

    with pytest.raises(ExceptionGroup):
        check_due()

    assert looked_at(frozen, 1) == {"Bad", "Behind it", "Elsewhere"}


def at_jira(jira, space, **said):
    return make(destination_at(jira, space=space, project=ProjectFactory()), space, **said)


def test_it_sees_a_field_become_required(sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    at_jira(sandbox_jira, "SEC", fields={"summary": "{{title}}", "labels": ["x"]})
    sandbox_jira.require_field("SEC", TEAM)

    check_due()

    assert seen().warning.startswith("Field Team is now required in SEC.")
    assert seen().field == TEAM


UNKNOWN_VALUES = REQUIRED | {ORG_TEAM.id: "?", REQUEST_TYPE.id: "?", OF_AN_APP.id: ["?"]}


@pytest.mark.parametrize("fields", [REQUIRED, UNKNOWN_VALUES])
def test_it_says_nothing_of_values_that_jira_alone_can_judge(sandbox_jira, settings, fields):
    settings.ALLOW_PRIVATE_NETWORKS = True
    at_jira(sandbox_jira, "DESK", fields=fields)

    check_due()

    assert seen().warning == ""


@pytest.mark.parametrize(
    ("field", "default", "warns"),
    [
        (TEAM, None, True),
        (TEAM, {"id": "10300"}, False),  # Jira fills it in
        ("labels", None, False),  # each ticket has our key among its labels
        ("priority", None, False),  # a project may map the case's
        ("reporter", None, False),  # who creates it
    ],
)
def test_it_warns_only_of_what_surely_fails(sandbox_jira, settings, field, default, warns):
    settings.ALLOW_PRIVATE_NETWORKS = True
    at_jira(sandbox_jira, "SEC", fields={})
    screen = sandbox_jira.project("SEC").fields["10001"]
    screen[field] = replace(screen[field], required=True, default=default)

    check_due()

    assert bool(seen().warning) is warns
