"""What the ticket of a group says: pure."""

from __future__ import annotations

import json
from typing import Any

import pytest

from findings.explorer.group_labels import label_of
from findings.facts import Facts
from findings.packages import Fix, fix_of
from ticketing.group_text import (
    Group,
    Member,
    Summary,
    group_draft,
    subject,
    where,
    worst_first,
)
from ticketing.trackers.jira.adf import to_document
from ticketing.trackers.jira.lengths import MAX_TEXT
from ticketing.trackers.jira.wiki import to_wiki


def facts(severity: str = "high", *, at: str = "a.py", **fields: Any) -> Facts:
    title = fields.pop("title", "Eval is used.")
    return Facts("library_vulnerability", severity, title, resource_id=at, **fields)


def package(version: str, fixed: str, **fields: Any) -> Facts:
    about = {"name": "grpcio", "version": version, "fixed_version": fixed}
    return facts(attributes={"package": about}, **fields)


def draft(group_by: list[str], values: list[str], *findings: Facts) -> Any:
    members = worst_first(Member(each, "https://f.example/1") for each in findings)
    group = Group(group_by, values, "Rule")
    return group_draft(group, members, all_url="https://f.example/all", made_by="By the rule.")


@pytest.mark.parametrize(
    ("group_by", "values", "findings", "title"),
    [
        (
            ["package"],
            ["pypi/grpcio"],
            [package("1.50.0", "1.53.2", at=at, resource_type="file") for at in "ab"],
            "Update grpcio 1.50.0 → 1.53.2: 2 findings in 2 files",
        ),
        (
            ["package"],
            ["pypi/grpcio"],
            [package(f"1.{n}", "2", tags=(f"repo:acme/{n}",)) for n in range(3)],
            "Update grpcio → 2: 3 findings in a.py of 3 repositories",
        ),
        (
            ["package"],
            ["npm/@babel/core"],
            [facts(attributes={"package": {"purl": "pkg:npm/%40babel/core@7"}})],
            "Vulnerable package @babel/core: 1 finding in a.py",
        ),
        (["vulnerability"], ["CVE-1"], [facts()], "CVE-1: Eval is used: 1 finding in a.py"),
        (["rule"], ["B1"], [facts(), facts(at="b")], "Eval is used: 2 findings in 2 resources"),
        (["resource"], ["a.py"], [facts(), facts("low")], "a.py: 2 findings"),
        (["team", "service"], ["blue", "pay"], [facts(), facts()], "blue, pay: 2 findings in a.py"),
        (["title"], ["x"], [facts(title="x" * 900)], f"{'x' * 235}…: 1 finding in a.py"),
    ],
)  # fmt: skip
def test_its_title_says_what_is_to_be_done(group_by, values, findings, title):
    assert draft(group_by, values, *findings).title == title


@pytest.mark.parametrize(
    ("findings", "fix"),
    [
        ([package("1.0", "1.2"), package("1.0", "1.10")], Fix("1.10", 2)),
        ([package("2.1", "1.9.4, 2.3.1"), package("1.0", "1.9.4")], Fix("2.3.1", 2)),
        ([package("1.0", "1.2"), package("1.0", "")], Fix("1.2", 1)),
        ([package("1.0", "")], Fix("", 0)),
        ([package("9.2p1-2+deb12u1", "1:9.2p1-2+deb12u3")], Fix("1:9.2p1-2+deb12u3", 1)),
    ],
)
def test_it_knows_the_version_that_fixes_all(findings, fix):
    assert fix_of(findings) == fix


def test_the_worst_comes_first_and_what_is_gone_last():
    told = draft(
        ["rule"],
        ["b"],
        facts("critical", at="gone", status="resolved"),
        facts("low", at="low"),
        facts("high", at="high"),
    )
    places = [line.split(" | ")[1] for line in told.description.splitlines() if " | " in line]
    assert places == ["Place", "---", "high", "low", "gone"]
    assert told.priority == "P2"
    assert "**Left:** 2 of 3." in told.description


def test_it_says_where_in_a_few_words():
    findings = [facts(at=at) for at in "aabcd"]
    assert where(findings) == "a and b and 2 more"
    assert where([facts(tags=("repo:acme/a",)), facts(tags=("repo:acme/a",))]) == "acme/a"
    assert Summary.of(findings).resources == ["a", "b", "c", "d"]


@pytest.mark.parametrize("nasty", ["plain ", "|[x](y) _*`", "😀"])
def test_a_thousand_findings_fit_into_jira(nasty):
    long = package("1.0", "2.0", title=nasty * 90, at=nasty * 150, description=nasty * 4_000)
    told = draft(["package"], ["pypi/grpcio"], *[long] * 1_000)
    assert len(told.title) <= 255
    for text in (to_wiki(told.description), json.dumps(to_document(told.description))):
        assert "All 1,000 in Findings" in text
        assert "fixes all 1,000" in text
    assert len(to_wiki(told.description)) <= MAX_TEXT


@pytest.mark.parametrize("fixed", ["1.53.2", "1.9.4, 2.3.1", ""])
@pytest.mark.parametrize("name", ["grpcio", ""])
def test_the_explorer_calls_a_group_as_its_ticket_is_called(name, fixed):
    found = {"name": name, "purl": "pkg:pypi/grpcio@2.1", "version": "2.1", "fixed_version": fixed}
    one = facts(attributes={"package": found})
    group = Group(["package"], ["pypi/grpcio"], "Packages")
    assert label_of(["package"], ["pypi/grpcio"], one) == (
        subject(group, [one], fix_of([one])),
        "pypi",
    )
