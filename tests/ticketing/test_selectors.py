from __future__ import annotations

import pytest

from tests.factories import FindingFactory, ProjectFactory, UserFactory
from ticketing import services
from ticketing.selectors import BadTerm, case_by_key, find_cases, project_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def cases(analyst, editor):
    sec, ops = ProjectFactory(key="SEC"), ProjectFactory(key="OPS")
    said = (
        {"project": sec, "title": "Leaked key", "priority": "P1", "assignee": analyst},
        {"project": sec, "title": "Public bucket", "priority": "P3", "assignee": editor},
        {"project": ops, "title": "Old kernel"},
    )
    made = [services.open_manual_case([], actor=None, **each) for each in said]
    services.change_case(made[1], status="CLOSED", actor=None)
    return made


def found(text, me, **asked):
    return {row.case.key for row in find_cases(text, me=me, **asked).rows}


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", {"SEC-1", "SEC-2", "OPS-1"}),
        ("sec", {"SEC-1", "SEC-2"}),
        ("leaked KEY", {"SEC-1"}),
        ("priority:P1", {"SEC-1"}),
        ("priority:(p1 OR P3)", {"SEC-1", "SEC-2"}),
        ("status:closed", {"SEC-2"}),
        ("Status:(open OR in_progress)", {"SEC-1", "OPS-1"}),
        ("assignee:me", {"SEC-1"}),
        ("assignee:none", {"OPS-1"}),
        ("assignee:edith", {"SEC-2"}),
        ("project:ops", {"OPS-1"}),
        ("project:NONE", set()),
        ("origin:manual bucket", {"SEC-2"}),
        ("priority:P1 status:closed", set()),
        ("colour:red", set()),
    ],
)
def test_it_finds_cases(cases, analyst, text, keys):
    assert found(text, analyst) == keys


@pytest.mark.parametrize("text", ["status:lost", "priority:P9", "status:()", "origin:(rule OR x)"])
def test_it_refuses_a_value_that_a_field_does_not_have(cases, analyst, text):
    with pytest.raises(BadTerm):
        find_cases(text, me=analyst)


def test_it_puts_undefined_priorities_last(cases, analyst):
    rows = find_cases(me=analyst, sort="priority").rows
    assert [row.case.key for row in rows] == ["SEC-1", "SEC-2", "OPS-1"]


def test_it_takes_a_percent_sign_as_a_sign(cases, analyst):
    assert found("%", analyst) == set()


@pytest.mark.parametrize("key", ["SEC-1", "sec-1", " SEC-1 "])
def test_it_finds_a_case_by_its_key(cases, key):
    assert case_by_key(key) == cases[0]


def test_it_finds_a_moved_case_by_each_of_its_keys(cases):
    services.move(cases[0], ProjectFactory(key="NEW"), actor=None)
    assert {case_by_key(key).key for key in ("SEC-1", "NEW-1")} == {"NEW-1"}


@pytest.mark.parametrize("key", ["", "SEC-99", "\0", "' OR 1=1 --", "SEC-1" * 500])
def test_it_finds_no_case_under_nonsense(cases, key):
    assert case_by_key(key) is None


def test_it_counts_the_cases_of_projects(cases):
    counts = {row.project.key: row[1:] for row in project_rows()}
    assert counts == {"SEC": (1, 2), "OPS": (1, 1)}


def test_it_counts_findings(cases, analyst):
    services.attach(cases[0], [FindingFactory().pk for _ in range(2)], actor=UserFactory())
    rows = find_cases("leaked", me=analyst).rows
    assert rows[0].findings == 2
