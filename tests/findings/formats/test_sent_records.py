"""What is read at once is read as `normalise` reads it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.formats.normalised import FIELDS, normalise
from findings.formats.sent_records import SentFinding, read
from findings.formats.storable import MAX_ATTRIBUTES_DEPTH, MAX_INTEGER

LATEST = datetime(2030, 1, 1, tzinfo=UTC)
TOKEN = "ghp_" + "0000notARealToken00000000000000000000"
PLAIN = {
    "finding_type": "library_vulnerability",
    "title": "A",
    "severity": "low",
    "resource_id": "r",
}
words = st.sampled_from(["", " ", "a", " a ", "é", "\0", "\ud800", "a\nb", TOKEN, "x" * 1_001])
numbers = st.sampled_from([0, True, 1.5, -MAX_INTEGER, MAX_INTEGER, MAX_INTEGER + 1, 10**30])
values = st.recursive(
    st.none() | words | numbers,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)
GIVEN = {
    "finding_type": st.sampled_from(["secret", "SECRET", "host_vulnerability", "x"]) | values,
    "severity": st.sampled_from(["high", "High", "x"]) | values,
    "title": words | values,
    "resource_id": words | values,
    "description": words | values,
    "resource_name": words | values,
    "resource_type": st.sampled_from(["host", "container_image"]) | values,
    "tags": st.lists(st.sampled_from(["a:b", " a:b", "b:é", "x", "k:", f"k:{TOKEN}"])) | values,
    "attributes": st.dictionaries(words, values, max_size=3) | values,
    "fingerprint": words | values,
    "first_seen_at": st.sampled_from(["2026-01-02", 1, -1, "2031-01-01"]) | values,
    "former_fingerprints": values,
    "no such field": values,
}


def nested(depth):
    return {"a": nested(depth - 1)} if depth else 1


def same(record, **how):
    text = json.dumps(record, **how).encode()
    found = read(text, latest=LATEST)
    if found is not None:  # as text: True is no 1
        expected = normalise(msgspec.json.decode(text), position=0, latest=LATEST)
        assert repr(found) == repr(expected)
    return found


def test_it_knows_the_fields_that_a_sender_may_give():
    assert set(SentFinding.__struct_fields__) == FIELDS


@given(st.fixed_dictionaries({}, optional=GIVEN).map(lambda fields: PLAIN | fields))
def test_it_reads_what_normalise_reads(record):
    same(record)
    if "\\ud800" not in json.dumps(record):  # which UTF-8 cannot say
        same(record, ensure_ascii=False)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"tags": ["b:c", "a:b", "a:b"], "attributes": {"a": [1, {"b": "é"}]}, "title": " A\n"},
        {"description": f"curl -H 'Authorization: Bearer {TOKEN}'", "finding_type": "secret"},
        {"attributes": nested(MAX_ATTRIBUTES_DEPTH), "first_seen_at": 1767315845000},
        {"attributes": {"a": MAX_INTEGER, "b": -MAX_INTEGER}, "resource_name": None},
    ],
)
def test_it_reads_at_once(fields):
    assert same(PLAIN | fields, ensure_ascii=False) is not None


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "a\0b"},
        {"attributes": {"a": {"\0": 1}}},
        {"attributes": nested(MAX_ATTRIBUTES_DEPTH + 1)},
        {"attributes": {"a": MAX_INTEGER + 1}},
        {"attributes": {"a": "x" * 70_000}},
        {"attributes": {"a": [1e16] * 5_000}},
        {"title": "x" * 1_001},
        {"title": " "},
        {"tags": ["a"] * 201},
        {"tags": ["no pair"]},
        {"severity": "High"},
        {"former_fingerprints": []},
    ],
)
def test_it_leaves_to_normalise_what_is_not_plain(fields):
    assert same(PLAIN | fields) is None
