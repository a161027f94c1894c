"""Which priority of a Jira a ticket gets where nobody has mapped them."""

from __future__ import annotations

import pytest

from tests.ticketing.jira.conftest import draft, failure
from tests.ticketing.jira.test_create import create
from ticketing.fields.priorities import by_level, is_nearest
from ticketing.fields.spec import Option
from ticketing.trackers.base import Fault

PRIORITY = "priority"


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        ("Highest High Medium Low Lowest", "Highest High Medium Low Lowest"),
        ("Lowest Low Medium High Highest", "Highest High Medium Low Lowest"),
        ("Blocker Critical Major Minor Trivial", "Critical Major Major Minor Trivial"),
        ("P1 P2 P3 P4", "P1 P2 P3 P4 P4"),
        ("HIGH medium Low", "HIGH HIGH medium Low Low"),
        ("Urgent Normal", "Urgent Urgent Normal Normal Normal"),
        ("Sofort Dringend", "- - - - -"),
        ("", "- - - - -"),
    ],
)
def test_it_goes_by_names_and_takes_the_nearest(names, wanted):
    options = [Option(str(nth), name) for nth, name in enumerate(names.split())]
    found = [by_level(options, level) for level in range(1, 6)]
    assert " ".join(option.label if option else "-" for option in found) == wanted
    assert by_level(options, 0) is None


def test_it_knows_what_is_only_near():
    assert is_nearest(Option("1", "High"), 1)
    assert not is_nearest(Option("1", "highest"), 1)


def priority_of(sandbox_jira, ref):
    return sandbox_jira.issue(ref.key).fields[PRIORITY]


@pytest.mark.parametrize(
    ("severity", "wanted"),
    [("Critical", "1"), ("High", "2"), ("Medium", "3"), ("Low", "4"), ("Info", "5"), ("None", "5")],
)
def test_a_field_with_the_severity_means_the_priority_for_it(
    sandbox_jira, tracker, severity, wanted
):
    ref = create(tracker, fields={PRIORITY: {"name": severity}})
    assert priority_of(sandbox_jira, ref) == wanted


def test_it_asks_for_the_screen_once_for_a_connection(sandbox_jira, tracker):
    for nth in range(3):
        tracker.create(draft(priority=2), key=f"fa-{nth}", attempt="a-1")
    assert len(sandbox_jira.log.matching("GET createmeta")) == 1


def test_it_creates_without_one_where_the_screen_has_none(sandbox_jira, tracker):
    sandbox_jira.drop_field("SEC", PRIORITY)
    create(tracker, priority=2)
    [exchange] = sandbox_jira.log.matching("POST /issue$")
    assert PRIORITY not in exchange.json["fields"]


@pytest.mark.parametrize("mapped", ["2", "9999"])
def test_a_mapped_one_that_is_not_taken_is_left_out_of_the_next_try(sandbox_jira, tracker, mapped):
    if mapped == "2":
        sandbox_jira.drop_field("SEC", PRIORITY)
    said = {"fields": {PRIORITY: {"id": mapped}}, "optional": frozenset({PRIORITY})}
    error = failure(lambda: create(tracker, **said, constants=frozenset({PRIORITY})))
    assert (error.fault, error.remedy) == (Fault.REJECTED, "drop:priority")
    create(tracker, **said, remedies=("drop:priority",))
    assert len(sandbox_jira.issues("SEC")) == 1
