"""What reports say that their scanners could not look at, format by format."""

from __future__ import annotations

import json
from io import BytesIO

import pytest

from findings.formats.registry import by_name, recognise, unscanned
from tests.findings.formats.conftest import SAMPLES


def _run(*notifications, kind="toolExecutionNotifications", ok=True, **more):
    invocation = {"executionSuccessful": ok, kind: list(notifications)}
    run = {"tool": {"driver": {"name": "T"}}, "invocations": [invocation], "results": []}
    return {"version": "2.1.0", "runs": [run | more]}


def _note(level="error", uri="", message="no", **more):
    place = {"physicalLocation": {"artifactLocation": {"uri": uri}}}
    found = {"level": level, "message": {"text": message}, **more}
    return found | ({"locations": [place]} if uri else {})


def _linted(tool, **rules):
    """A run with a result for each of the files: its rule, or its message where it has none."""
    run = _run(tool={"driver": {"name": tool}})
    run["runs"][0]["results"] = [
        {"ruleId": rule if " " not in rule else None, "message": {"text": rule}}
        | {"locations": _note(uri=file)["locations"]}
        for file, rule in rules.items()
    ]
    return run


_CHECKOV = {"check_type": "terraform", "results": {"failed_checks": []}, "summary": {}}
_DC = {"reportSchema": "1.1", "projectInfo": {"name": "shop"}, "dependencies": []}
_DC_XML = (
    '<analysis xmlns="https://jeremylong.github.io/DependencyCheck/dependency-check.4.0.xsd">'
    "<scanInfo><analysisExceptions><exception><message>no net</message></exception>"
    "</analysisExceptions></scanInfo><projectInfo><name>s</name></projectInfo><dependencies/></analysis>"
)
_LOG = {"level": "error", "ts": "x", "msg": "error reading"}
_LEAK = {"SourceMetadata": {}, "DetectorName": "AWS", "Raw": "x"}
_MATCH = {"template-id": "t", "info": {}, "host": "https://a.test", "matched-at": "a"}
_FAILED = _MATCH | {"matcher-status": False, "error": "timed out"}

TABLE = {
    "bandit": ({"errors": [{"filename": "./a.py", "reason": "syntax"}], "results": []}, ["a.py"]),
    "semgrep": (
        {
            "version": "1.90.0",
            "results": [],
            "errors": [
                {"level": "warn", "type": ["PartialParsing", []], "path": "b.py"},
                {"level": "error", "type": "Rule parse error"},
                {"level": "warn", "type": "Missing plugin"},
            ],
            "paths": {
                "skipped": [
                    {"path": "c.py", "reason": "too_many_matches"},
                    {"path": "tests/d.py", "reason": "semgrepignore_patterns_match"},
                ]
            },
        },
        ["b.py", "", "c.py"],
    ),
    "gosec": (
        {"Golang errors": {"/builds/a/b/x.go": [{"line": 1, "error": "bad"}]}, "Issues": []}
        | {"Stats": {}},
        ["x.go"],
    ),
    "checkov": (
        [_CHECKOV, _CHECKOV | {"results": {"failed_checks": [], "parsing_errors": ["/t/m.tf"]}}],
        ["/t/m.tf"],
    ),
    "checkov: a number": (
        {"passed": 0, "failed": 0, "skipped": 0, "parsing_errors": 2, "checkov_version": "3"},
        [""],
    ),
    "kics": (
        {"files_scanned": 3, "files_failed_to_scan": 2, "queries": []}
        | {"queries_failed_to_execute": 0},
        [""],
    ),
    "pip-audit": (
        {"dependencies": [{"skip_reason": "Unknown", "name": "own"}, {"name": "b", "vulns": []}]},
        ["own"],
    ),
    "trivy": (
        {"ClusterName": "c", "Resources": [{"Namespace": "n", "Kind": "Pod", "Name": "p"}]}
        | {"Findings": [{"Namespace": "n", "Kind": "Job", "Name": "j", "Error": "no image"}]},
        ["n/Job/j"],
    ),
    "snyk": (
        [
            {"projectName": "a", "ok": True, "vulnerabilities": []},
            {"ok": False, "error": "no", "path": "/w", "targetFile": "b/pom.xml"},
            {"ok": False, "error": "no", "path": "/w"},
        ],
        ["b/pom.xml", ""],
    ),
    "dependency-check": (
        _DC | {"scanInfo": {"analysisExceptions": [{"exception": {"message": "no net"}}]}},
        [""],
    ),
    "dependency-check XML": (_DC_XML, [""]),
    "trufflehog": ([_LEAK, _LOG, _LOG | {"path": "x/y"}, _LOG | {"level": "info"}], ["", "x/y"]),
    "nuclei": (
        [_MATCH, _FAILED, _FAILED, _MATCH | {"matcher-status": False, "host": "b.test"}],
        ["a.test"],
    ),
    "sarif: a run that failed": (_run(ok=False), [""]),
    "sarif: errors": (
        _run(_note(uri="a.py"), _note(), _note("note"), _note("warning")),
        ["a.py", ""],
    ),
    "sarif: a file by its root": (
        _run(_note(uri="file:///w/src/a.py"), originalUriBaseIds={"R": {"uri": "file:///w/"}}),
        ["src/a.py"],
    ),
    "sarif: a configuration": (
        _run(_note(uri="a.py"), kind="toolConfigurationNotifications"),
        ["a.py"],
    ),
    "sarif: a rule that failed": (_run(_note(uri="a.py", associatedRule={"id": "R"})), [""]),
    "sarif: Semgrep's warnings": (
        _run(_note("warning", message="Syntax error at line src/a.py:3:\n `x` was unexpected")),
        ["src/a.py"],
    ),
    "sarif: what Ruff cannot read": (
        _linted("ruff", a="invalid-syntax", b="E999", c="SyntaxError: expected x", d="S101"),
        ["a", "b", "c"],
    ),
    "sarif: what Hadolint cannot read": (
        _linted("Hadolint", Dockerfile="DL1000", Containerfile="DL3007"),
        ["Dockerfile"],
    ),
    "sarif: a rule of another tool": (_linted("T", a="E999", b="SyntaxError: expected x"), []),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
def test_it_names_what_was_not_scanned(case):
    report, targets = TABLE[case]
    file = BytesIO((report if isinstance(report, str) else json.dumps(report)).encode())
    found = recognise(file)
    assert case.startswith(found.NAME)
    assert [each.target for each in unscanned(found, file)] == targets


@pytest.mark.parametrize("case", [case for case in TABLE if isinstance(TABLE[case][0], dict)])
def test_it_names_it_in_a_report_that_is_read_in_several_parts(case):
    report, targets = TABLE[case]
    file = BytesIO(json.dumps(report | {"more": ["x" * 1_000] * 600}).encode())
    named = unscanned(by_name(case.partition(":")[0]), file)
    assert [each.target for each in named] == targets


@pytest.mark.parametrize("path", sorted(SAMPLES.iterdir()), ids=lambda path: path.name)
def test_it_names_nothing_where_all_was_scanned(path):
    file = BytesIO(path.read_bytes())
    named = [each.target for each in unscanned(recognise(file), file)]
    assert named == (["internal-lib"] if path.name == "list.pip-audit.json" else [])


@pytest.mark.parametrize("junk", [None, 7, "x", [], [[]], {}, {"path": {}}, True])
@pytest.mark.parametrize("case", [case for case in TABLE if not isinstance(TABLE[case][0], str)])
def test_it_reads_on_where_an_error_is_junk(case, junk):
    report = json.loads(json.dumps(TABLE[case][0]))
    file = BytesIO(json.dumps(_with_junk(report, junk)).encode())
    found = list(unscanned(by_name(case.partition(":")[0]), file))
    assert all(isinstance(text, str) for each in found for text in each)


def _with_junk(value, junk):
    """The report with junk in place of the last element of each list."""
    if isinstance(value, list):
        return [_with_junk(each, junk) for each in value[:-1]] + [junk]
    if isinstance(value, dict):
        return {key: _with_junk(each, junk) for key, each in value.items()}
    return value
