from __future__ import annotations

import json
import tracemalloc
from io import BytesIO

import pytest

from findings.formats.stream import outline, records


def _file(value) -> BytesIO:
    return BytesIO(json.dumps(value).encode())


@pytest.mark.parametrize(
    "value",
    [{}, [], "text", 0, -1.5, True, None, {"a": [{"b": [1, [2, {"c": None}]]}, []]}, [[], [[]]]],
)
def test_it_builds_records_as_json_does(value):
    (record,) = records(
        _file({"before": [1], "x": [{"skip": 0}, {"y": value}]}), "/x/1/y", "/x/*/y"
    )
    assert record.value == value
    assert record.pointer == "/x/1/y"


def test_it_yields_the_records_of_several_patterns_in_the_order_of_the_file():
    report = {"runs": [{"tool": 1, "results": [2, 3]}, {"results": [4], "tool": 5}]}
    found = list(records(_file(report), "/runs/*/tool", "/runs/*/results/*"))
    assert [each.value for each in found] == [1, 2, 3, 4, 5]
    assert found[2].pointer == "/runs/0/results/1"


def test_it_escapes_pointers():
    (record,) = records(_file({"b~c": 1}), "/b~c")
    assert record.pointer == "/b~0c"


def test_it_sketches_the_top_of_a_report():
    sketch = outline(
        _file({"version": "1", "runs": [7, {"a": {"b": 1}, "c": [{"d": 1}]}, {"e": 1}]})
    )
    assert (sketch.root, sketch.keys) == ("object", {"version", "runs"})
    assert sketch.scalars == {"version": "1"}
    assert sketch.first == {"runs": {"a", "c"}}


def test_it_sketches_a_list_by_its_first_object():
    assert outline(_file([{"a": 1, "b": {"c": 2}}, {"d": 1}])).first == {"": {"a", "b"}}


def test_it_holds_one_record_at_a_time():
    record = {"ruleId": "R", "message": {"text": "x" * 2_000}}
    report = _file({"runs": [{"results": [record] * 5_000}]})
    tracemalloc.start()
    try:
        outline(report)
        assert sum(1 for _ in records(report, "/runs/*/results/*")) == 5_000
        assert tracemalloc.get_traced_memory()[1] < 1024 * 1024  # of a report of 10 MB
    finally:
        tracemalloc.stop()
