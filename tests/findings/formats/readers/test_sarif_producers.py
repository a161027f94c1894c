"""SARIF as particular tools write it."""

from __future__ import annotations

import pytest


def _place(uri, line=7, snippet=""):
    region = {"startLine": line} | ({"snippet": {"text": snippet}} if snippet else {})
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}


def _report(tool, *results, rule=None, **run):
    driver = {"name": tool, "rules": [{"id": "R1"} | (rule or {})]}
    found = [{"ruleId": "R1", "message": {"text": "Wrong."}} | result for result in results]
    runs = [{"tool": {"driver": driver}, "results": found} | run]
    return {"version": "2.1.0", "runs": runs}


PACKAGES = {
    "Trivy": "Package: lodash\nInstalled Version: 4.17.20\nVulnerability CVE-2021-23337\n"
    "Severity: HIGH\nFixed Version: 4.17.21\nLink: [CVE](https://avd.example)",
    "Grype": "A high vulnerability in npm package: lodash, version 4.17.20 was found at: /app",
    "osv-scanner": "Package 'lodash@4.17.20' is vulnerable to 'CVE-2021-23337'.",
}


@pytest.mark.parametrize("tool", PACKAGES)
def test_it_reads_the_package_out_of_the_words_of_a_tool(tool, read):
    result = {"message": {"text": PACKAGES[tool]}, "locations": [_place("package-lock.json")]}
    finding = read(_report(tool, result))[0]
    assert finding.attributes["package"]["name"] == "lodash"
    assert finding.attributes["package"]["version"] == "4.17.20"
    assert "package:lodash" in finding.tags


def test_it_correlates_tools_that_name_the_same_package(read):
    ids = set()
    for tool, message in PACKAGES.items():
        result = {
            "ruleId": "CVE-2021-23337",
            "message": {"text": message},
            "locations": [_place("package-lock.json")],
        }
        finding = read(_report(tool, result))[0]
        assert finding.finding_type == "library_vulnerability"
        ids.add(finding.attributes["correlation_id"])
    assert len(ids) == 1


def test_it_says_that_a_fix_is_available(read):
    finding = read(_report("Trivy", {"message": {"text": PACKAGES["Trivy"]}}))[0]
    assert finding.attributes["package"]["fixed_version"] == "4.17.21"
    assert "fix_available:true" in finding.tags


def test_it_reads_what_semgrep_says_in_its_message_and_its_tags(read):
    rule = {
        "shortDescription": {"text": "Semgrep Finding: R1"},
        "properties": {"precision": "very-high", "tags": ["LOW CONFIDENCE", "security"]},
    }
    result = {"message": {"text": "Found eval. Do not use it."}}
    (found,) = read(_report("Semgrep OSS", result, rule=rule))
    assert (found.title, found.attributes["confidence"]) == ("Found eval.", "low")


def test_it_knows_results_of_semgrep_without_an_account_in_any_order(read):
    login = {"fingerprints": {"matchBasedId/v1": "requires login"}}
    results = [login | {"locations": [_place("a.py", snippet=code)]} for code in ("f()", "g()")]
    one, other = (read(_report("Semgrep", *order)) for order in (results, results[::-1]))
    assert [f.fingerprint for f in one] == [f.fingerprint for f in reversed(other)]


def test_it_knows_a_result_of_codeql_again_in_another_column(read):
    def found(column):
        hashes = {"primaryLocationLineHash": "39fa:1"} | column
        return read(_report("CodeQL", {"partialFingerprints": hashes}))[0].fingerprint

    moved = {"primaryLocationStartColumnFingerprint": "9"}
    assert found({}) == found(moved)
    assert found({}) != found({"primaryLocationLineHash": "39fb:1"})


def test_it_knows_a_result_again_when_a_tool_adds_a_fingerprint(read):
    old, new = {"id/v1": "a"}, {"id/v2": "b", "id/v1": "a"}
    results = [read(_report("Any", {"fingerprints": each}))[0] for each in (old, new)]
    assert results[0].fingerprint == results[1].fingerprint


def test_it_knows_a_secret_of_gitleaks_again_in_another_commit(read):
    def found(commit, secret):
        result = {
            "partialFingerprints": {"commitSha": commit, "author": "A", "date": "2026"},
            "locations": [_place("a.py", snippet=secret)],
        }
        return read(_report("gitleaks", result))[0]

    first = found("c1", "AKIA-one-long-secret")
    assert first.fingerprint == found("c2", "AKIA-one-long-secret").fingerprint
    assert first.fingerprint != found("c1", "AKIA-two-long-secret").fingerprint
    assert found("c1", "REDACTED").fingerprint != found("c2", "REDACTED").fingerprint


def test_it_shows_no_part_of_a_secret_in_any_field(read):
    secret = "AKIA-one-long-secret"
    place = _place("a.py", snippet=secret)
    step = {"location": place | {"message": {"text": f"holds {secret}"}}}
    result = {
        "message": {"text": f"Found {secret} in a file"},
        "locations": [place, place | {"message": {"text": secret}}],
        "relatedLocations": [place | {"message": {"text": secret}}],
        "codeFlows": [{"threadFlows": [{"locations": [step]}]}],
        "fixes": [{"description": {"text": f"Remove {secret}"}}],
        "partialFingerprints": {"commitSha": "c1", "commitMessage": secret},
        "properties": {"match": secret},
    }
    rule = {"shortDescription": {"text": "An AWS key"}}
    assert secret not in repr(read(_report("gitleaks", result, rule=rule)))


def test_it_shows_the_flow_and_the_further_places(read):
    step = {"location": _place("in.py", 3) | {"message": {"text": "read from the request"}}}
    result = {
        "codeFlows": [{"threadFlows": [{"locations": [step] * 30}]}],
        "locations": [_place("a.py"), _place("b.py")],
        "relatedLocations": [_place("c.py", 9)],
    }
    description = read(_report("CodeQL", result))[0].description
    assert "1. `in.py`, line 3: read from the request" in description
    assert "11. … 10 more …" in description
    assert "- `b.py`, line 7\n- `c.py`, line 9" in description


@pytest.mark.parametrize(
    ("rule", "result"),
    [
        ({"properties": {"tags": ["external/cwe/cwe-079"]}}, {}),
        ({"relationships": [{"target": {"id": "79", "toolComponent": {"name": "CWE"}}}]}, {}),
        ({}, {"taxa": [{"id": "79", "toolComponent": {"name": "CWE"}}]}),
        ({}, {"properties": {"cwe": "CWE-79"}}),
    ],
)
def test_it_finds_the_weakness_wherever_it_is_named(rule, result, read):
    finding = read(_report("Any", result, rule=rule))[0]
    assert finding.attributes["advisory"]["cwe"] == ["CWE-79"]
    assert "cwe:CWE-79" in finding.tags


@pytest.mark.parametrize(
    ("tool", "finding_type"),
    [
        ("Snyk IaC", "iac_misconfiguration"),
        ("ansible-lint", "iac_misconfiguration"),
        ("OWASP ZAP", "runtime_code_vulnerability"),
        ("42Crunch API Security Audit", "api_security"),
    ],
)
def test_it_knows_what_kind_of_problems_a_tool_finds(tool, finding_type, read):
    assert read(_report(tool, {}))[0].finding_type == finding_type


def test_it_names_files_as_they_are_in_the_repository(read):
    bases = {"SRCROOT": {"uri": "file:///home/runner/work/shop/"}}
    places = ("file:///home/runner/work/shop/src/a.py", "./src/a.py", "src/a.py")
    results = [{"locations": [_place(uri)]} for uri in places]
    found = read(_report("Any", *results, originalUriBaseIds=bases))
    assert {each.resource_id for each in found} == {"src/a.py"}


def test_it_takes_links_out_of_a_message(read):
    message = "Depends on a [user's value](1), see [the docs](https://docs.example)."
    finding = read(_report("CodeQL", {"message": {"text": message}}))[0]
    assert "Depends on a user's value, see [the docs](https://docs.example)." in finding.description


@pytest.mark.parametrize(
    ("rule", "message", "title"),
    [
        (
            {"id": "py.eval", "shortDescription": {"text": "Semgrep Finding: py.eval"}},
            "Detected &#39;eval&#39; on input.\nMore.",
            "Detected 'eval' on input.",
        ),
        (
            {"id": "npm-audit", "shortDescription": {"text": "{library} is vulnerable"}},
            "lodash is vulnerable to prototype pollution",
            "lodash is vulnerable to prototype pollution",
        ),
        (
            {"id": "aws", "shortDescription": {"text": "(A3T[A-Z0-9]|AKIA)[A-Z0-9]{16}"}},
            "aws has detected secret for file a.py.",
            "aws has detected secret for file a.py.",
        ),
        (
            {
                "id": "@secretlint/rule-aws",
                "shortDescription": {
                    "text": "secretlint rule(preset > @secretlint/rule-aws) error"
                },
            },
            "found AWS Access Key ID",
            "found AWS Access Key ID",
        ),
        (
            {"id": "x1", "shortDescription": {"text": "Users&#39; data &amp; keys"}},
            "m",
            "Users' data & keys",
        ),
        ({"id": "x1", "name": "Weak cipher used"}, "{0}", "Weak cipher used"),
    ],
)
def test_it_makes_the_title_a_sentence_about_the_finding(rule, message, title, sample, read):
    report = sample("code.sarif")
    run = report["runs"][0]
    run["tool"]["driver"] = {"name": "Acme", "rules": [rule]}
    run["results"] = [{"ruleId": rule["id"], "message": {"text": message}}]
    assert read(report)[0].title == title


def test_it_takes_advice_for_a_remediation_and_nothing_else(sample, read):
    report = sample("code.sarif")
    help_ = "# Weak\n| a | b |\n|---|---|\n| 1 | 2 |\n## Remediation\nUse &lt;b&gt;.\n## More\nx"
    rules = [{"id": "a", "help": {"markdown": help_}}, {"id": "b", "help": {"text": "It is bad."}}]
    run = report["runs"][0]
    run["tool"]["driver"] = {"name": "Acme", "rules": rules}
    run["results"] = [{"ruleId": id_, "message": {"text": "A b"}} for id_ in "ab"]
    first, second = read(report)
    assert first.attributes["remediation"] == {"recommended": "Use <b>."}
    assert "remediation" not in second.attributes
    assert "It is bad." in second.description
