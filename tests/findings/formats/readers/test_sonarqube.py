from __future__ import annotations

import json
from io import BytesIO

import pytest

from findings.formats.registry import recognise, target_of, unscanned


@pytest.fixture
def report(sample):
    return sample("issues.sonarqube.json")


def test_it_reads_open_issues_of_security_alone(report, read):
    assert [(each.finding_type, each.severity, each.resource_id) for each in read(report)] == [
        ("static_code_vulnerability", "high", "acme_shop/src/main/Db.java"),
        ("secret", "critical", "acme_shop/deploy/.env"),
        ("iac_misconfiguration", "medium", "acme_shop/Dockerfile"),
    ]


def test_it_maps_an_issue(report, read):
    found = read(report)[0]
    assert found.title == "Make sure that formatting this query is safe."
    assert {"scanner:sonarqube", "rule:java:S2077", "repo:acme_shop"} <= set(found.tags)
    assert found.attributes["code_location"]["line_end"] == 8
    assert found.first_seen_at.isoformat() == "2026-01-02T03:04:05+00:00"


def test_it_reads_hotspots_that_are_to_be_reviewed(sample, read):
    (found,) = read(sample("hotspots.sonarqube.json"))
    assert (found.finding_type, found.severity) == ("static_code_vulnerability", "high")
    assert {"rule:python:S2077", "category:sql-injection"} <= set(found.tags)


@pytest.mark.parametrize("beside", ["effortTotal", "paging", "facets"])
def test_it_reads_an_answer_without_issues(beside, read_all):
    report = {"total": 0, "issues": [], "components": [], beside: {}}
    assert recognise(BytesIO(json.dumps(report).encode())).NAME == "sonarqube"
    assert read_all(report) == []


def test_it_says_which_project_was_scanned(report):
    file = BytesIO(json.dumps(report).encode())
    assert target_of(recognise(file), file) == "acme_shop"


@pytest.mark.parametrize(("total", "is_whole"), [(3, False), (2, True), (0, True)])
def test_it_says_that_a_page_is_not_the_whole_answer(total, is_whole, report):
    page = {"issues": report["issues"][:2], "paging": {"pageIndex": 1, "total": total}}
    file = BytesIO(json.dumps(page | {"components": []}).encode())
    assert (not list(unscanned(recognise(file), file))) == is_whole


def test_it_finds_the_path_of_a_file_of_a_module(report, read):
    component = "acme_shop:web:src/Db.java"
    issue = report["issues"][0] | {"component": component}
    known = {"key": component, "path": "web/src/Db.java"}
    for components, path in (([known], "web/src/Db.java"), ([], "src/Db.java")):
        (found,) = read({"issues": [issue], "components": components, "paging": {}})
        assert found.attributes["code_location"]["file"] == path


def test_it_takes_an_issue_without_a_type_for_one_of_security(report, read):
    issue = {key: value for key, value in report["issues"][0].items() if key != "type"}
    issue |= {"severity": "HIGH", "impacts": []}
    assert [each.severity for each in read({"issues": [issue], "rules": {}})] == ["high"]
