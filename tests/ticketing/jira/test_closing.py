"""What is written on the screen of a step that closes an issue, or opens it again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.ticketing.jira.conftest import failure
from ticketing.close_reasons import RESOLUTIONS, CloseReason
from ticketing.trackers.base import AnswerMissing, Category, Change, Fault, IssueRef
from ticketing.trackers.jira.clock import Clock
from ticketing.trackers.jira.sandbox.defaults import (
    CHECKBOXES,
    CLOSING_FIELDS,
    DATE,
    NUMBER,
    ROOT_CAUSE,
    SELECT,
    TEXT,
)


@pytest.fixture
def ref(sandbox_jira):
    issue = sandbox_jira.create_issue("PLAT", "Outdated library")
    return IssueRef(str(issue.id), issue.key)


def closing(reason=CloseReason.FIXED, **answers):
    resolution = answers.pop("resolution", RESOLUTIONS[reason])
    given = {"resolution": resolution, **answers}
    return Change(category=Category.DONE, reason=reason, answers=given)


@pytest.mark.parametrize(
    ("reason", "status", "resolution"),
    [
        (CloseReason.FIXED, "Done", "Done"),
        (CloseReason.RISK_ACCEPTED, "Won't Do", "Won't Do"),
        (CloseReason.FALSE_POSITIVE, "Won't Do", "Won't Do"),
        (CloseReason.REMOVED, "Done", "Obsolete"),
    ],
)
def test_it_says_why_an_issue_is_closed(sandbox_jira, tracker, ref, reason, status, resolution):
    sandbox_jira.demand_resolution("PLAT", "Won't Do", "Duplicate", "Obsolete", "Done")
    tracker.push(ref, closing(reason))
    assert sandbox_jira.status_of(ref.key) == status
    assert sandbox_jira.resolution_of(ref.key) == resolution


def test_it_takes_the_first_name_that_the_step_allows(sandbox_jira, tracker, ref):
    sandbox_jira.demand_resolution("PLAT", "Won't Do", "Duplicate")
    tracker.push(ref, closing(resolution=("Fixed", "duplicate", "Won’t do")))
    assert sandbox_jira.resolution_of(ref.key) == "Duplicate"


def test_it_never_closes_a_fixed_finding_as_one_that_is_not(sandbox_jira, tracker, ref):
    sandbox_jira.demand_resolution("PLAT", "Won't Do", "Duplicate")
    error = failure(lambda: tracker.push(ref, closing()))
    assert isinstance(error, AnswerMissing)
    assert (error.fault, error.field, error.name) == (Fault.REJECTED, "resolution", "Resolution")
    assert error.reason == (
        "Jira asks for “Resolution” on the step “Close” to close PLAT-1, which takes Won't Do "
        "and Duplicate, but not Fixed, Done or Resolved."
    )
    assert sandbox_jira.status_of(ref.key) == "To Do"


def test_it_leaves_a_status_that_says_something_else_though_it_asks_nothing(
    sandbox_jira, tracker, ref
):
    plat = sandbox_jira.project("PLAT")
    plat.transitions = tuple(
        replace_screen(step) if step.target == "10002" else step for step in plat.transitions
    )
    error = failure(lambda: tracker.push(ref, closing()))
    assert error.name == "Root cause"
    tracker.push(ref, closing(CloseReason.RISK_ACCEPTED))
    assert sandbox_jira.status_of(ref.key) == "Won't Do"


def replace_screen(step):
    return step._replace(screen=(ROOT_CAUSE,))


def required(field):
    return replace(field, required=True)


@pytest.mark.parametrize(
    ("field", "answer", "kept"),
    [
        (CLOSING_FIELDS[0], "Outdated library", "Outdated library"),
        (CLOSING_FIELDS[1], "scanner, Team Blue", ["Team-Blue", "scanner"]),
        (CLOSING_FIELDS[1], ["a", "b"], ["a", "b"]),
        (required(TEXT), "One line", "One line"),
        (required(SELECT), "blue", SELECT.options[1].id),
        (required(CHECKBOXES), "Legal, security", sorted(o.id for o in CHECKBOXES.options)),
        (required(NUMBER), "7.5", 7.5),
        (required(DATE), "2026-12-01", "2026-12-01"),
    ],
)
def test_it_answers_fields_of_every_kind(sandbox_jira, tracker, ref, field, answer, kept):
    sandbox_jira.demand_on_closing("PLAT", field)
    missing = failure(lambda: tracker.push(ref, closing()))
    assert missing.reason == (f"Jira asks for “{field.name}” on the step “Close” to close PLAT-1.")
    tracker.push(ref, closing(**{field.id: answer}))
    stored = sandbox_jira.issue(ref.key).fields[field.id]
    assert (sorted(stored) if isinstance(stored, list) else stored) == kept
    assert sandbox_jira.status_of(ref.key) == "Done"


@pytest.mark.parametrize(
    ("field", "answer", "said"),
    [
        (SELECT, "Purple", ", which takes Red, Blue and Green, but not Purple."),
        (NUMBER, "many", ", which does not take many."),
    ],
)
def test_it_says_what_does_not_fit(sandbox_jira, tracker, ref, field, answer, said):
    sandbox_jira.demand_on_closing("PLAT", required(field))
    error = failure(lambda: tracker.push(ref, closing(**{field.id: answer})))
    assert isinstance(error, AnswerMissing)
    assert error.reason.endswith(said)


def test_it_names_the_field_that_only_a_validator_asks_for(sandbox_jira, tracker, ref):
    sandbox_jira.demand_on_closing("PLAT", ROOT_CAUSE, on_screen=False)
    error = failure(lambda: tracker.push(ref, closing()))
    assert isinstance(error, AnswerMissing)
    assert error.field == ROOT_CAUSE.id
    assert "Root cause is required" in error.reason


@pytest.mark.parametrize("shown_on", ["transition", "edit", ""])
def test_opening_takes_the_resolution_away_where_it_can(sandbox_jira, tracker, ref, shown_on):
    sandbox_jira.keep_resolution("PLAT", shown_on=shown_on)
    tracker.push(ref, closing())
    tracker.push(ref, Change(category=Category.NEW))
    assert sandbox_jira.status_of(ref.key) == "To Do"
    assert sandbox_jira.resolution_of(ref.key) == ("" if shown_on else "Done")


@pytest.mark.parametrize("shown_on", ["transition", "edit"])
def test_opening_works_though_the_resolution_cannot_be_taken_away(
    sandbox_jira, tracker, ref, shown_on
):
    sandbox_jira.keep_resolution("PLAT", shown_on=shown_on)
    tracker.push(ref, closing())
    refusal = {"errorMessages": [], "errors": {"resolution": "Cannot be emptied."}}
    match = "POST /transitions$" if shown_on == "transition" else "PUT /issue/[0-9]+$"
    sandbox_jira.faults.answer(match, 400, refusal)
    tracker.push(ref, Change(category=Category.NEW))
    assert sandbox_jira.status_of(ref.key) == "To Do"


def test_it_reads_the_resolution_and_who_set_it(sandbox_jira, tracker, ref):
    sandbox_jira.set_status(ref.key, "Done", resolution="Won't Do")
    state = tracker.fetch([ref.id])[ref.id]
    assert state.resolution == "Won't Do"
    assert state.edits["resolution"].name == "Dana Developer"


# --- Its clock --------------------------------------------------------------------------------

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("theirs", "took", "ahead"),
    [
        (0, 0, 0),
        (-1, 2, 0),  # within the time that the answer took
        (90, 0, 90.5),  # the header says whole seconds
        (-3600, 1, -3599),
        (25 * 3600, 0, 0),  # nonsense
    ],
)
def test_it_measures_how_far_their_clock_is_ahead(theirs, took, ahead):
    clock = Clock()
    date = format_datetime(NOON + timedelta(seconds=theirs), usegmt=True)
    clock.show(date, sent_at=NOON - timedelta(seconds=took), received_at=NOON)
    clock.show("yesterday", sent_at=NOON, received_at=NOON)
    assert clock.ahead.total_seconds() == pytest.approx(ahead, abs=0.51)


def test_a_slow_answer_does_not_replace_an_exact_one():
    clock = Clock()
    exact = format_datetime(NOON + timedelta(seconds=90), usegmt=True)
    clock.show(exact, sent_at=NOON, received_at=NOON)
    clock.show(exact, sent_at=NOON, received_at=NOON + timedelta(seconds=200))
    assert clock.ahead == timedelta(seconds=90.5)
