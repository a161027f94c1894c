from __future__ import annotations

import re

import pytest

from tests.factories import FindingFactory, ProjectFactory, UserFactory
from ticketing import services
from ticketing.case_lists import CaseQuery, find_cases
from ticketing.case_search import BadTerm
from ticketing.selectors import case_by_key, project_rows

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
    return {row.case.key for row in find_cases(CaseQuery(text, **asked), me=me).rows}


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
        ("-status:closed", {"SEC-1", "OPS-1"}),
        ("NOT status:closed -priority:P1", {"OPS-1"}),
        ("priority:P1 OR kernel", {"SEC-1", "OPS-1"}),
        ("(leaked OR public) -status:closed", {"SEC-1"}),
        ('"public bucket"', {"SEC-2"}),
        ("pub*ket", {"SEC-2"}),
        ("k?y", {"SEC-1"}),
        ('title:"old kernel"', {"OPS-1"}),
        ("key:sec-2", {"SEC-2"}),
        ("project:S*", {"SEC-1", "SEC-2"}),
        ("status:*", {"SEC-1", "SEC-2", "OPS-1"}),
        ("assignee:*", {"SEC-1", "SEC-2"}),
        ("-assignee:*", {"OPS-1"}),
    ],
)
def test_it_finds_cases(cases, analyst, text, keys):
    assert found(text, analyst) == keys


@pytest.mark.parametrize(
    ("text", "sentence", "at"),
    [
        ("status:lost", "“lost” is not a status. Use open, in_progress, closed", 1),
        ("key priority:P9", "“P9” is not a priority", 5),
        ("origin:(rule OR x)", "“x” is not an origin", 1),
        ("status:()", "`(` at column 8 holds nothing", 8),
        ("(open", "`(` opened at column 1 is never closed", 1),
        ("alpha colour:red", "A case has no “colour”. Use status, priority, origin, assignee", 7),
        ("@service:x", "A case has no “@service”", 1),
        ("rule:x", "`rule:` takes the id of a rule, a UUID", 1),
        ("a created:2026-13-01", "`created:` takes a UTC day", 3),
        ("created:9999-12-31", "`created:` takes a UTC day", 1),
        ("project_id:x", "A project's id is a UUID; `project:` takes its key", 1),
        (" ".join("a" * 51), "A search of cases has at most 50 terms", 101),
        ("x" * 1_001, "A search has at most 1,000 characters, this has 1,001", 1_001),
    ],
)
def test_it_refuses_what_it_does_not_understand_with_its_place(cases, analyst, text, sentence, at):
    with pytest.raises(BadTerm, match=re.escape(sentence)) as refused:
        find_cases(CaseQuery(text), me=analyst)
    assert str(refused.value).endswith(f"(at character {at}).")


def test_it_finds_a_project_by_its_id(cases, analyst):
    assert found(f"project_id:{cases[2].project_id}", analyst) == {"OPS-1"}


def test_it_puts_undefined_priorities_last(cases, analyst):
    rows = find_cases(CaseQuery(sort="priority"), me=analyst).rows
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
    counts = {row.project.key: row[1:3] for row in project_rows()}
    assert counts == {"SEC": (1, 2), "OPS": (1, 1)}


def test_it_counts_findings(cases, analyst):
    services.attach(cases[0], [FindingFactory().pk for _ in range(2)], actor=UserFactory())
    rows = find_cases(CaseQuery("leaked"), me=analyst).rows
    assert rows[0].findings == 2
