"""Whatever a file holds: findings, rejected records or a refusal, never anything else."""

from __future__ import annotations

import copy
import json
from datetime import timedelta

from defusedxml.ElementTree import fromstring, tostring
from hypothesis import given, settings
from hypothesis import strategies as st

from findings.formats.normalised import Normalised, Rejected
from findings.formats.streams.records import RefusedReport
from tests.findings.formats.conftest import JSON_SAMPLES, SAMPLES, outcomes

REPORTS = [path.read_bytes() for path in sorted(SAMPLES.iterdir())]
JSON_REPORTS = [path.read_bytes() for path in JSON_SAMPLES]
XML_REPORTS = [path.read_bytes() for path in sorted(SAMPLES.glob("*.xml"))]
CSV_REPORTS = [path.read_bytes() for path in sorted(SAMPLES.glob("*.csv"))]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(["\0", "CVE-2024-1", "9.9", "{0}", "\ud800", "x" * 5_000, 10**30, 1e308]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
FUZZ = settings(max_examples=150, deadline=timedelta(seconds=2))


def _read(report: bytes) -> None:
    try:
        found = outcomes(report)
    except RefusedReport:
        return
    assert all(isinstance(each, Normalised | Rejected) for each in found)


@FUZZ
@given(st.data())
def test_it_survives_changed_bytes(data):
    report = bytearray(data.draw(st.sampled_from(REPORTS)))
    for _ in range(data.draw(st.integers(1, 5))):
        start = data.draw(st.integers(0, len(report) - 1))
        end = start + data.draw(st.integers(0, 40))
        report[start:end] = data.draw(st.binary(max_size=10))
    _read(bytes(report))


@FUZZ
@given(st.data())
def test_it_survives_changed_values(data):
    report = json.loads(data.draw(st.sampled_from(JSON_REPORTS)))
    for _ in range(data.draw(st.integers(1, 4))):
        _change(data, report)
    _read(json.dumps(report).encode())


def _change(data: st.DataObject, value: dict | list) -> None:
    """Put something else, a copy of a neighbour, or nothing, somewhere below `value`."""
    while isinstance(value, dict | list) and value:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = data.draw(st.sampled_from(keys))
        if isinstance(value[key], dict | list) and value[key] and data.draw(st.integers(0, 3)):
            value = value[key]
            continue
        what = data.draw(st.sampled_from(["other", "copy", "nothing"]))
        if what == "nothing":
            del value[key]
        else:
            neighbour = copy.deepcopy(value[data.draw(st.sampled_from(keys))])
            value[key] = data.draw(JSON) if what == "other" else neighbour
        return


TEXT = st.sampled_from(["", "\ufffe", "CVE-2024-1", "-1", "1e999", "{0}", "x" * 5_000, "<b>&</b>"])


@FUZZ
@given(st.data())
def test_it_survives_changed_elements(data):
    root = fromstring(data.draw(st.sampled_from(XML_REPORTS)))
    for _ in range(data.draw(st.integers(1, 4))):
        parent = data.draw(st.sampled_from(list(root.iter())))
        match data.draw(st.sampled_from(["text", "tag", "attribute", "twice", "nothing"])):
            case "text":
                parent.text = data.draw(TEXT)
            case "tag":
                parent.tag = data.draw(st.sampled_from([root.tag, "name", "a"]))
            case "attribute":
                parent.set(data.draw(st.sampled_from(["name", "ref", "id"])), "x")
            case "twice" if len(parent):
                parent.append(copy.deepcopy(parent[0]))
            case "nothing" if len(parent):
                parent.remove(parent[0])
    _read(tostring(root))


@FUZZ
@given(st.data())
def test_it_survives_changed_cells(data):
    table = data.draw(st.sampled_from(CSV_REPORTS)).decode()
    separator = data.draw(st.sampled_from([",", ";"]))
    rows = [row.split(separator) for row in table.splitlines()]
    for _ in range(data.draw(st.integers(1, 5))):
        row = data.draw(st.sampled_from(rows))
        row[data.draw(st.integers(0, len(row) - 1))] = data.draw(TEXT)
    _read("\n".join(map(separator.join, rows)).encode())


@FUZZ
@given(JSON)
def test_it_survives_any_json(value):
    _read(json.dumps(value).encode())
