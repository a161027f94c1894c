from __future__ import annotations

import pytest

REPORT = "code.sarif"


def _with_tool(report, tool, **rule):
    driver = {"name": tool, "rules": [{"id": "R1", **rule}]}
    result = {"ruleId": "R1", "message": {"text": "Something is wrong."}}
    report["runs"] = [{"tool": {"driver": driver}, "results": [result]}]
    return report


def test_it_takes_title_message_and_place_of_a_result(sample, read):
    finding = read(sample(REPORT))[0]
    assert finding.title == "SQL query built from user-controlled sources"
    assert "This query depends on a user-provided value." in finding.description
    assert "cursor.execute(query)" in finding.description
    assert finding.resource_id == "github.com/acme/shop/src/shop/orders.py"
    assert finding.attributes["code_location"] == {
        "file": "src/shop/orders.py",
        "line": 41,
        "line_end": 42,
    }


def test_it_tags_a_result_with_what_rules_ask_for(sample, read):
    finding = read(sample(REPORT))[0]
    assert set(finding.tags) == {
        "branch:main",
        "cwe:CWE-89",
        "language:python",
        "repo:github.com/acme/shop",
        "rule:py/sql-injection",
        "scanner:codeql",
    }


def test_it_never_keeps_the_value_of_a_hard_coded_credential(sample, read):
    assert "hunter2" not in repr(read(sample(REPORT)))


def test_it_knows_a_result_again_whose_line_moved(sample, read):
    before, report = read(sample(REPORT)), sample(REPORT)
    for result in report["runs"][0]["results"][:4]:
        result["locations"][0]["physicalLocation"]["region"]["startLine"] += 100
    assert [f.fingerprint for f in read(report)] == [f.fingerprint for f in before]


def test_it_knows_results_again_in_another_order(sample, read):
    before, report = read(sample(REPORT)), sample(REPORT)
    report["runs"][0]["results"].reverse()
    assert {f.fingerprint for f in read(report)} == {f.fingerprint for f in before}


def test_it_reads_rules_before_or_after_the_results(sample, read):
    report = sample(REPORT)
    tool_first = dict(report, runs=[{"tool": report["runs"][0]["tool"], **report["runs"][0]}])
    assert read(tool_first) == read(report)


@pytest.mark.parametrize("status", ["underReview", "rejected"])
def test_it_keeps_a_result_whose_suppression_is_not_accepted(status, sample, read):
    report = sample(REPORT)
    report["runs"][0]["results"][4]["suppressions"][0]["status"] = status
    assert len(read(report)) == len(read(sample(REPORT))) + 1


def test_it_leaves_out_what_is_absent_from_the_baseline(sample, read):
    report = sample(REPORT)
    report["runs"][0]["results"][0]["baselineState"] = "absent"
    assert len(read(report)) == len(read(sample(REPORT))) - 1


@pytest.mark.parametrize(
    ("score", "severity"),
    [("9.0", "critical"), ("7.0", "high"), ("4.0", "medium"), ("0.1", "low"), ("0.0", "none")],
)
def test_it_prefers_the_security_severity(score, severity, sample, read):
    report = sample(REPORT)
    rule = report["runs"][0]["tool"]["driver"]["rules"][0]
    rule["properties"]["security-severity"] = score
    assert read(report)[0].severity == severity


@pytest.mark.parametrize(
    ("level", "severity"),
    [("error", "high"), ("warning", "medium"), ("note", "info"), ("none", "none"), ("", "medium")],
)
def test_it_falls_back_to_the_level(level, severity, sample, read):
    report = _with_tool(sample(REPORT), "Any", defaultConfiguration={"level": level})
    assert read(report)[0].severity == severity


@pytest.mark.parametrize(
    ("tool", "rule", "finding_type"),
    [
        ("Bandit", {}, "static_code_vulnerability"),
        ("gitleaks", {}, "secret"),
        ("Checkov", {}, "iac_misconfiguration"),
        ("KICS", {}, "iac_misconfiguration"),
        ("Grype", {}, "library_vulnerability"),
        ("Snyk Open Source", {}, "library_vulnerability"),
        ("Trivy", {"properties": {"tags": ["misconfiguration"]}}, "iac_misconfiguration"),
        ("Trivy", {"properties": {"tags": ["secret"]}}, "secret"),
    ],
)
def test_it_tells_the_type_by_tool_and_rule(tool, rule, finding_type, sample, read):
    assert read(_with_tool(sample(REPORT), tool, **rule))[0].finding_type == finding_type


def test_it_makes_packages_of_an_image_findings_of_that_image(sample, read):
    report = _with_tool(sample(REPORT), "Trivy", name="OsPackageVulnerability")
    report["runs"][0]["properties"] = {"imageName": "acme/api:1"}
    finding = read(report)[0]
    assert finding.finding_type == "host_and_container_vulnerability"
    assert (finding.resource_type, finding.resource_id) == ("container_image", "acme/api")


def test_it_finds_the_rule_of_a_case_of_a_rule(sample, read):
    report = sample(REPORT)
    report["runs"][0]["results"][1]["ruleId"] = "py/weak-hash/short-key"
    assert read(report)[1].title == "Weak hash function"


def test_it_finds_file_and_rule_by_index(sample, read):
    report = sample(REPORT)
    run = report["runs"][0]
    run["artifacts"] = [{"location": {"uri": "file:///a%20b.py"}}]
    run["results"] = [
        {
            "ruleIndex": 1,
            "message": {"text": "x"},
            "locations": [{"physicalLocation": {"artifactLocation": {"index": 0}}}],
        }
    ]
    finding = read(report)[0]
    assert finding.title == "Weak hash function"
    assert finding.attributes["code_location"]["file"] == "/a b.py"


def test_it_takes_no_digest_of_a_secret_from_the_help_of_checkov(sample, read):
    told = {"text": "Basic Auth Credentials"}
    help_ = {"text": "Basic Auth Credentials\nResource: 5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8"}
    report = _with_tool(sample(REPORT), "Checkov", shortDescription=told, help=help_)
    finding = read(report)[0]
    assert "5baa61e4" not in repr(finding)
    assert "Remediation" not in finding.description


@pytest.mark.parametrize(
    ("properties", "severity"),
    [
        ({"sub-severity": "high", "problem.severity": "recommendation"}, "info"),
        ({"severity": "critical"}, "critical"),
        ({"Severity": "Low"}, "low"),
        ({"problem": {"severity": "medium"}}, "medium"),
        ({"cvssv3_baseSeverity": "CRITICAL", "cvssv2_severity": "HIGH"}, "critical"),
        ({"securityRisk": "LOW"}, "low"),
    ],
)
def test_it_takes_a_severity_from_known_properties_alone(properties, severity, sample, read):
    rule = {"properties": properties, "defaultConfiguration": {"level": "note"}}
    assert read(_with_tool(sample(REPORT), "CodeQL", **rule))[0].severity == severity


@pytest.mark.parametrize(
    ("result", "severity"),
    [
        ({}, "info"),
        ({"provenance": {"invocationIndex": 1}}, "info"),
        ({"provenance": {"invocationIndex": 0}}, "medium"),
        ({"level": "none"}, "none"),
        ({"ruleId": "R2"}, "medium"),
    ],
)
def test_it_takes_the_level_that_a_rule_was_configured_to(result, severity, sample, read):
    report = _with_tool(sample(REPORT), "Any", defaultConfiguration={"level": "warning"})
    (run,) = report["runs"]
    run["results"][0] |= result
    run["invocations"] = [
        {"ruleConfigurationOverrides": [{"descriptor": rule, "configuration": {"level": level}}]}
        for rule, level in (({"id": "R3"}, "none"), ({"index": 0}, "note"))
    ]
    assert read(report)[0].severity == severity


BASES = {
    "HOME": {"uri": "file:///srv/ci/"},
    "SRC": {"uri": "src/", "uriBaseId": "HOME"},
    "LOOP": {"uri": "x/", "uriBaseId": "LOOP"},
    "FILE": {"uri": "file:///builds/acme/shop/template.yml/"},
    "CHECKOUT": {"uri": "file:///builds/acme/shop/"},
}


@pytest.mark.parametrize(
    ("location", "file"),
    [
        ({"uri": "file:///builds/acme/shop/app/a.py"}, "app/a.py"),
        ({"uri": "file:///D:/a/shop/shop/app/a.py"}, "app/a.py"),
        ({"uri": "file:/builds/acme/shop/app/a.py"}, "app/a.py"),
        ({"uri": "file://localhost/builds/acme/shop/app/a.py"}, "app/a.py"),
        ({"uri": "app\\a.py"}, "app/a.py"),
        ({"uri": "file:///srv/ci/app/a.py"}, "app/a.py"),
        ({"uri": "file:///data/run-17/app/a.py"}, "app/a.py"),  # the working directory
        ({"uri": "file:///data/other/app/a.py"}, "/data/other/app/a.py"),
        ({"uri": "a.py", "uriBaseId": "SRC"}, "src/a.py"),
        ({"uri": "a.py", "uriBaseId": "HOME"}, "a.py"),
        ({"uri": "a.py", "uriBaseId": "%SRCROOT%"}, "a.py"),
        ({"uri": "", "uriBaseId": "FILE"}, "template.yml"),
        ({"uri": "a.py", "uriBaseId": "LOOP"}, f"{'x/' * 10}a.py"),
        ({"index": 0}, "src/b.py"),
        ({"uri": "https://shop.example/a?b=1"}, "https://shop.example/a?b=1"),
    ],
)
def test_it_finds_the_file_wherever_the_scanner_ran(location, file, sample, read):
    report = _with_tool(sample(REPORT), "Any")
    (run,) = report["runs"]
    run["originalUriBaseIds"] = BASES
    run["artifacts"] = [{"location": {"uri": "b.py", "uriBaseId": "SRC"}}]
    run["invocations"] = [{"workingDirectory": {"uri": "file:///data/run-17"}}]
    run["results"][0]["locations"] = [{"physicalLocation": {"artifactLocation": location}}]
    (finding,) = read(report)
    assert finding.attributes["code_location"]["file"] == file
    assert finding.resource_id == file


@pytest.mark.parametrize("base", ["CHECKOUT", "NONE"])
def test_it_has_the_tool_for_a_place_where_there_is_no_file(base, sample, read):
    report = _with_tool(sample(REPORT), "Any")
    (run,) = report["runs"]
    run["originalUriBaseIds"] = BASES
    place = {"physicalLocation": {"artifactLocation": {"uri": "", "uriBaseId": base}}}
    run["results"][0]["locations"] = [place]
    assert read(report)[0].resource_id == "Any"
