"""What every address under /api/v2/ has in common."""

from __future__ import annotations

import re

import msgspec
import pytest
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from config.accounts.roles import Permission
from config.lib.datadog_api.documents import MAX_DEPTH, NO_DATA, check_type, read_document
from config.lib.datadog_api.missing import MISSING
from config.lib.datadog_api.paging import page_links, read_page
from config.lib.jsonapi import ApiError
from tests.house.tree import ROOT

JSON_API = "application/vnd.api+json"


class Attributes(msgspec.Struct):
    name: str
    fields: dict[str, object] | None = None
    tags: list[str] = []


class Resource(msgspec.Struct):
    type: str
    attributes: Attributes


class Document(msgspec.Struct):
    data: list[Resource]


def read(body: bytes | str, content_type: str = "application/json") -> Document:
    request = APIRequestFactory().generic("POST", "/", body, content_type)
    return read_document(Request(request), Document, limit=10_000)


def refused(body, **kwargs) -> tuple[int, str, str | None]:
    with pytest.raises(ApiError) as raised:
        read(body, **kwargs)
    error = raised.value.errors[0]
    return raised.value.status_code, error["detail"], error.get("source", {}).get("pointer")


def body(attributes: str) -> str:
    return f'{{"data": [{{"type": "t", "attributes": {attributes}}}]}}'


def test_it_reads_a_document_and_ignores_what_it_does_not_know():
    document = read(body('{"name": "x", "later": [1], "fields": {"a": {"b": null}}}'))
    assert document.data[0].attributes.fields == {"a": {"b": None}}


def test_it_takes_null_for_what_is_optional():
    assert read(body('{"name": "x", "fields": null}')).data[0].attributes.fields is None


@pytest.mark.parametrize(
    ("attributes", "detail", "pointer"),
    [
        ("{}", "`name` is required.", "/data/0/attributes/name"),
        ('{"name": 1}', "Expected `str`, got `int`.", "/data/0/attributes/name"),
        (
            '{"name": "x", "tags": ["a", 2]}',
            "Expected `str`, got `int`.",
            "/data/0/attributes/tags/1",
        ),
        ('{"name": "\\u0000"}', "A text may not hold NUL (\\u0000).", "/data/0/attributes/name"),
        (
            '{"name": "x", "fields": {"a/b": ["\\u0000"]}}',
            "A text may not hold NUL (\\u0000).",
            "/data/0/attributes/fields/a~1b/0",
        ),
    ],
)
def test_it_points_at_the_member_at_fault(attributes, detail, pointer):
    assert refused(body(attributes)) == (400, detail, pointer)


@pytest.mark.parametrize("sent", ["{}", '{"meta": {}}', "", "  "])
def test_it_says_that_a_document_without_data_is_missing_members(sent):
    assert refused(sent) == (400, NO_DATA, None)


@pytest.mark.parametrize("sent", ["{", "nul", "[1,", b"\xff", '{"data": NaN}', '"\\ud800"'])
def test_it_refuses_what_is_not_json(sent):
    assert refused(sent)[0] == 400


@pytest.mark.parametrize("levels", [MAX_DEPTH, 100_000])
def test_it_refuses_what_nests_too_deep(levels):
    deep = f'{{"name": "x", "fields": {{"a": {"[" * levels}{"]" * levels}}}}}'
    request = APIRequestFactory().generic("POST", "/", body(deep), "application/json")
    with pytest.raises(ApiError) as raised:
        read_document(Request(request), Document)
    assert "levels may nest" in raised.value.errors[0]["detail"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_it_refuses_another_content_type(content_type):
    request = APIRequestFactory().generic("POST", "/", body("{}"), content_type)
    with pytest.raises(UnsupportedMediaType):
        read_document(Request(request), Document)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", JSON_API])
def test_it_accepts_both_content_types(content_type):
    assert read(body('{"name": "x"}'), content_type).data[0].attributes.name == "x"


def test_it_refuses_a_body_beyond_the_limit():
    assert refused(body(f'{{"name": "{"x" * 10_000}"}}'))[0] == 413


def test_it_names_the_type_that_is_expected():
    with pytest.raises(ApiError) as raised:
        check_type("userx", "user", pointer="/data/type")
    assert raised.value.errors[0]["detail"] == 'got type "userx" expected one of "user"'


def asked(query: str = "") -> Request:
    return Request(APIRequestFactory().get(f"/api/v2/things{query}"))


def links(query: str, total: int) -> dict[str, str]:
    request = asked(query)
    return page_links(request, read_page(request, default=1000, most=1000), total=total)


def test_it_links_with_brackets_as_they_are():
    only = "/api/v2/things?page[size]=1000&page[number]=0"
    assert links("", 3) == links("", 0) == {"first": only, "last": only}


def test_it_links_to_the_pages_around():
    found = links("?filter=a%20b%26c&page[size]=10&page[number]=1", 25)
    start = "/api/v2/things?filter=a%20b%26c&page[size]=10&page[number]="
    assert found == {
        name: f"{start}{n}"
        for name, n in zip(("first", "last", "next", "prev"), (0, 2, 2, 0), strict=True)
    }


def test_it_leads_back_from_beyond_the_end():
    found = links("?page[size]=10&page[number]=99", 25)
    assert found["prev"] == found["last"]
    assert "next" not in found


@pytest.mark.parametrize(
    "query",
    ["page[size]=0", "page[size]=1001", "page[size]=x", "page[size]=", "page[number]=-1",
     "page[number]=1e3", "page[number]=99999999999999999999", "page[size]=%D9%A1"],
)  # fmt: skip
def test_it_refuses_a_page_that_is_none(query):
    with pytest.raises(ApiError) as raised:
        links(f"?{query}", 0)
    assert raised.value.status_code == 400
    assert raised.value.errors[0]["source"]["parameter"] == query.partition("=")[0]


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/cases/x/y/z", "/security/findings/"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
@pytest.mark.django_db
def test_it_answers_404_in_shape_where_there_is_nothing(api, method, path):
    answer = getattr(api, method)(f"/api/v2{path}")
    assert (answer.status_code, answer["Content-Type"]) == (404, JSON_API)
    [error] = answer.json()["errors"]
    assert (error["status"], error["title"]) == ("404", "Not Found")


@pytest.mark.parametrize("row", MISSING, ids=lambda row: f"{row.method} {row.path}")
@pytest.mark.django_db
def test_it_says_what_to_use_instead_of_an_operation_that_is_not_built(api, make_key, row):
    """And none of the table is built: whoever builds one takes its row out."""
    path = row.path.replace("{", "").replace("}", "")
    headers = {"DD-API-KEY": make_key(*Permission)}
    answer = api.generic(row.method, path, "{}", "application/json", headers=headers)
    assert (answer.status_code, answer["Content-Type"]) == (404, JSON_API)
    [error] = answer.json()["errors"]
    assert (error["status"], error["title"]) == ("404", "Not Found")
    assert row.instead in error["detail"]


DOCUMENT = ROOT / "automation" / "api" / "README.md"


def test_it_lists_in_the_documents_what_is_not_built():
    """Each row of the table is under an address that is listed, and each of these has a row."""
    _, _, table = DOCUMENT.read_text().partition("## What is not built")
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    listed = [address for row in rows for address in re.findall(r"`(/[^`]+)`", row)]
    missing = {re.sub(r"{\w+}", "{}", row.path) for row in MISSING}
    assert [path for path in missing if not path.startswith(tuple(listed))] == []
    assert [each for each in listed if not any(path.startswith(each) for path in missing)] == []
