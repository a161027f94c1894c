from __future__ import annotations

import gzip
import json
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from config.accounts.roles import Permission
from findings.imports import queue
from findings.models import Finding, Import

SAMPLES = Path(__file__).parent.parent / "findings" / "formats" / "samples"
CODE = (SAMPLES / "code.sarif").read_bytes()
URL = "/api/v1/imports"


@pytest.fixture
def send(api, make_key):
    """`send(body, "?source=x")` posts a report with a key that may."""
    headers = {"DD-API-KEY": make_key(Permission.FINDINGS_INTAKE, Permission.FINDINGS_READ)}

    def post(body, query="", content_type="application/octet-stream", **more):
        more = {"headers": headers | more.pop("headers", {})} | more
        return api.post(URL + query, body, content_type=content_type, **more)

    post.headers = headers
    return post


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/sarif+json", "application/x-www-form-urlencoded", "", "odd"],
)
def test_it_takes_a_report_as_the_body_whatever_its_type(content_type, send):
    answer = send(CODE, "?file_name=code.sarif", content_type)
    assert answer.status_code == 201, answer.content
    data = answer.json()["data"]
    assert data["type"] == "imports"
    assert (
        data["attributes"].items()
        >= {
            "source": "codeql",
            "format": "sarif",
            "file_name": "code.sarif",
            "state": "done",
            "received": 5,
            "new": 4,
            "rejected": 1,
            "started_by": "ci",
        }.items()
    )
    assert answer.json()["errors"][0]["source"] == {"pointer": "/runs/0/results/6"}


def test_it_takes_a_report_as_a_field_of_a_form(send, api):
    file = SimpleUploadedFile("scan.sarif", CODE)
    answer = api.post(URL, {"file": file, "source": "shop"}, headers=send.headers)
    assert answer.status_code == 201, answer.content
    attributes = answer.json()["data"]["attributes"]
    assert (attributes["file_name"], attributes["source"]) == ("scan.sarif", "shop")
    assert Finding.objects.count() == 4


def test_it_takes_gzip(send):
    body = gzip.compress(CODE)
    assert send(body, headers={"Content-Encoding": "gzip"}).status_code == 201
    assert send(body).json()["data"]["attributes"]["seen_again"] == 4


@pytest.mark.parametrize(
    ("body", "query", "detail"),
    [
        (b"", "", "The file is empty."),
        (CODE[:-9], "", "The file ends in the middle of its JSON: it was cut off."),
        (CODE, "?format=trivy", "The file is not a Trivy JSON report."),
        (b"<xml/>", "", "The file is XML, but none of the reports"),
    ],
)
def test_it_refuses_a_file_with_its_reason(body, query, detail, send):
    answer = send(body, query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["detail"].startswith(detail)
    assert Import.objects.get().state == "refused"
    assert not Finding.objects.exists()


def test_it_refuses_a_form_without_a_file(send, api):
    answer = api.post(URL, {"source": "shop"}, headers=send.headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["source"] == {"pointer": "/file"}


def test_it_refuses_a_file_over_the_limit(send, settings):
    settings.IMPORT_MAX_BYTES = len(CODE) - 1
    assert send(CODE).status_code == 413


def test_it_refuses_by_the_declared_length(send, settings):
    settings.IMPORT_MAX_BYTES = 0
    assert send(b" " * 70_000).status_code == 413
    assert not Import.objects.exists()


def test_it_refuses_another_encoding(send):
    assert send(CODE, headers={"Content-Encoding": "br"}).status_code == 415


def test_it_wants_the_intake_scope(api, make_key):
    headers = {"DD-API-KEY": make_key(Permission.FINDINGS_READ)}
    answer = api.post(URL, CODE, content_type="application/json", headers=headers)
    assert answer.status_code == 403
    assert not Import.objects.exists()


def test_it_lists_imports_newest_first_page_by_page(send, api):
    for number in range(3):
        send(CODE, f"?file_name={number}")
    page = api.get(f"{URL}?page[size]=2&page[number]=0", headers=send.headers).json()
    assert [each["attributes"]["file_name"] for each in page["data"]] == ["2", "1"]
    assert page["meta"] == {"page": {"total_filtered_count": 3}}
    rest = api.get(f"{URL}?page[size]=2&page[number]=1", headers=send.headers).json()
    assert [each["attributes"]["file_name"] for each in rest["data"]] == ["0"]


@pytest.mark.parametrize("query", ["page[size]=0", "page[size]=101", "page[number]=x"])
def test_it_refuses_an_odd_page(query, send, api):
    answer = api.get(f"{URL}?{query}", headers=send.headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["source"] == {"parameter": query.partition("=")[0]}


def test_it_names_the_columns_that_nothing_is_taken_from(send, api):
    table = b"Title,Severity,Host,Owner\nOld TLS,low,web-1,me\n"
    preview = send(table, "?source=x&dry_run=true").json()["data"]["attributes"]
    done = send(table, "?source=x").json()["data"]
    again = api.get(f"{URL}/{done['id']}", headers=send.headers).json()["data"]
    for attributes in (preview, done["attributes"], again["attributes"]):
        assert attributes["notes"] == ["Columns not read: Owner."]
    assert preview["unread_columns"] == ["Owner"]


def test_it_shows_one_import_with_its_errors(send, api):
    id_ = send(CODE).json()["data"]["id"]
    answer = api.get(f"{URL}/{id_}", headers=send.headers).json()
    assert answer["data"]["id"] == id_
    assert len(answer["errors"]) == 1


def test_it_knows_no_other_import(send, api):
    assert api.get(f"{URL}/{uuid4()}", headers=send.headers).status_code == 404


def test_it_asks_the_database_as_often_for_a_full_list(send, api, django_assert_num_queries):
    send(CODE)
    with django_assert_num_queries(4):
        api.get(URL, headers=send.headers)


def _own(*numbers: int, scope: str = "shop") -> bytes:
    finding = {"finding_type": "misconfiguration", "severity": "low", "title": "Odd"}
    findings = [finding | {"resource_id": f"r{n}"} for n in numbers]
    return json.dumps({"source": "nightly", "scope": scope, "findings": findings}).encode()


def test_it_resolves_what_the_next_report_of_a_scope_lacks(send):
    send(_own(1, 2, 3), "?scope=main")
    said = send(_own(1, 2), "?scope=main").json()["data"]["attributes"]
    assert (said["scope"], said["resolved"], said["closing"]) == ("main", 1, "done")
    assert (said["missing"], said["expected"]) == (1, 3)


def test_it_resolves_nothing_by_a_partial_report(send):
    send(_own(1, 2, 3))
    said = send(_own(1, 2), "?partial=true").json()["data"]["attributes"]
    assert (said["is_partial"], said["resolved"], said["closing"]) == (True, 0, "none")


def test_it_says_that_a_report_is_held(send):
    send(_own(1, 2, 3))
    said = send(_own()).json()["data"]["attributes"]
    assert (said["closing"], said["resolved"]) == ("held", 0)
    assert said["closing_note"] == "3 of 3 findings are missing from this report."


@pytest.mark.parametrize("query", ["?scope=shop&format=gosec", "?scope=shop&dry_run=true"])
def test_it_names_the_files_that_the_scanner_could_not_read(send, query):
    issue = {"rule_id": "G204", "details": "Odd", "severity": "HIGH", "file": "a.go", "line": "1"}
    report = {"Golang errors": {}, "Issues": [issue], "Stats": {}}
    send(json.dumps(report).encode(), "?scope=shop")
    error = {"a.go": [{"line": 3, "error": "expected declaration"}]}
    unread = report | {"Issues": [], "Golang errors": error}
    said = send(json.dumps(unread).encode("utf-16"), query).json()["data"]
    assert said["attributes"]["unscanned"] == [
        {"target": "a.go", "reason": "expected declaration", "kind": "file"}
    ]
    assert said["attributes"]["closing_note"] == (
        "1 file could not be read: a.go; its finding stays open."
    )
    assert said["attributes"]["notes"] == ["The file was in UTF-16 and was read so."]
    assert Finding.objects.get().status == "open"


def test_it_takes_an_empty_body_as_a_clean_scan_where_format_and_scope_are_named(send):
    send(_own(1))
    said = send(b"", "?source=nightly&scope=shop&format=json").json()["data"]["attributes"]
    assert (said["state"], said["received"], said["missing"]) == ("done", 0, 1)
    assert send(b"", "?format=json").status_code == 422


def test_it_looks_a_report_through(send):
    send(_own(1, 2, 3))
    answer = send(_own(1, 2, 4), "?dry_run=true")
    assert answer.status_code == 200
    said = answer.json()["data"]["attributes"]
    assert [said[name] for name in ("new", "seen_again", "resolved", "scope")] == [1, 2, 1, "shop"]
    assert (said["severities"], said["types"]) == ({"low": 3}, {"Misconfiguration": 3})
    assert (Import.objects.count(), Finding.objects.count()) == (1, 3)


def test_it_refuses_to_look_through_what_is_no_report(send):
    assert send(b"{", "?dry_run=true").status_code == 422
    assert not Import.objects.exists()


def test_it_keeps_a_report_for_the_queue(send, api, make_key):
    answer = send(_own(1, 2, 3), "?queued=true")
    assert answer.status_code == 202
    assert answer.json()["data"]["attributes"]["state"] == "running"
    assert not Finding.objects.exists()
    assert queue.take_due()
    headers = {"DD-API-KEY": make_key(Permission.FINDINGS_READ)}
    said = api.get(f"{URL}/{answer.json()['data']['id']}", headers=headers).json()
    attributes = said["data"]["attributes"]
    assert (attributes["state"], attributes["new"]) == ("done", 3)
    assert attributes["bytes_read"] == attributes["size"] == len(_own(1, 2, 3))


def test_it_keeps_no_report_for_the_queue_that_is_too_large(send, settings):
    settings.IMPORT_MAX_BYTES = len(CODE) - 1
    assert send(CODE, "?queued=true").status_code == 413
    assert not Import.objects.exists()


@pytest.mark.parametrize("name", ["partial", "dry_run", "queued"])
def test_it_says_which_flag_is_neither_true_nor_false(send, name):
    answer = send(CODE, f"?{name}=maybe")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["source"] == {"parameter": name}
