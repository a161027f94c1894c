"""A scanner that writes several formats: the same type, severity and tag in each of them."""

from __future__ import annotations

import pytest

from findings.formats.values import severities
from findings.formats.values.scanners import scanner_tag


def _sarif(tool, id_, *, level="", file="app/a.py", message="m", properties=None, rule=None):
    region = {"startLine": 1}
    place = {"physicalLocation": {"artifactLocation": {"uri": file}, "region": region}}
    result = {
        "ruleId": id_,
        "message": {"text": message},
        "locations": [place],
        "properties": properties or {},
    } | ({"level": level} if level else {})
    driver = {"name": tool, "rules": [{"id": id_} | (rule or {})]}
    return {"version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": [result]}]}


def _gitleaks(rule):
    leak = {"RuleID": rule, "Secret": "", "File": "app/a.py", "StartLine": 1, "Match": ""}
    return [leak], _sarif("gitleaks", rule)


def _bandit(test, word):
    issue = {"test_id": test, "issue_text": "m", "issue_severity": word, "filename": "app/a.py"}
    stated = {"issue_severity": word}
    return {"results": [issue]}, _sarif("Bandit", test, level="error", properties=stated)


def _semgrep(check, word, level, file="app/a.py"):
    extra = {"severity": word, "message": "m"}
    report = {"results": [{"check_id": check, "path": file, "extra": extra}]}
    return report, _sarif("Semgrep OSS", check, level=level, file=file)


def _gosec(rule, word, level):
    issue = {"rule_id": rule, "severity": word, "details": "m", "file": "a.go", "line": "1"}
    report = {"Issues": [issue], "Stats": {}, "Golang errors": {}}
    return report, _sarif("gosec", rule, level=level, file="a.go")


def _checkov(id_, kind="terraform"):
    check = {"check_id": id_, "check_name": "m", "file_path": "/main.tf", "resource": "aws_x.y"}
    report = {"check_type": kind, "results": {"failed_checks": [check]}}
    return report, _sarif("Checkov", id_, level="error", file="main.tf")


def _checkov_bill(id_, kind="terraform"):
    purl = f"pkg:{kind}/main.tf/aws_x.y@sha1:8d1"
    vulnerability = {
        "id": id_,
        "source": {"name": "checkov"},
        "ratings": [{"severity": "unknown"}],
        "description": "Resource: aws_x.y. m",
        "affects": [{"ref": purl}],
    }
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.4",
        "metadata": {"tools": [{"name": "checkov"}]},
        "components": [{"bom-ref": purl, "purl": purl, "name": "aws_x.y", "version": "sha1:8d1"}],
        "vulnerabilities": [vulnerability],
    }
    return _checkov(id_, kind)[0], bill


def _snyk_iac(word, level):
    issue = {"id": "SNYK-CC-1", "title": "m", "severity": word, "path": ["x"]}
    project = {"infrastructureAsCodeIssues": [issue], "targetFile": "main.tf"}
    stated = {"properties": {"problem": {"severity": word}}}
    return project | {"ok": False, "packageManager": "terraformconfig"}, _sarif(
        "Snyk IaC", "SNYK-CC-1", level=level, file="main.tf", rule=stated
    )


def _snyk_image(word, level):
    vulnerability = {"id": "SNYK-DEBIAN12-ZLIB-1", "title": "m", "severity": word,
                     "language": "linux", "packageName": "zlib", "version": "1"}  # fmt: skip
    project = {"vulnerabilities": [vulnerability], "docker": {}, "path": "acme/api:1"}
    rule = {"properties": {"tags": ["security", "CWE-787", "deb"]}}
    return project | {"ok": False, "packageManager": "deb"}, _sarif(
        "Snyk Container", "SNYK-DEBIAN12-ZLIB-1", level=level, file="acme/api:1", rule=rule
    )


def _trivy(word, level):
    check = {"ID": "AVD-AWS-0066", "Severity": word, "Title": "m", "Status": "FAIL"}
    target = {"Target": "main.tf", "Class": "config", "Type": "terraform"}
    report = {
        "SchemaVersion": 2,
        "ArtifactName": ".",
        "Results": [target | {"Misconfigurations": [check]}],
    }
    rule = {"properties": {"tags": ["misconfiguration", word], "security-severity": "9.9"}}
    message = f"Artifact: main.tf\nType: terraform\nVulnerability X\nSeverity: {word}\nMessage: m"
    return report, _sarif("Trivy", "AVD-AWS-0066", level=level, message=message, rule=rule)


def _prowler(check, seen):
    own = {"Status": "FAIL", "StatusExtended": seen, "CheckID": check, "CheckTitle": "m"}
    own |= {"Provider": "aws", "Severity": "high", "ResourceArn": "arn:x", "FindingUniqueId": "u"}
    finding = {"class_uid": 2004, "status_code": "FAIL", "status_detail": seen, "severity_id": 4}
    product = {"event_code": check, "product": {"name": "Prowler"}}
    finding |= {"metadata": product, "finding_info": {"title": "m", "uid": "u"}}
    return [own], [finding | {"resources": [{"uid": "arn:x"}]}]


PAIRS = {
    "gitleaks": _gitleaks("generic-api-key"),
    "gitleaks-cloud": _gitleaks("aws-access-token"),
    "bandit": _bandit("B602", "HIGH"),
    "bandit-password": _bandit("B105", "LOW"),
    "semgrep": _semgrep("python.lang.security.x", "INFO", "note"),
    "semgrep-dockerfile": _semgrep("dockerfile.security.x", "ERROR", "error", "Dockerfile"),
    "semgrep-secret": _semgrep("generic.secrets.security.x", "WARNING", "warning"),
    "gosec": _gosec("G104", "LOW", "note"),
    "gosec-password": _gosec("G101", "HIGH", "error"),
    "checkov": _checkov("CKV_AWS_20"),
    "checkov-secret": _checkov("CKV_SECRET_2", "secrets"),
    "checkov-settings": _checkov("CKV_GITHUB_1", "github_configuration"),
    "checkov-bill": _checkov_bill("CKV_AWS_20"),
    "checkov-bill-secret": _checkov_bill("CKV_SECRET_2", "secrets"),
    "snyk-iac": _snyk_iac("low", "note"),
    "snyk-image": _snyk_image("low", "note"),
    "trivy": _trivy("LOW", "note"),
    "prowler": _prowler("iam_root_access_key", "Root account has active access keys."),
    "prowler-secret": _prowler("ec2_user_data", "Potential secret found in user data -> Token"),
}


@pytest.mark.parametrize(("own", "other"), PAIRS.values(), ids=PAIRS)
def test_it_has_one_type_severity_and_tag_in_all_its_formats(own, other, read):
    (expected,), (found,) = read(own), read(other)
    assert found.finding_type == expected.finding_type
    assert found.severity == expected.severity
    assert _scanner(found) == _scanner(expected)


def _scanner(finding):
    return [tag for tag in finding.tags if tag.startswith("scanner:")]


def test_it_is_the_same_finding_in_the_bill_of_checkov(read):
    own, bill = (read(each)[0] for each in PAIRS["checkov-bill"])
    assert (bill.title, bill.resource_id) == (own.title, own.resource_id) == ("m", "main.tf")
    assert bill.fingerprint == own.fingerprint


def test_it_shows_no_digest_of_a_secret_from_the_bill_of_checkov(read):
    own, bill = (read(each)[0] for each in PAIRS["checkov-bill-secret"])
    assert "aws_x.y" not in repr(bill)
    assert bill.fingerprint == own.fingerprint


def test_it_finds_the_image_in_what_snyk_writes_of_one(read):
    for report in PAIRS["snyk-image"]:
        (found,) = read(report)
        assert (found.resource_type, found.resource_id) == ("container_image", "acme/api")


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("Snyk Open Source", "snyk"),
        ("SnykCode", "snyk"),
        ("Semgrep PRO", "semgrep"),
        ("Trivy Vulnerability Scanner", "trivy"),
        ("OWASP ZAP", "zap"),
        ("CodeQL", "codeql"),
    ],
)
def test_it_has_one_tag_under_all_its_names(name, tag):
    assert scanner_tag(name) == tag


@pytest.mark.parametrize(
    ("words", "severity"),
    [
        ("Critical Urgent blocker Very_High", "critical"),
        ("High Severe IMPORTANT", "high"),
        ("Medium Moderate Serious MAJOR", "medium"),
        ("Low Minor very_low", "low"),
        ("Info INFORMATIONAL Log Debug Minimal unimportant", "info"),
        ("None", "none"),
    ],
)
def test_it_knows_the_words_of_scanners(words, severity):
    assert {severities.from_word(word) for word in words.split()} == {severity}
