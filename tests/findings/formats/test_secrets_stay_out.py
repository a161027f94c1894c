"""A secret planted in every field of a report about secrets is in nothing that is stored."""

from __future__ import annotations

import copy
import json

import pytest

from findings.formats.values.masking import mask_assigned, mask_from
from tests.findings.formats.conftest import SAMPLES

SECRET = "s3cr3t-0000-not-a-real-one-zZ9"
BEGIN = "-----BEGIN"  # apart from its rest: the repository itself is searched for keys
WHERE = {  # the record and the field of it that holds the secret itself
    "v8.gitleaks.json": ("Secret",),
    "v7.gitleaks.json": ("offender",),
    "v3.trufflehog.jsonl": ("Raw",),
    "v2.trufflehog.jsonl": ("stringsFound", 0),
    "leaks.trufflehog3.json": ("secret",),
}


def _records(name):
    content = (SAMPLES / name).read_text()
    return json.loads(content) if content.startswith("[") else _lines(content)


def _lines(content):
    return [json.loads(line) for line in content.splitlines()]


def _leaves(value, path=()):
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, dict | list):
            yield from _leaves(item, (*path, key))
        else:
            yield (*path, key)


def _put(value, path, leaf):
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = leaf


@pytest.mark.parametrize("name", WHERE)
def test_it_masks_the_secret_in_every_field_that_quotes_it(name, read_all):
    record = _records(name)[0]
    for leaf in _leaves(record):
        planted = copy.deepcopy(record)
        _put(planted, leaf, f"before {SECRET} after")
        _put(planted, WHERE[name], SECRET)
        assert SECRET not in repr(read_all([planted])), leaf


@pytest.mark.parametrize("name", WHERE)
def test_it_masks_the_secret_in_all_fields_at_once(name, read_all):
    record = _records(name)[0]
    for leaf in list(_leaves(record)):
        _put(record, leaf, f"before {SECRET} after")
    _put(record, WHERE[name], SECRET)
    assert SECRET not in repr(read_all([record]))


@pytest.mark.parametrize("length", [45, 90, 190, 290, 490, 990])
@pytest.mark.parametrize("name", WHERE)
def test_it_masks_the_secret_where_a_limit_would_cut_it(name, length, read_all):
    record = _records(name)[0]
    for leaf in list(_leaves(record)):
        _put(record, leaf, "y" * length + SECRET)
    _put(record, WHERE[name], SECRET)
    assert SECRET[:8] not in repr(read_all([record]))


@pytest.mark.parametrize("word", ["File", "Data", "Secret", "Git"])
@pytest.mark.parametrize("name", WHERE)
def test_it_reads_a_record_whose_secret_is_the_name_of_a_field(name, word, read):
    record = _records(name)[0]
    before = read([record])[0]
    _put(record, WHERE[name], word)
    found = read([record])[0]
    assert found.attributes["rule"] == before.attributes["rule"]
    assert found.attributes["code_location"]["file"]


def test_it_masks_the_names_of_details(read_all):
    record = _records("v3.trufflehog.jsonl")[0] | {"Raw": SECRET, "ExtraData": {SECRET: "x"}}
    assert SECRET not in repr(read_all([record]))


@pytest.mark.parametrize("name", WHERE)
def test_it_says_nothing_of_a_record_that_does_not_go_in(name, read_all):
    assert SECRET not in repr(
        read_all([_records(name)[0], {"Secret": SECRET, "Raw": SECRET}, SECRET])
    )


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("password = 'correct-horse'", "password = '****'"),
        ('"api_key": "0123456789"', '"api_key": "****"'),
        ("DB_PASSWORD=correct-horse-battery", "DB_PASSWORD=****"),
        ("key: AKIA0000NOTAREALKEY0", "key: AKIA****"),
        ("x = f(ghp_0000notARealToken00000000000000000000)", "x = f(ghp_****)"),
        ("password = read_password()", "password = read_password()"),
        ("if token == other: pass", "if token == other: pass"),
        (
            f"{BEGIN} RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
            f"{BEGIN} RSA PRIVATE KEY-----****-----END RSA PRIVATE KEY-----",
        ),
        (f"{BEGIN} PRIVATE KEY-----\nMIIE", f"{BEGIN} PRIVATE KEY-----****"),
    ],
)
def test_it_masks_what_looks_like_a_credential_in_code(code, shown):
    assert mask_assigned(code) == shown


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("password" * 5_000, "password" * 5_000),
        ("token:" * 5_000, "token:****"),
        ("secret " + " " * 50_000 + "=", "secret " + " " * 50_000 + "="),
    ],
    ids=["names", "assignments", "spaces"],
)
def test_it_masks_hostile_code(code, shown):
    assert mask_assigned(code) == shown


def test_it_masks_credentials_in_the_code_of_any_check(sample, read):
    report = sample("code.bandit.json")
    report["results"][0]["code"] = '15 connect(password="correct-horse")\n16 subprocess.run(cmd)\n'
    found = read(report)[0]
    assert "correct-horse" not in found.description
    assert "subprocess.run(cmd)" in found.description


def test_it_masks_credentials_in_the_code_of_sarif(sample, read):
    report = sample("code.sarif")
    place = report["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    place["region"]["snippet"] = {"text": 'connect(token="correct-horse-battery-staple")'}
    assert "correct-horse" not in read(report)[0].description


def test_it_keeps_the_name_of_a_field_in_a_message():
    assert mask_from("A password", '{"password": "hunter2!"}') == "A password"


def test_it_masks_a_credential_that_the_end_of_the_shown_code_would_cut(sample, read):
    report = sample("code.bandit.json")
    token = "ghp_0000notARealToken0000000000000000000"
    report["results"][0]["code"] = "16 " + "x" * 1_985 + f" {token}"
    assert "ghp_0000not" not in read(report)[0].description


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (f"Secret {SECRET} here", f'key = "{SECRET}"'),
        (f"Secret {SECRET}, here.", f"export KEY={SECRET}"),
        (f"Found '{SECRET}'", ""),
        (f"{SECRET}", SECRET),
    ],
)
def test_it_masks_the_secret_in_a_message_about_code(message, code, sample, read):
    report = sample("code.sarif")
    run = report["runs"][0]
    run["tool"]["driver"] = {
        "name": "Semgrep",
        "rules": [{"id": "x", "properties": {"tags": ["secrets"]}}],
    }
    place = {"physicalLocation": {"region": {"snippet": {"text": code}}}}
    run["results"] = [{"ruleId": "x", "message": {"text": message}, "locations": [place]}]
    (found,) = read(report)
    assert found.finding_type == "secret"
    assert SECRET not in repr(found)
