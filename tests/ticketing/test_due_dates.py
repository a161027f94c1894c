"""Semantics §10.4, §7.2: a case is due when its findings are, unless a person said otherwise, and
Jira says the same day in every time zone."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from findings.facts import Status
from findings.models import Finding
from findings.services import change_status
from tests.factories import FindingFactory, ProjectFactory
from tests.fakes.tracker import BOT
from ticketing import details, services
from ticketing.delivery import compose
from ticketing.destinations import due_date_at_creation
from ticketing.following import follow_findings
from ticketing.models import Destination
from ticketing.sync import sync_due
from ticketing.trackers.base import IssueRef
from ticketing.trackers.jira import reading

pytestmark = pytest.mark.django_db
FIRST, SECOND, THIRD = date(2026, 12, 1), date(2026, 12, 2), date(2026, 12, 3)


def due_at(day):
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None


def finding(day, **said):
    workflow = {"due_date": {"due_at": round(due_at(day).timestamp() * 1000)}} if day else {}
    return FindingFactory(due_at=due_at(day), workflow=workflow, **said)


def put_off(row, day):
    Finding.objects.filter(pk=row.pk).update(due_at=due_at(day))
    follow_findings()


@pytest.fixture
def findings():
    return [finding(SECOND), finding(FIRST), finding(None)]


@pytest.fixture
def case(findings, analyst):
    pks = [each.pk for each in findings]
    return services.open_manual_case(pks, project=ProjectFactory(), actor=analyst)


def due(case):
    case.refresh_from_db()
    return case.due_date


def told(case):
    return [(e.before, e.after, e.reason != "") for e in case.timeline.filter(kind="due_date")]


# --- From the findings --------------------------------------------------------------------


def test_a_case_is_due_on_the_earliest_day_of_its_open_findings(case, findings):
    assert due(case) == FIRST
    assert told(case) == []
    put_off(findings[1], THIRD)
    assert due(case) == SECOND
    change_status([findings[0].pk], status=Status.RESOLVED, actor=None)
    follow_findings()
    assert due(case) == THIRD
    assert told(case) == [
        ("2026-12-02", "2026-12-03", True),
        ("2026-12-01", "2026-12-02", True),
    ]


def test_it_follows_what_is_attached_and_detached(case, findings, analyst):
    services.detach([findings[1].pk], actor=analyst)
    assert due(case) == SECOND
    services.attach(case, [findings[1].pk], actor=analyst)
    assert due(case) == FIRST
    services.detach([each.pk for each in findings[:2]], actor=analyst)
    assert due(case) is None


def test_a_case_without_an_open_finding_keeps_the_day_it_had(case, findings):
    change_status([each.pk for each in findings], status=Status.RESOLVED, actor=None)
    Finding.objects.update(due_at=None)
    follow_findings()
    assert (due(case), case.status) == (FIRST, "CLOSED")


def test_following_twice_changes_nothing(case, findings):
    put_off(findings[1], THIRD)
    entries = case.timeline.count()
    assert follow_findings() == 0
    assert case.timeline.count() == entries


def test_a_persons_own_day_stays_until_they_take_it_away(case, findings, analyst):
    details.set_due_date(case, THIRD, actor=analyst)
    put_off(findings[1], None)
    assert (due(case), case.is_due_by_hand) == (THIRD, True)
    assert case.timeline.get(kind="due_date").actor == analyst
    details.set_due_date(case, None, actor=analyst)
    assert (due(case), case.is_due_by_hand) == (SECOND, False)


def test_the_text_of_a_ticket_says_the_day(case, findings):
    assert ", due 2026-12-01" in case.description
    [alone] = services.open_case_each([findings[0].pk], project=ProjectFactory(), actor=None)
    assert "**Due:** 2026-12-02" in alone.description
    assert alone.due_date == SECOND


# --- In Jira ------------------------------------------------------------------------------


@pytest.fixture
def two_way(destination):
    destination.sync_due_date = "two_way"
    destination.save()
    return destination


def ref(issue):
    return IssueRef(issue.issue_id, issue.issue_key)


def there(remote, issue, field="duedate"):
    return remote.issues[issue.issue_id].state.dates.get(field)


def test_a_day_set_here_is_there_and_taken_away_again(two_way, issue, remote, frozen, analyst):
    details.set_due_date(issue.case, FIRST, actor=analyst)
    sync_due()
    assert there(remote, issue) == FIRST
    assert issue.case.timeline.get(kind="issue").reason == "Due date synced to Jira: 2026-12-01"
    frozen.shift(60)
    details.set_due_date(issue.case, None, actor=analyst)
    sync_due()
    assert there(remote, issue) is None


def test_a_day_set_there_is_here_a_persons_own(two_way, issue, remote, look):
    remote.change(ref(issue), dates={"duedate": SECOND})
    look()
    assert (due(issue.case), issue.case.is_due_by_hand) == (SECOND, True)
    entry = issue.case.timeline.get(kind="due_date")
    assert (entry.after, entry.author) == ("2026-12-02", "Dana Developer")
    remote.change(ref(issue), dates={"duedate": None})
    look()
    assert (due(issue.case), issue.case.is_due_by_hand) == (None, True)
    assert remote.called("push") == []


def test_our_own_write_is_no_act_of_theirs(two_way, issue, remote, look, analyst):
    details.set_due_date(issue.case, FIRST, actor=analyst)
    sync_due()
    entries = issue.case.timeline.count()
    look()
    look()
    assert len(remote.called("push")) == 1
    assert issue.case.timeline.count() == entries


def test_a_person_there_wins_over_findings_that_move_later(two_way, issue, remote, frozen):
    remote.change(ref(issue), dates={"duedate": THIRD})
    frozen.shift(60)
    services.attach(issue.case, [finding(FIRST).pk], actor=None)
    assert due(issue.case) == FIRST
    sync_due()
    assert (due(issue.case), there(remote, issue)) == (THIRD, THIRD)
    assert issue.case.timeline.get(kind="conflict").reason == "Due date was changed on both sides"


def test_findings_that_move_are_followed_there(two_way, issue, remote, frozen):
    row = finding(FIRST)
    services.attach(issue.case, [row.pk], actor=None)
    sync_due()
    assert there(remote, issue) == FIRST
    frozen.shift(60)
    put_off(row, THIRD)
    sync_due()
    assert there(remote, issue) == THIRD
    assert not issue.case.is_due_by_hand


@pytest.mark.parametrize("mode", ["off", "once"])
def test_other_modes_exchange_nothing_later(destination, issue, remote, look, analyst, mode):
    Destination.objects.update(sync_due_date=mode)
    details.set_due_date(issue.case, FIRST, actor=analyst)
    remote.change(ref(issue), dates={"duedate": SECOND})
    look()
    assert (due(issue.case), there(remote, issue)) == (FIRST, SECOND)


def test_another_field_starts_with_the_day_that_is_here(two_way, issue, remote, look, analyst):
    details.set_due_date(issue.case, FIRST, actor=analyst)
    sync_due()
    Destination.objects.update(due_date_field="customfield_1")
    look()  # the issue does not have it: nothing is taken for cleared
    assert due(issue.case) == FIRST
    remote.change(ref(issue), by=BOT.id, dates={"customfield_1": None})
    look()
    assert (due(issue.case), there(remote, issue, "customfield_1")) == (FIRST, FIRST)


@pytest.mark.parametrize(
    ("mode", "fields", "sent"),
    [
        ("two_way", {}, "2026-12-01"),
        ("once", {}, "2026-12-01"),
        ("off", {}, None),
        ("once", {"duedate": "2027-01-01"}, "2027-01-01"),  # the rule says its own
    ],
)
def test_a_new_issue_has_the_day(destination, make_issue, mode, fields, sent):
    Destination.objects.update(sync_due_date=mode)
    issue = make_issue(synced=False)
    issue.case.due_date, issue.fields = FIRST, fields
    draft = compose(issue)
    assert draft.fields.get("duedate") == sent
    assert ("duedate" in draft.optional) is (sent == "2026-12-01")


# --- In every time zone -------------------------------------------------------------------

OFFSETS = [timezone(timedelta(hours=hours)) for hours in (14, 5.5, 0, -8, -12)]


@pytest.mark.parametrize("zone", OFFSETS)
def test_a_moment_is_the_end_of_its_day_wherever_it_is_read(zone):
    place = Destination(sync_due_date="once", due_date_field="cf", due_date_has_time=True)
    sent = due_date_at_creation(place, FIRST, account_id=None)["cf"]
    assert sent == "2026-12-01T23:59:00.000+0000"
    shown = datetime.fromisoformat(sent).astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S.000%z")
    assert reading.days({"cf": shown, "day": "2026-12-01"}, ["cf", "day"]) == {
        "cf": FIRST,
        "day": FIRST,
    }


def test_what_holds_no_day_is_not_taken_for_none():
    fields = {"text": "soon", "number": 7, "empty": None, "first": "0001-01-01T00:00:00+14:00"}
    assert reading.days(fields, [*fields, "absent"]) == {"empty": None}
