"""What every tracker keeps. A kind of tracker is tested by a subclass with a `there` fixture."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

import pytest

from ticketing.close_reasons import CloseReason
from ticketing.trackers.base import (
    AnswerMissing,
    Category,
    Change,
    Destination,
    Fault,
    IssueDraft,
    IssueRef,
    Lookup,
    Tracker,
    TrackerError,
)

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class There(Protocol):
    """The other side, in the hands of a test."""

    tracker: Tracker
    destination: Destination
    person: str  # somebody who can be assigned

    def lose_answer_to_create(self) -> None: ...
    def refuse_once(self, method: str) -> None: ...
    def refuse_credentials(self) -> None: ...
    def has_no_space(self) -> None: ...
    def delete(self, ref: IssueRef) -> None: ...
    def write(self, ref: IssueRef, text: str) -> None: ...
    def set_title(self, ref: IssueRef, title: str) -> None: ...
    def ask_on_closing(self) -> tuple[str, str]: ...  # for a text: the id and name of its field
    def count(self) -> int: ...
    def address(self, ref: IssueRef) -> str: ...


def draft(there: There, **values: object) -> IssueDraft:
    given: dict[str, object] = {"summary": "Leaked key", "description": "A **secret** in git."}
    return IssueDraft(destination=there.destination, **(given | values))  # type: ignore[arg-type]


def create(there: There, key: str = "fa-one", **values: object) -> IssueRef:
    return there.tracker.create(draft(there, **values), key=key, attempt="attempt-1")


def find(there: There, key: str):
    return there.tracker.find([Lookup(key, there.destination, LONG_AGO, floor=0)])[key]


def state(there: There, ref: IssueRef):
    return there.tracker.fetch([ref.id])[ref.id]


def fault_of(ask) -> Fault:
    with pytest.raises(TrackerError) as caught:
        ask()
    assert caught.value.reason == str(caught.value) != ""
    return caught.value.fault


class TrackerContract:
    def test_it_creates_an_issue_that_says_what_was_drafted(self, there):
        ref = create(there)
        found = state(there, ref)
        assert found.ref == ref
        assert (found.title, found.description) == ("Leaked key", "A **secret** in git.")
        assert (found.space_id, found.space_key) == there.destination[:2]
        assert found.category is Category.NEW

    def test_it_creates_an_issue_for_each_call(self, there):
        assert create(there) != create(there)
        assert there.count() == 2

    def test_it_finds_what_was_created_by_its_key(self, there):
        ref = create(there)
        create(there, key="fa-other")
        assert find(there, "fa-one").refs == (ref,)

    def test_it_finds_all_of_a_key_the_oldest_first(self, there):
        refs = (create(there), create(there))
        assert find(there, "fa-one").refs == refs

    def test_it_proves_that_nothing_was_created(self, there):
        create(there, key="fa-other")
        assert find(there, "fa-one") == ((), True)

    def test_it_is_unsure_of_a_create_without_an_answer(self, there):
        there.lose_answer_to_create()
        assert fault_of(lambda: create(there)) is Fault.UNSURE
        assert there.count() == 1
        assert len(find(there, "fa-one").refs) == 1

    def test_it_finds_many_at_once_and_answers_for_each(self, there):
        refs = {key: create(there, key=key) for key in ("fa-one", "fa-two")}
        keys = (*refs, "fa-none")
        lookups = [Lookup(key, there.destination, LONG_AGO, floor=0) for key in keys]
        assert there.tracker.find_new(lookups) == {key: (ref,) for key, ref in refs.items()}
        found = there.tracker.find(lookups)
        assert {key: one.refs for key, one in found.items()} == {
            "fa-one": (refs["fa-one"],),
            "fa-two": (refs["fa-two"],),
            "fa-none": (),
        }
        assert found["fa-none"].is_complete

    def test_it_creates_nothing_when_that_is_forbidden_at_the_last_moment(self, there):
        def forbid() -> None:
            raise TrackerError(Fault.TRANSIENT, "Too late.")

        with pytest.raises(TrackerError, match="Too late"):
            there.tracker.create(draft(there), key="fa-one", attempt="1", before_write=forbid)
        assert there.count() == 0
        create(there)

    def test_it_reports_what_the_issue_will_not_have(self, there):
        told = []
        wanted = replace(draft(there), left_out={"labels": "the finding has no value for it"})
        there.tracker.create(
            wanted,
            key="fa-one",
            attempt="1",
            report=lambda left_out: told.append((len(left_out), left_out[0].why, there.count())),
        )
        assert told == [(1, "the finding has no value for it", 0)]

    def test_it_creates_nothing_where_it_is_refused(self, there):
        there.refuse_once("create")
        assert fault_of(lambda: create(there)) is Fault.TRANSIENT
        assert there.count() == 0
        assert find(there, "fa-one") == ((), True)

    @pytest.mark.parametrize("method", ["find", "changes", "push", "comment"])
    def test_it_is_never_unsure_of_anything_but_a_create(self, there, method):
        ref = create(there)
        asks = {
            "find": lambda: find(there, "fa-one"),
            "changes": lambda: there.tracker.changes(there.destination.space_id, minutes=5),
            "push": lambda: there.tracker.push(ref, Change(title="New")),
            "comment": lambda: there.tracker.comment(ref, "Hello", key="c1"),
        }
        there.refuse_once(method)
        assert fault_of(asks[method]) is Fault.TRANSIENT

    def test_it_tells_credentials_from_everything_else(self, there):
        ref = create(there)
        there.refuse_credentials()
        assert fault_of(lambda: create(there)) is Fault.AUTH
        assert fault_of(lambda: find(there, "fa-none")) is Fault.AUTH
        assert fault_of(lambda: there.tracker.fetch([ref.id])) is Fault.AUTH

    def test_it_says_that_it_is_itself_and_knows_us(self, there):
        there.tracker.identify()
        there.refuse_credentials()
        assert fault_of(there.tracker.identify) is Fault.AUTH

    def test_it_tells_what_was_changed_lately(self, there):
        ref, other = create(there), create(there, key="fa-other")
        changes = there.tracker.changes(there.destination.space_id, minutes=5)
        assert changes.updated.keys() == {ref.id, other.id}
        assert changes.updated[ref.id] == state(there, ref).updated_at
        assert changes.is_complete
        assert there.tracker.changes("10001", minutes=5) == ({}, True)

    def test_it_tells_a_space_that_is_gone(self, there):
        there.tracker.check(there.destination, {})
        there.has_no_space()
        assert fault_of(lambda: there.tracker.check(there.destination, {})) is Fault.CONFIG
        assert fault_of(lambda: create(there)) is Fault.CONFIG

    def test_it_knows_the_highest_number(self, there):
        assert there.tracker.floor(there.destination) == 0
        create(there)
        ref = create(there)
        assert there.tracker.floor(there.destination) == int(ref.key.rpartition("-")[2])

    @pytest.mark.parametrize(
        ("said", "there_is"),
        [
            ({"priority": 1}, "1"),
            ({"priority": 2}, "2"),
            ({"priority": 5}, "5"),
            ({"priority": 0}, "3"),  # its own default
            ({"priority": 2, "fields": {"priority": {"id": "4"}}}, "4"),
        ],
    )
    def test_it_finds_its_own_priority_unless_the_fields_have_one(self, there, said, there_is):
        assert state(there, create(there, **said)).priority_id == there_is

    def test_it_leaves_out_what_does_not_exist(self, there):
        ref, gone = create(there), create(there)
        there.delete(gone)
        assert set(there.tracker.fetch([ref.id, gone.id])) == {ref.id}
        assert there.tracker.fetch([]) == {}

    def test_it_closes_with_the_answers_and_makes_none_up(self, there):
        ref, (field, name) = create(there), there.ask_on_closing()
        change = Change(category=Category.DONE, reason=CloseReason.FIXED)
        with pytest.raises(AnswerMissing) as caught:
            there.tracker.push(ref, change)
        assert (caught.value.fault, caught.value.field) == (Fault.REJECTED, field)
        assert (caught.value.name, name in caught.value.reason) == (name, True)
        assert state(there, ref).category is Category.NEW
        there.tracker.push(ref, replace(change, answers={field: "Patched"}))
        assert state(there, ref).category is Category.DONE

    def test_an_issue_that_is_opened_again_has_no_resolution(self, there):
        ref = create(there)
        there.tracker.push(ref, Change(category=Category.DONE, answers={"resolution": ("Done",)}))
        assert state(there, ref).resolution == "Done"
        there.tracker.push(ref, Change(category=Category.NEW))
        assert state(there, ref).resolution == ""

    def test_it_moves_an_issue_by_category(self, there):
        ref = create(there)
        for category in (Category.DONE, Category.DONE, Category.NEW, Category.IN_PROGRESS):
            there.tracker.push(ref, Change(category=category))
            assert state(there, ref).category is category

    def test_it_changes_only_what_is_to_change(self, there):
        ref = create(there, fields={"priority": {"id": "2"}})
        there.tracker.push(ref, Change(assignee=there.person))
        found = state(there, ref)
        assert found.assignee is not None
        assert (found.assignee.id, found.title) == (there.person, "Leaked key")
        there.tracker.push(ref, Change(title="New", priority_id="1", description="*New*"))
        found = state(there, ref)
        assert found.assignee is not None
        assert (found.title, found.priority_id) == ("New", "1")
        there.tracker.push(ref, Change(assignee=None))
        assert state(there, ref).assignee is None

    def test_it_says_who_changed_what_last(self, there):
        ref = create(there)
        assert state(there, ref).edits == {}
        there.tracker.push(ref, Change(category=Category.DONE, title="Ours"))
        us = state(there, ref).edits["title"].by
        there.set_title(ref, "Theirs")
        found = state(there, ref)
        assert found.edits["title"].by == there.person != us
        assert found.edits["status"].by == us
        assert found.updated_at >= found.edits["title"].at

    def test_it_comments_once_for_each_key(self, there):
        ref = create(there)
        first = there.tracker.comment(ref, "Hello *you*", key="c1")
        assert there.tracker.comment(ref, "Hello *you*", key="c1") == first
        assert there.tracker.comment(ref, "More", key="c2") != first
        assert [one.key for one in state(there, ref).comments] == ["c1", "c2"]

    def test_it_edits_a_comment_and_says_when(self, there):
        ref = create(there)
        comment_id = there.tracker.comment(ref, "Hello", key="c1")
        for text in ("Hello you", "Hello all"):
            at = there.tracker.edit_comment(ref, comment_id, text)
        (comment,) = state(there, ref).comments
        assert (comment.id, comment.key, comment.text) == (comment_id, "c1", "Hello all")
        assert comment.updated_at == at

    def test_it_deletes_a_comment_and_does_not_mind_that_it_is_gone(self, there):
        ref = create(there)
        comment_id = there.tracker.comment(ref, "Hello", key="c1")
        for _ in range(2):
            there.tracker.delete_comment(ref, comment_id)
        assert list(state(there, ref).comments) == []

    def test_it_tells_a_comment_that_cannot_be_edited(self, there):
        ref = create(there)
        assert fault_of(lambda: there.tracker.edit_comment(ref, "99999", "x")) is Fault.REJECTED

    def test_it_reads_the_comments_of_others(self, there):
        ref = create(there)
        there.write(ref, "Is it real?")
        (comment,) = state(there, ref).comments
        assert (comment.key, comment.text) == ("", "Is it real?")
        assert comment.author.id == there.person

    def test_it_resolves_a_key_and_an_address(self, there):
        ref = create(there)
        assert there.tracker.resolve(ref.key.lower()) == ref
        assert there.tracker.resolve(there.address(ref)) == ref

    @pytest.mark.parametrize("address", ["SEC-99999", "https://elsewhere.example/browse/SEC-1", ""])
    def test_it_tells_what_it_cannot_resolve(self, there, address):
        create(there)
        assert fault_of(lambda: there.tracker.resolve(address)) is Fault.REJECTED

    def test_it_tells_an_issue_that_is_gone(self, there):
        ref = create(there)
        there.delete(ref)
        asks = (
            lambda: there.tracker.push(ref, Change(title="New")),
            lambda: there.tracker.comment(ref, "Hello", key="c1"),
            lambda: there.tracker.edit_comment(ref, "1", "Hello"),
            lambda: there.tracker.delete_comment(ref, "1"),
            lambda: there.tracker.link(ref, url="https://us/1", title="Finding", key="f1"),
        )
        for ask in asks:
            assert fault_of(ask) is Fault.REJECTED

    def test_it_links_twice_without_harm(self, there):
        ref = create(there)
        for title in ("Finding", "Finding again"):
            there.tracker.link(ref, url="https://us/1", title=title, key="f1")
        assert state(there, ref).ref == ref
