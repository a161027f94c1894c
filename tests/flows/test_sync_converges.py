"""Random interleavings of what happens here, there and on the way in between: whatever is
doubled, late, lost, out of order or killed, both sides come to say the same, and it is what the
last person wanted."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from findings.facts import Status
from findings.services import change_status
from tests.factories import (
    DestinationFactory,
    ExternalIssueFactory,
    FindingFactory,
    JiraAccountFactory,
    ProjectFactory,
    UserFactory,
    opened_case,
)
from tests.fakes.tracker import BOT, PEOPLE, SPACE, FakeTracker, transient, unsure
from ticketing import commenting, details, services, webhooks
from ticketing.comparing import CATEGORIES
from ticketing.following import follow_findings
from ticketing.models import ExternalIssue
from ticketing.states import State
from ticketing.sync import sync_due
from ticketing.trackers.base import Category, IssueDraft

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]  # many steps on a busy machine
SIGNATURE = "**Dana Developer:** "
WRITES = ("push", "comment", "edit_comment", "delete_comment")
START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NAMES = {Category.NEW: "To Do", Category.IN_PROGRESS: "In Progress", Category.DONE: "Done"}


class Killed(BaseException):
    """The worker, by kill -9: nothing is cleaned up."""


class Slow(FakeTracker):
    """Things happen while it is asked; what is written may land late or kill who writes it."""

    def __init__(self, **said):
        super().__init__(**said)
        self.meanwhile = []  # what people do right after the next read of everything
        self.before = {}  # as it was before somebody's last change
        self.is_stale = False
        self.next_push = ""
        self.late = []

    def change(self, ref, **values):
        self.before[ref.id] = self.issues[ref.id].state
        super().change(ref, **values)

    def fetch(self, ids):
        states = dict(super().fetch(ids))
        if self.is_stale:
            self.is_stale = False
            states |= {id_: old for id_, old in self.before.items() if id_ in states}
        while self.meanwhile:
            self.meanwhile.pop()()
        return states

    def push(self, ref, change):
        how, self.next_push = self.next_push, ""
        if how == "late":
            self.late.append(lambda: self._land(ref, change))
            raise unsure()
        if how == "killed before":
            raise Killed
        super().push(ref, change)
        if how == "killed after":
            raise Killed

    def _land(self, ref, change):
        failures, self._failures = self._failures, {}
        super().push(ref, change)
        self._failures = failures


def _ms(moment):
    return round(moment.timestamp() * 1000)


class World:
    """One case and its issue, and everything that may happen to them."""

    def __init__(self, clock, monkeypatch):
        self.clock = clock
        self.remote = Slow(now=timezone.now)
        self.dana = UserFactory(name="Dana Developer", email="dana@example.com")
        account = JiraAccountFactory(user_id=BOT.id)
        place = DestinationFactory(
            account=account, project=ProjectFactory(), sync_due_date="two_way"
        )
        self.case = opened_case(place.project)
        ref = self.remote.create(
            IssueDraft(destination=SPACE, summary="x", description="x"), key="k", attempt="1"
        )
        self.ref = ref
        self.issue = ExternalIssueFactory(
            case=self.case,
            account=account,
            state=State.CREATED,
            issue_id=ref.id,
            issue_key=ref.key,
            sync_due_at=timezone.now(),
        )
        self.account = account
        due_at = datetime(2026, 12, 3, tzinfo=UTC)
        self.finding = FindingFactory(due_at=due_at, workflow={"due_date": {"due_at": _ms(due_at)}})
        self.wanted = {}  # by field: what the last person wanted
        self.comments = self.edits = 0
        self.events = 0

        @contextmanager
        def tracker_for(account, **options):
            yield self.remote

        for module in ("sync", "account_probe"):
            monkeypatch.setattr(f"ticketing.{module}.tracker_for", tracker_for)

    def __call__(self, action):
        self.clock.shift(1)
        name, *values = action
        getattr(self, name)(*values)

    # --- People

    def here_status(self, status):
        if type(self.case).objects.get(pk=self.case.pk).status != status:
            services.change_case(self.case, status=status, actor=self.dana)
            self.wanted["status"] = CATEGORIES[status]

    def there_status(self, category):
        if self.state.category is not category:
            self.remote.change(self.ref, category=category, status=NAMES[category])
            self.wanted["status"] = category

    def here_assignee(self, is_somebody):
        before = type(self.case).objects.get(pk=self.case.pk).assignee_id
        person = self.dana if is_somebody and self.is_known else None
        if before != (person.pk if person else None):
            services.change_case(self.case, assignee=person, actor=self.dana)
            self.wanted["assignee"] = "dana" if person else ""

    def there_assignee(self, is_somebody):
        person = PEOPLE["dana"] if is_somebody else None
        if self.state.assignee != person:
            self.remote.change(self.ref, assignee=person)
            self.wanted["assignee"] = "dana" if person else ""

    def here_due(self, day):
        if type(self.case).objects.get(pk=self.case.pk).own_due_date != day:
            details.set_due_date(self.case, day, actor=self.dana)
            self.wanted["due"] = day

    def there_due(self, day):
        if self.state.dates["duedate"] != day:
            self.remote.change(self.ref, dates={"duedate": day})
            self.wanted["due"] = day

    def here_comment(self):
        self.comments += 1
        services.comment(self.case, f"here {self.comments}", actor=self.dana)

    def there_comment(self):
        self.comments += 1
        self.remote.write(self.ref, f"there {self.comments}")

    def here_edit(self):
        if entry := self._ours.first():
            self.edits += 1
            commenting.edit_comment(entry, f"edit {self.edits}", actor=self.dana)

    def here_delete(self):
        if entry := self._ours.last():
            commenting.delete_comment(entry, actor=self.dana)

    def there_edit(self):
        found = self.remote.issues[self.ref.id].comments
        if found:
            self.edits += 1
            signature = SIGNATURE if found[-1].key else ""
            text = f"{signature}edit {self.edits}"
            found[-1] = found[-1]._replace(text=text, updated_at=timezone.now())

    @property
    def _ours(self):
        return self.case.timeline.filter(kind="comment", author="", deleted_at=None)

    def there_wont_fix(self):
        values = {"category": Category.DONE, "status": "Done", "resolution": "Won't Do"}
        self.remote.change(self.ref, **values)

    def finding_is_reported_again(self):
        """It was fixed, and is not."""
        services.attach(self.case, [self.finding.pk], actor=None)
        for status in (Status.RESOLVED, Status.OPEN):
            change_status([self.finding.pk], status=status, actor=None)
            follow_findings()

    def finding_comes_and_goes(self):
        services.attach(self.case, [self.finding.pk], actor=None)
        services.detach([self.finding.pk], actor=None)

    # --- The way in between

    def event(self, number):
        """The first, or one that was sent before."""
        event = {"webhookEvent": "jira:issue_updated", "issue": {"id": self.ref.id}}
        webhooks.take_event(self.account, f"event-{number}", event)

    def sync(self):
        with suppress(Killed):
            sync_due()

    def poll(self):
        ExternalIssue.objects.filter(detached_at=None).update(sync_due_at=timezone.now())
        self.sync()

    def meanwhile(self, action):
        self.remote.meanwhile.append(lambda: self(action))

    def stale_read(self):
        self.remote.is_stale = True

    def next_push(self, how):
        self.remote.next_push = how

    def fails(self, method, *, after):
        error = unsure() if after else transient(whole_account=False)
        self.remote.fail(method, error, after=after)

    def late_write_lands(self):
        if self.remote.late:
            self.remote.late.pop()()

    def wait(self, seconds):
        self.clock.shift(seconds)

    # --- In the end

    def settle(self):
        self.remote._failures.clear()
        self.remote.next_push, self.remote.is_stale = "", False
        for late in self.remote.late:
            self.clock.shift(1)
            late()
        for _ in range(5):
            self.clock.shift(400)
            self.poll()

    @property
    def is_known(self):
        """Somebody who was never seen there cannot be assigned from here."""
        return self.state.assignee is not None or "assignee" in self.wanted

    @property
    def state(self):
        return self.remote.issues[self.ref.id].state


statuses = st.sampled_from(list(CATEGORIES))
categories = st.sampled_from(list(Category))
days = st.sampled_from([None, date(2026, 12, 1), date(2026, 12, 2)])
people = st.one_of(
    st.tuples(st.just("here_status"), statuses),
    st.tuples(st.just("there_status"), categories),
    st.tuples(st.just("here_assignee"), st.booleans()),
    st.tuples(st.just("there_assignee"), st.booleans()),
    st.tuples(st.sampled_from(["here_due", "there_due"]), days),
    st.just(("here_comment",)),
    st.just(("there_comment",)),
    st.sampled_from([("here_edit",), ("here_delete",), ("there_edit",)]),
)
way = st.one_of(
    st.tuples(st.just("event"), st.integers(1, 5)),
    st.just(("sync",)),
    st.just(("poll",)),
    st.tuples(st.just("meanwhile"), people),
    st.just(("stale_read",)),
    st.tuples(st.just("next_push"), st.sampled_from(["late", "killed before", "killed after"])),
    st.sampled_from([("fails", name) for name in (*WRITES, "fetch")]),
    st.just(("late_write_lands",)),
    st.tuples(st.just("wait"), st.sampled_from([20, 400])),
)
lives = st.lists(st.one_of(people, way), max_size=24)
careful = settings(
    max_examples=int(os.environ.get("EXAMPLES", "25")),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@contextmanager
def new_world(monkeypatch):
    with transaction.atomic(), time_machine.travel(START, tick=False) as clock:
        yield World(clock, monkeypatch)
        transaction.set_rollback(True)


def happen(world, life):
    for action in life:
        if action[0] == "fails":
            world.clock.shift(1)
            world.fails(action[1], after=len(world.remote.calls) % 2 == 0)
        else:
            world(action)
    world.settle()


def assert_both_say_the_same(world):
    case = type(world.case).objects.get(pk=world.case.pk)
    assert CATEGORIES[case.status] is world.state.category
    assert (case.assignee == world.dana) is (world.state.assignee == PEOPLE["dana"])
    assert case.due_date == world.state.dates["duedate"]


def assert_every_comment_is_on_both_sides_once(world):
    told = world.case.timeline.filter(kind="comment")
    here = [e.after for e in told.filter(deleted_at=None)]
    found = world.remote.issues[world.ref.id].comments
    there = [comment.text.removeprefix(SIGNATURE) for comment in found]
    assert len(set(here)) == len(here)
    assert told.count() == world.comments
    assert sorted(here) == sorted(there)


def assert_it_is_at_rest(world):
    written = [call for call in world.remote.calls if call[0] in WRITES]
    told = world.case.timeline.count()
    world.clock.shift(timedelta(hours=7))
    for number in range(3):
        world.event(100 + number)
        world.poll()
    assert [call for call in world.remote.calls if call[0] in WRITES] == written
    assert world.case.timeline.count() == told


@careful
@given(lives)
def test_both_sides_come_to_what_the_last_person_wanted(monkeypatch, life):
    with new_world(monkeypatch) as world:
        happen(world, life)
        assert_both_say_the_same(world)
        assert world.state.category is world.wanted.get("status", world.state.category)
        assert world.state.dates["duedate"] == world.wanted.get("due")
        somebody = bool(world.wanted.get("assignee", world.state.assignee))
        assert (world.state.assignee is not None) is somebody
        assert_every_comment_is_on_both_sides_once(world)
        acts = len(life) + sum(action[0] == "meanwhile" for action in life)
        assert len(world.remote.called("push")) <= 2 * acts + 1
        assert_it_is_at_rest(world)


findings = st.sampled_from(
    [("finding_comes_and_goes",), ("finding_is_reported_again",), ("there_wont_fix",)]
)


@careful
@given(st.lists(st.one_of(people, way, findings), max_size=24))
def test_both_sides_agree_whatever_the_findings_do(monkeypatch, life):
    with new_world(monkeypatch) as world:
        happen(world, life)
        assert_both_say_the_same(world)
