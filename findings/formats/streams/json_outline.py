"""The outline of a JSON document, or of JSON lines, after one pass through all of it."""

from __future__ import annotations

from typing import Any, BinaryIO, Final

from findings.formats.streams.json_events import CLOSES, OPENS, events
from findings.formats.streams.outlines import NOT_JSON, Outline, RefusedReport

MAX_DEPTH: Final = 100  # SARIF, the deepest of the formats, needs about 20
_ROOTS: Final = {"start_map": "object", "start_array": "list", "null": "null"}
_MAX_KEYS: Final = 1_000  # of a root object; no report comes near
_DOCUMENTS: Final = 50  # of JSON lines, whose keys are collected


def json_outline(report: BinaryIO) -> Outline:
    """The shape of the report, or RefusedReport if any of it is not sound JSON.

    Because a cut file fails here, nothing of it has been recorded when that is found out.
    """
    sketch = _Sketch()
    depth = 0
    for event, value in events(report, several=True):
        if event in CLOSES:
            depth -= 1
            continue
        if depth < 4:
            sketch.add(depth, event, value)
        if event in OPENS:
            depth += 1
            if depth > MAX_DEPTH:
                raise RefusedReport(f"The JSON is nested deeper than {MAX_DEPTH} levels.")
    return sketch.finish()


class _Sketch:
    """Collects an Outline from the events near the root."""

    def __init__(self) -> None:
        self.root = "scalar"
        self.documents = 0
        self.is_empty = True
        self.scalars: dict[str, Any] = {}
        self.first: dict[str, set[str]] = {}
        self.keys: set[str] = set()
        self.kinds: set[str] = set()
        self.names: dict[str, str] = {}
        self.key = ""  # of the root object, being read
        self.inner_key = ""
        self.element_depth = -1  # of the elements of the list being read
        self.objects = 0  # begun in that list

    def add(self, depth: int, event: str, value: Any) -> None:
        if depth == 0:
            self._begin_document(event)
        elif self.documents > 1:
            self._add_kind(depth, event, value)
        elif depth == 1 and self.root == "object":
            self._add_field(event, value)
        elif depth == self.element_depth:
            self.is_empty = False
            self.objects += event == "start_map"
        elif event == "map_key" and depth == self.element_depth + 1 and self.objects == 1:
            self.first[self.key].add(value)
        elif depth == 2 and self.element_depth != 2:
            self._add_name(event, value)

    def _begin_document(self, event: str) -> None:
        self.documents += 1
        if self.documents == 1:
            self.root = _ROOTS.get(event, "scalar")
            self._begin_list(event, 1)
        elif self.root != "object" or event != "start_map":
            raise RefusedReport(NOT_JSON)  # of several documents all are objects

    def _add_kind(self, depth: int, event: str, value: Any) -> None:
        wanted = self.documents <= _DOCUMENTS and len(self.kinds) < _MAX_KEYS
        if depth == 1 and event == "map_key" and wanted:
            self.kinds.add(value)

    def _add_field(self, event: str, value: Any) -> None:
        if event == "map_key":
            self.key = value
            self.element_depth = -1
            if len(self.keys) < _MAX_KEYS:
                self.keys.add(value)
        elif self.key in self.keys:
            if event not in OPENS:
                self.scalars[self.key] = value
            self._begin_list(event, 2)

    def _add_name(self, event: str, value: Any) -> None:
        """Of an object that is a field of the root: what its `name` says."""
        if event == "map_key":
            self.inner_key = value
        elif self.inner_key == "name" and isinstance(value, str) and self.key in self.keys:
            self.names[self.key] = value

    def _begin_list(self, event: str, element_depth: int) -> None:
        if event == "start_array":
            self.first[self.key] = set()
            self.element_depth = element_depth
            self.objects = 0

    @property
    def is_without_records(self) -> bool:
        lists = {"results", "errors"}
        return self.keys == lists == self.first.keys() and self.is_empty

    def finish(self) -> Outline:
        kinds = frozenset(self.keys | self.kinds)
        if self.documents > 1:
            first = {"": frozenset(self.keys)}
            return Outline("lines", "json-lines", first=first, kinds=kinds)
        return Outline(
            self.root,
            is_nothing=self.root == "null" or (self.root == "list" and self.is_empty),
            is_without_records=self.is_without_records,
            keys=frozenset(self.keys),
            scalars=self.scalars,
            names=self.names,
            first={name: frozenset(keys) for name, keys in self.first.items()},
            kinds=kinds,
        )
