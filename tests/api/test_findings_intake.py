"""POST /api/v1/findings."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.accounts.roles import Permission
from findings.models import Finding, Source

URL = "/api/v1/findings"
LIMIT = 10 * 1024 * 1024

pytestmark = pytest.mark.django_db


def problem(number: int = 0, **fields) -> dict:
    given = {
        "finding_type": "library_vulnerability",
        "title": f"Problem {number}",
        "severity": "high",
        "resource_id": f"resource-{number}",
    }
    return {name: value for name, value in (given | fields).items() if value is not ...}


@pytest.fixture
def send(api, make_key):
    """`send({...})` posts an envelope, `send(b"…")` a body, as a key that may send findings."""
    headers = {"DD-API-KEY": make_key(Permission.FINDINGS_INTAKE)}

    def post(body, content_type="application/json", **extra):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return api.post(URL, raw, content_type=content_type, headers=headers | extra)

    return post


def envelope(*findings, source="scanner") -> dict:
    return {"source": source, "findings": list(findings)}


def counts(answer) -> tuple[int, ...]:
    names = ("received", "new", "seen_again", "reopened", "rejected")
    return tuple(answer.json()["data"][name] for name in names)


def only_error(answer) -> dict:
    (error,) = answer.json()["errors"]
    assert answer.headers["Content-Type"] == "application/vnd.api+json"
    return error


def test_it_takes_findings_in(send):
    answer = send(
        envelope(
            problem(
                severity="HIGH",
                description="What it is",
                resource_name="web",
                resource_type="host",
                tags=["team:payments", "env:prod", "env:prod"],
                attributes={"cvss": {"score": 7.5}},
                fingerprint="abc",
                first_seen_at="2026-01-02T03:04:05+02:00",
            ),
            problem(1, first_seen_at=1767315845000, tags=None),
        )
    )
    assert (answer.status_code, counts(answer)) == (200, (2, 2, 0, 0, 0))
    assert answer.json()["errors"] == []
    first, second = Finding.objects.order_by("pk")
    assert (first.severity, first.fingerprint) == ("high", "abc")
    assert first.tags == ["env:prod", "source:scanner", "team:payments"]
    assert first.first_seen_at == datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)
    assert second.first_seen_at == datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)
    assert first.source.name == "scanner"


def test_it_takes_the_same_findings_again_and_changes_nothing(send):
    send(envelope(problem(), problem(1)))
    before = list(Finding.objects.values_list("pk", "digest", "detection_changed_at"))
    answer = send(envelope(problem(), problem(1), problem(1)))
    assert (answer.status_code, counts(answer)) == (200, (3, 0, 3, 0, 0))
    assert list(Finding.objects.values_list("pk", "digest", "detection_changed_at")) == before


@pytest.mark.parametrize(
    ("name", "resource_type"),
    [("Container_Image_Vulnerability", "container_image"), ("host_vulnerability", "host")],
)
def test_it_takes_the_names_that_people_use_for_images_and_hosts(send, name, resource_type):
    assert send(envelope(problem(finding_type=name))).status_code == 200
    finding = Finding.objects.get()
    assert finding.finding_type == "host_and_container_vulnerability"
    assert finding.resource_type == resource_type


def test_it_takes_the_good_ones_in_and_names_what_is_wrong_with_the_others(send):
    answer = send(envelope(problem(), problem(1, severity="hihg"), problem(2)))
    assert (answer.status_code, counts(answer)) == (200, (3, 2, 0, 0, 1))
    assert only_error(answer) == {
        "status": "422",
        "title": "Unknown severity",
        "detail": "'hihg' is not one of critical, high, medium, low, info, none, unknown.",
        "source": {"pointer": "/findings/1/severity"},
    }


def deep(levels: int) -> dict:
    return {"a": deep(levels - 1)} if levels else {}


BAD = [
    ({"finding_type": "virus"}, "/finding_type", "Unknown finding type"),
    ({"finding_type": ...}, "/finding_type", "Missing field"),
    (
        {"finding_type": "host_vulnerability", "resource_type": "container_image"},
        "/resource_type",
        "Contradiction",
    ),
    ({"severity": "worst"}, "/severity", "Unknown severity"),
    ({"severity": 5}, "/severity", "Not text"),
    ({"title": ...}, "/title", "Missing field"),
    ({"title": " \t"}, "/title", "Missing field"),
    ({"title": "x" * 1001}, "/title", "Too long"),
    ({"title": "a\0b"}, "/title", "Not storable"),
    ({"resource_id": None}, "/resource_id", "Missing field"),
    ({"description": "x" * 32_769}, "/description", "Too long"),
    ({"fingerprint": "x" * 256}, "/fingerprint", "Too long"),
    ({"tags": ["ok:1", "k:" + "v" * 1_000_000]}, "/tags/1", "Too long"),
    ({"tags": [f"k:{n}" for n in range(100_000)]}, "/tags", "Too many tags"),
    ({"tags": ["novalue"]}, "/tags/0", "Not a tag"),
    ({"tags": [{"k": "v"}]}, "/tags/0", "Not text"),
    ({"tags": ["ok:1", "k:\0", "ok:2"]}, "/tags/1", "Not storable"),
    ({"tags": "k:v"}, "/tags", "Not a list"),
    ({"tags": {}}, "/tags", "Not a list"),
    ({"attributes": []}, "/attributes", "Not an object"),
    ({"attributes": deep(11)}, "/attributes" + "/a" * 10, "Nested too deep"),
    ({"attributes": {"a": "x" * 70_000}}, "/attributes", "Too large"),
    ({"attributes": {"a": [1, {"b/c": "\0"}]}}, "/attributes/a/1/b~1c", "Not storable"),
    ({"attributes": {"\0": 1}}, "/attributes/?", "Not storable"),
    ({"attributes": {f"a{n}": n for n in range(10_000)}}, "/attributes", "Too large"),
    ({"attributes": {"a": 2**63}}, "/attributes/a", "Too large"),
    ({"first_seen_at": "9999-12-31T23:59:59-14:00"}, "/first_seen_at", "Not a time"),
    ({"first_seen_at": "9999-12-31T00:00:00Z"}, "/first_seen_at", "Out of range"),
    ({"first_seen_at": 10**30}, "/first_seen_at", "Not a time"),
    ({"first_seen_at": -1}, "/first_seen_at", "Out of range"),
    ({"first_seen_at": "yesterday"}, "/first_seen_at", "Not a time"),
    ({"first_seen_at": 1.5}, "/first_seen_at", "Not a time"),
    ({"first_seen_at": True}, "/first_seen_at", "Not a time"),
    ({"colour": "red"}, "/colour", "Unknown field"),
]


@pytest.mark.parametrize(("fields", "pointer", "title"), BAD)
def test_it_rejects_a_bad_finding_with_a_pointer(send, fields, pointer, title):
    answer = send(envelope(problem(**fields), problem(1)))
    error = only_error(answer)
    assert (error["source"]["pointer"], error["title"]) == (f"/findings/0{pointer}", title)
    assert (answer.status_code, counts(answer)) == (200, (2, 1, 0, 0, 1))
    assert Finding.objects.get().title == "Problem 1"


@pytest.mark.parametrize("item", [1, None, "text", [], [problem()]])
def test_it_rejects_what_is_no_object(send, item):
    answer = send(envelope(item))
    assert (answer.status_code, counts(answer)) == (400, (1, 0, 0, 0, 1))
    assert only_error(answer)["source"] == {"pointer": "/findings/0"}


def test_it_rejects_a_number_that_no_column_holds(send):
    bad = json.dumps(problem(attributes={"score": 1})).replace(": 1}", ": 1e999}")
    body = f'{{"source": "scanner", "findings": [{json.dumps(problem())}, {bad}]}}'
    answer = send(body.encode())
    assert (answer.status_code, counts(answer)) == (200, (2, 1, 0, 0, 1))
    assert only_error(answer)["source"] == {"pointer": "/findings/1"}


def test_it_answers_400_and_leaves_nothing_behind_when_every_finding_is_bad(send):
    answer = send(envelope(problem(severity="x"), problem(title=...)))
    assert (answer.status_code, counts(answer)) == (400, (2, 0, 0, 0, 2))
    assert len(answer.json()["errors"]) == 2
    assert not Source.objects.exists()


def test_it_believes_a_clock_that_is_a_little_ahead(send):
    ahead = timezone.now() + timedelta(hours=20)
    assert send(envelope(problem(first_seen_at=ahead.isoformat()))).status_code == 200
    assert Finding.objects.get().first_seen_at <= timezone.now()


BAD_BODIES = {
    "empty": b" ",
    "no object": b"[]",
    "cut in the middle": b'{"source": "scanner", "findings": [{"title": "a"',
    "not UTF-8": b'{"source": "scanner", "findings": ["\xff"]}',
    "NaN": b'{"source": "scanner", "findings": [{"a": NaN}]}',
    "lone surrogate": b'{"source": "scanner", "findings": [{"title": "\\ud800"}]}',
    "nested": b'{"source": "scanner", "findings": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "nested in one": b'{"source": "s", "findings": ['
    + b'{"a":' * 9999
    + b"1"
    + b"}" * 9999
    + b"]}",
    "no source": b'{"findings": [{}]}',
    "no findings": b'{"source": "scanner"}',
    "none": b'{"source": "scanner", "findings": []}',
    "unknown field": b'{"source": "scanner", "findings": [{}], "dry_run": true}',
    "too many": b'{"source": "scanner", "findings": [' + b"0," * 10_000 + b"0]}",
    "blank source": b'{"source": " ", "findings": [{}]}',
    "long source": b'{"source": "' + b"x" * 101 + b'", "findings": [{}]}',
    "NUL in source": b'{"source": "a\\u0000b", "findings": [{}]}',
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_it_refuses_a_bad_body_whole(send, body):
    answer = send(body)
    assert answer.status_code == 400
    assert only_error(answer)["detail"]
    assert not Source.objects.exists()


def test_it_points_at_what_is_wrong_in_the_envelope(send):
    answer = send({"source": 7, "findings": []})
    assert only_error(answer)["source"] == {"pointer": "/source"}


def test_it_refuses_a_body_of_eleven_megabytes(send):
    answer = send(b" " * (11 * 1024 * 1024))
    assert (answer.status_code, only_error(answer)["status"]) == (413, "413")


def test_it_takes_a_gzipped_body(send):
    body = gzip.compress(json.dumps(envelope(problem())).encode())
    assert counts(send(body, **{"Content-Encoding": "gzip"})) == (1, 1, 0, 0, 0)


def test_it_refuses_a_gzip_bomb(send):
    bomb = gzip.compress(b" " * (LIMIT + 1))
    answer = send(bomb, **{"Content-Encoding": "gzip"})
    assert (len(bomb) < 20_000, answer.status_code) == (True, 413)


@pytest.mark.parametrize(
    "body",
    [b"{}", gzip.compress(b"{}" * 99, mtime=0)[:-9], b"\x1f\x8b\x08" + b"x" * 99],
    ids=["not gzip", "cut", "garbage"],
)
def test_it_refuses_broken_gzip(send, body):
    answer = send(body, **{"Content-Encoding": "gzip"})
    assert (answer.status_code, only_error(answer)["source"]) == (
        400,
        {"header": "Content-Encoding"},
    )


def test_it_refuses_other_encodings_and_types(send):
    assert send(envelope(problem()), **{"Content-Encoding": "br"}).status_code == 415
    assert send(envelope(problem()), "text/plain").status_code == 415
    assert send(envelope(problem()), "application/json; charset=utf-8").status_code == 200


def test_it_counts_what_it_reads_of_a_body_without_length(api, make_key, settings):
    """Chunked: a server that ends the stream by itself says so, and Django knows no length."""
    settings.INTAKE_MAX_BYTES = 1000
    statuses = []
    for size in (1, 50):
        body = json.dumps(envelope(*map(problem, range(size)))).encode()
        answer = api.generic(
            "POST",
            URL,
            headers={"DD-API-KEY": make_key(Permission.FINDINGS_INTAKE)},
            CONTENT_TYPE="application/json",
            **{"wsgi.input": BytesIO(body), "wsgi.input_terminated": True},
        )
        statuses.append(answer.status_code)
    assert statuses == [200, 413]


def test_it_asks_for_a_key_that_may_send(api, make_key):
    body = json.dumps(envelope(problem()))
    reader = {"DD-API-KEY": make_key(Permission.FINDINGS_READ)}
    assert api.post(URL, body, content_type="application/json").status_code == 401
    answer = api.post(URL, body, content_type="application/json", headers=reader)
    assert answer.status_code == 403
    assert not Finding.objects.exists()


@pytest.mark.parametrize("size", [10, 1000])
def test_it_costs_at_most_twelve_statements(send, size):
    send(envelope(problem()))  # the source is there, and the key's use is noted for this minute
    body = envelope(*map(problem, range(1, size + 1)))
    with CaptureQueriesContext(connection) as captured:
        assert counts(send(body))[1] == size
    assert len(captured) <= 12
