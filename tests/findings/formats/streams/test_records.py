from __future__ import annotations

import json
import tracemalloc
from io import BytesIO

import pytest

from findings.formats.streams.csv_stream import rows
from findings.formats.streams.json_lines import documents
from findings.formats.streams.records import outline, records
from findings.formats.streams.xml_stream import elements


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


def test_it_sketches_json_lines_by_the_first_document_and_all_kinds():
    sketch = outline(BytesIO(b'{"config": {"a": 1}}\n{"osv": {}}\n\n{"finding": [1]} {"osv": 2}'))
    assert (sketch.syntax, sketch.root, sketch.keys) == ("json-lines", "lines", set())
    assert sketch.first == {"": {"config"}}
    assert sketch.kinds == {"config", "osv", "finding"}


def test_it_knows_json_lines_of_a_single_line_by_their_kinds():
    sketch = outline(BytesIO(b'{"template-id": "a", "info": {}}\n'))
    assert (sketch.syntax, sketch.kinds) == ("json", {"template-id", "info"})


def test_it_yields_one_document_after_another():
    report = BytesIO(b'\xef\xbb\xbf{"a": [1]}\n{\n"b":\n2}\n{"c": {}}')
    found = [(each.pointer, each.value) for each in documents(report)]
    assert found == [("/0", {"a": [1]}), ("/1", {"b": 2}), ("/2", {"c": {}})]


ZAP = b"""<?xml version="1.0"?>
<z:report xmlns:z="urn:zap" version="2"><meta><note>n</note></meta>
<site name="a"><alerts><item id="1"><name>x</name></item><item id="2"/></alerts></site>
<site name="b"><other/><alerts><item id="3"><item id="4"/></item></alerts></site></z:report>"""


def test_it_sketches_xml_by_its_root():
    sketch = outline(BytesIO(ZAP))
    assert (sketch.syntax, sketch.root_tag, sketch.namespace) == ("xml", "report", "urn:zap")
    assert (sketch.root_attributes, sketch.keys) == ({"version": "2"}, {"meta", "site"})


def test_it_yields_elements_with_what_is_around_them():
    found = [
        (position, pointer, element.get("id"), [each.get("name") for each in above])
        for position, pointer, element, above in elements(BytesIO(ZAP), "report/site/alerts/item")
    ]
    assert found == [
        (0, "/report/site[1]/alerts[1]/item[1]", "1", [None, "a", None]),
        (1, "/report/site[1]/alerts[1]/item[2]", "2", [None, "a", None]),
        (2, "/report/site[2]/alerts[1]/item[1]", "3", [None, "b", None]),
    ]


def test_it_yields_the_elements_of_several_patterns_in_the_order_of_the_file():
    found = elements(BytesIO(ZAP), "report/meta", "report/site/alerts/item")
    assert [(each.position, each.element.tag) for each in found] == [
        (0, "meta"), (0, "item"), (1, "item"), (2, "item"),
    ]  # fmt: skip
    (meta,) = (each.element.findtext("note") for each in elements(BytesIO(ZAP), "report/meta"))
    assert meta == "n"


@pytest.mark.parametrize("mark", [b",", b";", b"\t"])
def test_it_reads_rows_under_their_columns(mark):
    lines = (b"\xef\xbb\xbfid", b' name ,note\r\n1,"a\r\nb,;\t",x\r\n\r\n2\r\n3,c,y,more\r\n')
    report = BytesIO(b",".join(lines).replace(b",", mark).replace(b"b" + mark, b"b,"))
    assert outline(report).columns == ("id", "name", "note")
    assert [(each.pointer, list(each.cells.values())) for each in rows(report)] == [
        ("/rows/0", ["1", "a\r\nb,;\t", "x"]),
        ("/rows/1", ["2", "", ""]),
        ("/rows/2", ["3", "c", "y"]),
    ]


def _large_json() -> BytesIO:
    return BytesIO(b"\n".join([b'{"a": "%s"}' % (b"x" * 2_000)] * 5_000))


def _large_xml() -> BytesIO:
    item = b"<item a='1'><b>%s</b><c/></item>" % (b"x" * 2_000)
    return BytesIO(b"<r><list>%s</list></r>" % (item * 5_000))


def _large_csv() -> BytesIO:
    return BytesIO(b"a,b\n" + b"1,%s\n" % (b"x" * 2_000) * 5_000)


@pytest.mark.parametrize(
    ("report", "read"),
    [
        (_large_json, documents),
        (_large_xml, lambda report: elements(report, "r/list/item")),
        (_large_xml, lambda report: list(elements(report, "r/other")) or range(5_000)),
        (_large_csv, rows),
    ],
    ids=["lines", "xml", "xml-skipped", "csv"],
)
def test_it_holds_one_record_of_any_syntax_at_a_time(report, read):
    file = report()
    tracemalloc.start()
    try:
        outline(file)
        assert sum(1 for _ in read(file)) == 5_000
        assert tracemalloc.get_traced_memory()[1] < 1024 * 1024  # of a report of 10 MB
    finally:
        tracemalloc.stop()
