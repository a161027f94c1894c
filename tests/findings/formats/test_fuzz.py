"""Whatever a file holds: findings, rejected records or a refusal, never anything else."""

from __future__ import annotations

import copy
import json
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from findings.formats.normalised import Normalised, Rejected
from findings.formats.stream import RefusedReport
from tests.findings.formats.conftest import JSON_SAMPLES, SAMPLES, outcomes

REPORTS = [path.read_bytes() for path in sorted(SAMPLES.iterdir())]
JSON_REPORTS = [path.read_bytes() for path in JSON_SAMPLES]
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


@FUZZ
@given(JSON)
def test_it_survives_any_json(value):
    _read(json.dumps(value).encode())
