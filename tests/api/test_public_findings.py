"""GET /api/v2/security/findings and POST /api/v2/security/findings/search."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.accounts.roles import Permission
from findings.facts import Severity
from findings.overrides import set_severity
from findings.services import assign, mute
from tests.factories import FindingFactory, ProjectFactory
from ticketing.services import CaseDraft, Subject, open_cases

URL = "/api/v2/security/findings"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
NOON_MS = 1_795_435_200_000
RULE = "6f0c2f6e-6c52-4b5e-9b6d-5d0c2f3d9a10"
JSON_API = "application/vnd.api+json"

pytestmark = pytest.mark.django_db


@pytest.fixture
def headers(make_key) -> dict[str, str]:
    key = make_key(Permission.FINDINGS_READ)
    return {"DD-API-KEY": key, "DD-APPLICATION-KEY": key}


@pytest.fixture
def read(api, headers):
    return lambda parameters=None, url=URL: api.get(url, parameters, headers=headers)


@pytest.fixture
def search(api, headers):
    """`search(filter="…")` searches by POST; `search(body)` sends the body as it is."""

    def post(body=None, content_type="application/json", **attributes):
        body = {"data": {"attributes": attributes}} if body is None else body
        return api.post(f"{URL}/search", body, content_type=content_type, headers=headers)

    return post


def ids(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [document["id"] for document in answer.json()["data"]]


def only_error(answer, status: int = 400) -> dict:
    assert (answer.status_code, answer["Content-Type"]) == (status, JSON_API)
    [error] = answer.json()["errors"]
    return error


def ticketed(finding, *, rule_id=RULE):
    project = ProjectFactory(key="SEC")
    draft = CaseDraft(
        project_id=project.pk, title="Fix it", description="", priority="P2", origin="rule",
        rule_id=rule_id, rule_name="Critical libraries", findings=(Subject(finding.pk, {}),),
    )  # fmt: skip
    [case] = open_cases([draft])
    return case


def test_it_answers_with_the_shape_of_the_public_api(frozen, read):
    finding = FindingFactory(tags=["team:payments"], attributes={"rule": {"id": "r-1"}})
    answer = read()
    document = answer.json()
    assert (answer.status_code, answer["Content-Type"]) == (200, JSON_API)
    [data] = document["data"]
    assert (data["id"], data["type"]) == (finding.finding_id, "finding")
    assert data["attributes"]["tags"] == ["team:payments"]
    assert data["attributes"]["timestamp"] == NOON_MS
    custom = data["attributes"]["attributes"]["custom"]
    assert (custom["finding_id"], custom["status"]) == (finding.finding_id, "open")
    assert custom["detection_changed_at"] == NOON_MS
    assert custom["rule"] == {"id": "r-1"}
    assert custom["workflow"] == {"mute": {"is_muted": False}}
    assert custom["metadata"] == {"schema_version": "2"}
    assert document["links"] == {}


def test_it_tells_how_long_it_took_and_which_request_it_was(read):
    answer = read()
    meta = answer.json()["meta"]
    assert set(meta) == {"elapsed", "page", "request_id", "status"}
    assert isinstance(meta["elapsed"], int)
    assert meta["request_id"] == answer["X-Request-ID"]
    assert (meta["status"], meta["page"]) == ("done", {})


def test_it_shows_the_severity_of_the_source_and_of_a_person(read, analyst):
    finding = FindingFactory(severity="high")
    high = {"value": "high", "value_id": 3}

    def custom():
        return read().json()["data"][0]["attributes"]["attributes"]["custom"]

    assert custom()["severity_details"] == {"base": high, "adjusted": high}
    set_severity([finding.pk], severity=Severity.CRITICAL, description="Why", actor=analyst)
    critical = {"value": "critical", "value_id": 4}
    details = {"base": high, "adjusted": high, "user_adjusted": critical}
    assert (custom()["severity"], custom()["severity_details"]) == ("critical", details)
    noted = custom()["workflow"]["severity_override"]
    assert (noted["description"], noted["updated_by"]["name"]) == ("Why", analyst.name)


def test_it_shows_what_was_done_with_a_finding(read, analyst):
    finding = FindingFactory()
    case = ticketed(finding)
    mute([finding.pk], reason="NO_FIX", actor=analyst)
    assign([finding.pk], assignee=analyst, actor=analyst)
    workflow = read().json()["data"][0]["attributes"]["attributes"]["custom"]["workflow"]
    rule = {"rule_id": RULE, "rule_name": "Critical libraries", "rule_type": "ticket_creation"}
    assert workflow["automations"] == [rule]
    [shown] = workflow["integrations"]["cases"]
    assert (shown["id"], shown["key"], shown["status"]) == (str(case.pk), "SEC-1", "open")
    assert (workflow["mute"]["is_muted"], workflow["mute"]["reason"]) == (True, "NO_FIX")
    assert workflow["triage"]["assignee"]["id"] == str(analyst.pk)


def test_it_shows_muted_and_closed_findings_too(read):
    shown = [FindingFactory(status=s) for s in ("open", "muted", "auto_closed", "resolved")]
    assert set(ids(read())) == {finding.finding_id for finding in shown}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"@workflow.automations.rule_id:{RULE}", "ticketed"),
        ("@workflow.automations.rule_id:1c0c2f6e-6c52-4b5e-9b6d-5d0c2f3d9a10", None),
        ("@workflow.integrations.cases.id:*", "ticketed"),
        ("@workflow.integrations.cases.key:SEC-1", "ticketed"),
        ("-@workflow.integrations.cases.id:*", "plain"),
        ("@severity:(critical OR high) @status:open team:platform", "plain"),
        ("@severity:(critical OR high) @status:muted team:platform", None),
    ],
)
def test_it_finds_by_the_queries_of_the_public_api(read, search, query, expected):
    there = {
        "ticketed": FindingFactory(severity="low"),
        "plain": FindingFactory(severity="critical", tags=["team:platform"]),
    }
    ticketed(there["ticketed"])
    found = [there[expected].finding_id] if expected else []
    assert ids(read({"filter[query]": query})) == ids(search(filter=query)) == found


def test_it_shows_ten_unless_asked_for_more(read, search):
    FindingFactory.create_batch(12)
    assert len(ids(read())) == len(ids(search({"data": {}}))) == 10
    assert len(ids(read({"page[limit]": "150"}))) == len(ids(search(page={"limit": 150}))) == 12


def test_it_sorts_by_when_the_detection_changed(read, search):
    old, new = (FindingFactory(first_seen_at=NOON + timedelta(days=n)) for n in range(2))
    newest = [new.finding_id, old.finding_id]
    assert ids(read()) == ids(search()) == ids(read({"sort": "-@detection_changed_at"})) == newest
    oldest = "@detection_changed_at"
    assert ids(read({"sort": oldest})) == ids(search(sort=oldest)) == newest[::-1]


@pytest.mark.parametrize("sort", ["-@detection_changed_at", "@detection_changed_at"])
def test_it_pages_through_everything_once_while_findings_arrive(search, sort):
    there = [FindingFactory(first_seen_at=NOON + timedelta(hours=n // 3)) for n in range(7)]
    found, cursor = [], None
    while True:
        page = search(sort=sort, page={"limit": 2, "cursor": cursor}).json()
        found += [document["id"] for document in page["data"]]
        cursor = page["meta"]["page"].get("after")
        if cursor is None:
            break
        FindingFactory(first_seen_at=NOON + timedelta(days=1))
    expected = [finding.finding_id for finding in there]
    seen = [finding_id for finding_id in found if finding_id in expected]
    assert seen == (expected if sort.startswith("@") else expected[::-1])
    assert len(found) == len(set(found))


def test_it_links_to_the_next_page_by_get_with_the_query_as_it_is_canonical(read, search):
    findings = FindingFactory.create_batch(3, severity="high")
    query = "@severity:(critical OR high)"
    by_post = search(filter=query, page={"limit": 2}).json()
    by_get = read({"filter[query]": query, "page[limit]": "2"}).json()
    link = by_post["links"]["next"]
    after = by_post["meta"]["page"]["after"]
    assert link == by_get["links"]["next"]
    assert link.startswith(f"{URL}?filter%5Bquery%5D=%40severity%3Acritical+OR+%40severity%3Ahigh&")
    assert link.endswith("&page%5Blimit%5D=2&sort=-%40detection_changed_at")
    assert parse_qs(urlsplit(link).query)["page[cursor]"] == [after]
    assert ids(read(url=link)) == [findings[0].finding_id]


def test_it_links_on_with_the_longest_query(read, search):
    FindingFactory.create_batch(2)
    query = f"-a_long_key_of_a_tag:({' OR '.join(f'value-{n}' for n in range(990))})"
    link = search(filter=query, page={"limit": 1}).json()["links"]["next"]
    assert len(ids(read(url=link))) == 1


def test_it_says_that_a_search_without_data_is_missing_members(search):
    for body in ({}, {"meta": {}}, " "):
        assert only_error(search(body))["detail"] == (
            "document is missing required top-level members; "
            'must have one of: "data", "meta", "errors"'
        )


def cursor(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "bad", ["nonsense", "é", cursor("1.0"), cursor(f"1.{2**63}"), cursor(f"{10**30}.1")]
)
def test_it_answers_a_bad_cursor_with_invalid_filters_and_no_title(read, search, bad):
    by_get = only_error(read({"page[cursor]": bad}))
    by_post = only_error(search(page={"cursor": bad}))
    said = {"status": "400", "detail": "Invalid filters"}
    assert by_get == said | {"source": {"parameter": "page[cursor]"}}
    assert by_post == said | {"source": {"pointer": "/data/attributes/page/cursor"}}


@pytest.mark.parametrize("limit", ["0", "151", "-1", "ten", "²", "1.5", ""])
def test_it_refuses_a_limit_outside_of_1_to_150(read, limit):
    error = only_error(read({"page[limit]": limit}))
    assert (error["source"], error["title"]) == ({"parameter": "page[limit]"}, "Bad Request")


@pytest.mark.parametrize("limit", [0, 151, -1, 10**20, 1.5, "10", True])
def test_it_refuses_such_a_limit_in_a_body(search, limit):
    error = only_error(search(page={"limit": limit}))
    assert error["source"] == {"pointer": "/data/attributes/page/limit"}


@pytest.mark.parametrize(
    ("name", "in_body", "bad"),
    [
        ("sort", "sort", "-@severity"),
        ("filter[query]", "filter", "@severity:("),
        ("filter[query]", "filter", "x" * 30_001),
        ("filter[query]", "filter", "("),
    ],
)
def test_it_refuses_what_it_cannot_read_and_says_where(read, search, name, in_body, bad):
    assert only_error(read({name: bad}))["source"] == {"parameter": name}
    error = only_error(search(**{in_body: bad}))
    assert error["source"] == {"pointer": f"/data/attributes/{in_body}"}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"data": []}, "/data"),
        ({"data": {"attributes": "x"}}, "/data/attributes"),
        ({"data": {"attributes": {"filter": {"query": "x"}}}}, "/data/attributes/filter"),
        ({"data": {"attributes": {"filter": "\0"}}}, "/data/attributes/filter"),
    ],
)
def test_it_points_at_what_is_of_another_type(search, body, pointer):
    assert only_error(search(body))["source"] == {"pointer": pointer}


def test_it_refuses_a_nul_in_the_address(read):
    assert only_error(read({"filter[query]": "a\0b"}))["source"] == {"parameter": "filter[query]"}


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
def test_it_refuses_another_content_type(search, content_type):
    assert search("{}", content_type=content_type).status_code == 415


def test_it_costs_the_same_statements_for_every_page(read, search):
    counts = []
    read()  # notes once a minute that the key is in use
    for size in (2, 50):
        FindingFactory.create_batch(size)
        for ask in (lambda: read({"page[limit]": "150"}), lambda: search(page={"limit": 150})):
            with CaptureQueriesContext(connection) as captured:
                assert ask().status_code == 200
            counts.append(len(captured))
    of_the_timeout = 4 if connection.vendor == "postgresql" else 0  # savepoint, time-out, and back
    assert len(set(counts)) == 1
    assert counts[0] == 3 + of_the_timeout


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="it plans otherwise")
def test_it_costs_a_word_one_statement_more_and_keeps_the_order(search):
    words = [FindingFactory(title="a library", first_seen_at=NOON + n * DAY) for n in range(3)]
    FindingFactory(title="a secret")
    counts = []
    for query in ("@severity:high", "library"):
        search(filter=query)
        with CaptureQueriesContext(connection) as captured:
            found = ids(search(filter=query))
        counts.append(len(captured))
    assert found == [finding.finding_id for finding in reversed(words)]
    assert counts[1] == counts[0] + 1


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="only there is a time-out")
def test_it_gives_up_a_search_that_takes_too_long(search, monkeypatch):
    monkeypatch.setattr("findings.api.search_params.SECONDS", 0.001)
    FindingFactory.create_batch(200)
    place = cursor("1795435200000000.1")
    page = search(filter=" ".join(f"@a.b{n}:>1" for n in range(400)), page={"cursor": place})
    assert (page.status_code, page.json()["data"]) == (200, [])
    assert page.json()["meta"]["status"] == "timeout"
    assert page.json()["meta"]["page"] == {"after": place}


def test_it_asks_for_a_key_that_may_read(api, make_key):
    other = {"DD-API-KEY": make_key(Permission.FINDINGS_WRITE)}
    body = {"data": {}}
    for ask in (
        lambda **kw: api.get(URL, **kw),
        lambda **kw: api.post(f"{URL}/search", body, content_type="application/json", **kw),
    ):
        assert ask().status_code == 401
        refused = ask(headers=other)
        assert (refused.status_code, refused.json()["errors"][0]) == (403, "Forbidden")
