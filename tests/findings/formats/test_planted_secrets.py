"""Credentials planted in every field of a report of every format are in nothing that is read."""

from __future__ import annotations

import copy
import csv
import io
import json
from xml.etree import ElementTree as ET

import pytest

from findings.formats.normalised import Normalised, normalise
from findings.formats.streams.records import RefusedReport
from tests.findings.formats.conftest import SAMPLES, outcomes

# Each apart from its beginning: the repository itself is searched for keys.
GITHUB = "ghp_" + "0000notARealToken00000000000000000000"
AWS = "AKIA" + "0000NOTAREALKEY0"
JWT = "eyJ" + "hbGciOiJub25lIn0.eyJ" + "zdWIiOiJub2JvZHkifQ.c2lnbmF0dXJl"
SLACK = "xoxb-" + "000000000000-notARealToken00"
PASSWORD = "p4ssw0rd-in-an-address"
HEX = "9f8e7d6c5b4a39281706"
TOKEN = "tok_" + HEX
SECRET = (GITHUB, AWS, JWT, SLACK, PASSWORD, HEX)
PLANTED = " ".join(
    (
        *(GITHUB, AWS, JWT, SLACK, f"postgres://app:{PASSWORD}@db.example/app"),
        f'API_KEY="{HEX}" Authorization: Bearer {HEX}',
    )
)
PATHS = sorted(SAMPLES.iterdir())


def _json_documents(text):
    """The documents of the report: one, or some after each other."""
    decode, documents = json.JSONDecoder().raw_decode, []
    while text := text.strip():
        document, end = decode(text)
        documents.append(document)
        text = text[end:]
    return documents


def _leaves(value, path=()):
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, dict | list):
            yield from _leaves(item, (*path, key))
        elif isinstance(item, str):
            yield (*path, key)


def _planted_json(text, planted):
    documents = _json_documents(text)
    for path in list(_leaves(documents)):
        changed = copy.deepcopy(documents)
        holder = changed
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] += f" {planted} "
        yield path, "\n".join(map(json.dumps, changed))


def _planted_csv(text, planted):
    separator = ";" if ";" in text.splitlines()[0] else ","
    rows = list(csv.reader(io.StringIO(text), delimiter=separator))
    for number, row in enumerate(rows[1:], 1):
        for column in range(len(row)):
            changed = copy.deepcopy(rows)
            changed[number][column] += f" {planted} "
            written = io.StringIO()
            csv.writer(written, delimiter=separator).writerows(changed)
            yield (number, column), written.getvalue()


def _planted_xml(text, planted):
    for number, element in enumerate(ET.fromstring(text).iter()):
        for name in (None, *element.attrib):
            root = ET.fromstring(text)
            changed = list(root.iter())[number]
            if name is None:
                changed.text = f"{changed.text or ''} {planted} "
            else:
                changed.attrib[name] += f" {planted} "
            yield (element.tag.rpartition("}")[2], name), ET.tostring(root, encoding="unicode")


def _planted(path, planted):
    text = path.read_text()
    if path.suffix == ".csv":
        return _planted_csv(text, planted)
    return _planted_xml(text, planted) if path.suffix == ".xml" else _planted_json(text, planted)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_it_masks_a_credential_in_every_field_of_every_format(path):
    for place, report in _planted(path, PLANTED):
        try:
            found = outcomes(report.encode())
        except RefusedReport as refusal:
            found = [str(refusal)]
        read = repr(found)
        assert not [secret for secret in SECRET if secret in read], place


MAY_LOOK_RANDOM = frozenset((
    "commit", "commitHash", "Commit", "revisionId", "branch", "repo", "repository",
    "repositoryUri", "image", "file", "File", "filename", "file_name", "file_path", "path",
    "uri", "Target", "rule", "RuleID", "rule_id", "ruleId", "test_id", "check_id", "query_id",
    "DetectorName", "reason", "type", "component", "Category", "artifact.tag", "commit.sha",
    "identifiers.value", "rule.id", "project", "FilePath", "ruleID", "target",
    "registry.server", "artifact.repository", "Type", "Subtype", "template-id", "host",
))  # fmt: skip  # where a secret is, and which check found it


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_it_masks_what_looks_random_in_every_field_of_a_secret(path):
    for place, report in _planted(path, TOKEN):
        try:
            found = outcomes(report.encode())
        except RefusedReport:
            continue
        of_secrets = [each for each in found if getattr(each, "finding_type", "") == "secret"]
        names = [name for name in place if isinstance(name, str)]
        is_name = not MAY_LOOK_RANDOM.isdisjoint((*names[-1:], ".".join(names[-2:])))
        assert TOKEN not in repr(of_secrets) or is_name, place


ORDINARY = (
    "9fceb02d0ae598e95dc970b74767f19372d61af8",  # a commit
    "013325a7-027a-49f4-bb7d-8f1de4020c28",
    "sha256:8d708f0cfd2c3ff0b4e0c4ae1e9a6dc4b2e9b9d5a3f7a1c1d2e3f4a5b6c7d8e9",
    "CVE-2021-44228, GHSA-35jh-r3h4-6jhm and CWE-798",
    "src/main/java/com/Acme2Service.java:41",
    "arn:aws:iam::123456789012:role/Admin1",
    "docker://nginx:1.25@sha256:8d708f0cfd2c3ff0b4e0c4ae1e9a6dc4",
    "git+ssh://git@github.com:22/acme/api",
    "pkg:npm/%40acme/jsonwebtoken@9.0.0",
    "jsonwebtoken: 9.0.0, csrf-token: ^1.2.3-beta.4",
    "secret: my-app-secret-1",
    "password: required",
    "token = ${API_TOKEN_2}",
    "if token == other1234: pass",
)


@pytest.mark.parametrize("text", ORDINARY)
def test_it_leaves_what_only_looks_odd(text):
    found = normalise(
        {
            "finding_type": "misconfiguration",
            "title": text,
            "severity": "low",
            "resource_id": text,
            "description": text,
            "tags": [f"label:{text}"],
            "attributes": {"seen": [text], "correlation_id": text},
            "fingerprint": text,
        },
        position=0,
    )
    assert isinstance(found, Normalised)
    assert (found.title, found.resource_id, found.description) == (text, text, text)
    assert (found.tags, found.fingerprint) == ((f"label:{text}",), text)
    assert found.attributes == {"seen": [text], "correlation_id": text}


def test_it_masks_the_value_of_an_attribute_by_the_name_of_its_field():
    attributes = {"db": {"password": "Summer2024!", "token_type": "bearer", "secret": "optional"}}
    found = normalise(
        {
            "finding_type": "misconfiguration",
            "title": "A",
            "severity": "low",
            "resource_id": "r",
            "attributes": attributes,
        },
        position=0,
    )
    assert found.attributes == {
        "db": {"password": "****", "token_type": "bearer", "secret": "optional"}
    }


@pytest.mark.parametrize("field", ["title", "resource_id", "fingerprint"])
def test_it_knows_a_finding_by_what_was_reported(field):
    """A mask makes no two findings one."""
    record = {
        "finding_type": "misconfiguration",
        "title": "A",
        "severity": "low",
        "resource_id": "r",
    }
    first, second = (
        normalise(record | {field: f"{GITHUB}{end}"}, position=0) for end in ("1", "2")
    )
    assert first.fingerprint != second.fingerprint
    assert GITHUB not in repr((first, second))


def _sarif(tool, *, rule=None, message="x", snippet=TOKEN, file="a.py", **result):
    place = {
        "artifactLocation": {"uri": file},
        "region": {"startLine": 1, "snippet": {"text": snippet}},
    }
    rules = [{"id": "r1", **(rule or {})}]
    return {
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": tool, "rules": rules}},
                "results": [
                    {
                        "ruleId": rules[0]["id"],
                        "message": {"text": message},
                        "locations": [{"physicalLocation": place}],
                        **result,
                    }
                ],
            }
        ],
    }


@pytest.mark.parametrize(
    "report",
    [
        _sarif("noseyparker"),
        _sarif("Acme Secret Finder", snippet=f"k: {TOKEN}"),
        _sarif("acme"),  # what it matched is a token and nothing else
        _sarif("acme", message=f"Found {TOKEN} in a.py", file=f"{TOKEN}.py"),
        _sarif("acme", rule={"name": "AWS API Key"}, snippet=f"f({TOKEN})"),
        _sarif("acme", rule={"id": "acme.github.token.1"}, snippet=f"f({TOKEN})"),
        _sarif(
            "acme",
            rule={"shortDescription": {"text": "Hard-coded credential"}},
            snippet=f"f({TOKEN})",
        ),
        _sarif("acme", rule={"properties": {"tags": ["external/cwe/cwe-321"]}}, snippet=TOKEN),
        _sarif("acme", message="Secret detected in code", snippet=f"f({TOKEN})"),
        _sarif("acme", snippet=f"f({TOKEN})", properties={"tags": ["CWE-798"]}),
        _sarif("acme", snippet="-----BEGIN" + " PRIVATE KEY-----\nMIIE"),
    ],
    ids=range(11),
)
def test_it_knows_a_secret_whoever_found_it(report, read):
    (found,) = read(report)
    assert found.finding_type == "secret"
    assert TOKEN not in repr(found)
    assert "MIIE" not in repr(found)


@pytest.mark.parametrize(
    ("tool", "rule", "file", "finding_type"),
    [
        ("acme", {"id": "py/sql-injection"}, "a.py", "static_code_vulnerability"),
        ("acme", {"id": "missing-csrf-token"}, "a.py", "static_code_vulnerability"),
        ("acme", {"id": "py/timing-attack-token"}, "a.py", "static_code_vulnerability"),
        ("Dockle", {"id": "CIS-DI-0001"}, "", "misconfiguration"),
        ("Acme API DAST", {}, "", "api_security"),
        ("Acme DAST", {}, "", "runtime_code_vulnerability"),
        ("Semgrep OSS", {"id": "yaml.docker-compose.x"}, "a.yml", "iac_misconfiguration"),
        ("acme", {}, "deploy/docker-compose.prod.yml", "iac_misconfiguration"),
        (
            "Trivy",
            {"id": "CVE-2024-0001", "name": "Hardcoded password"},
            "",
            "library_vulnerability",
        ),
    ],
)
def test_it_tells_the_type_by_what_was_found(tool, rule, file, finding_type, read):
    (found,) = read(_sarif(tool, rule=rule, file=file, snippet="f(x)", message="Something"))
    assert found.finding_type == finding_type


def test_it_masks_what_looks_random_in_the_code_of_any_result(read):
    report = _sarif(
        "acme", snippet=f'verify("{TOKEN}", "9fceb02d0ae598e95dc970b74767f19372d61af8")'
    )
    (found,) = read(report)
    assert found.finding_type == "static_code_vulnerability"
    assert TOKEN not in found.description
    assert "9fceb02d0ae598e95dc970b74767f19372d61af8" in found.description


def test_it_shows_by_which_beginning_a_secret_can_be_told(read):
    (found,) = read(_sarif("acme"))
    assert found.attributes["secret"]["masked"] == "tok_****"


@pytest.mark.parametrize(
    ("name", "change", "finding_type"),
    [
        ("terraform.checkov.json", {}, "secret"),
        ("table.generic.csv", {}, "misconfiguration"),
    ],
)
def test_it_tells_a_credential_in_infrastructure_as_code(name, change, finding_type, read):
    assert finding_type in {each.finding_type for each in read((SAMPLES / name).read_bytes())}


def test_it_tells_a_secret_in_a_generic_report(read):
    rows = f'title,severity,file,description\n"AWS API Key",high,a.py,"It is {TOKEN}"\n'
    (found,) = read(rows.encode())
    assert found.finding_type == "secret"
    assert TOKEN not in repr(found)
