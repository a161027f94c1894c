"""Reading JSON reports of any size: one pass tells what a file is, others pick its records.

Pure: reads from an open, seekable, binary file and holds one record at a time in memory.
Events come from ijson, whose yajl backend checks syntax and UTF-8 as it goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, NamedTuple

import ijson

MAX_DEPTH: Final = 100  # SARIF, the deepest of the formats, needs about 20
_NOT_UTF8: Final = "The file is not valid UTF-8."
_UTF8_BOM: Final = b"\xef\xbb\xbf"
_UTF16_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")
_CLOSES: Final = frozenset({"end_map", "end_array"})
_OPENS: Final = frozenset({"start_map", "start_array"})


class RefusedReport(Exception):
    """The file as a whole does not go in; `reason` is one sentence for a person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Outline:
    """What a format is recognised by: the top of the document, without its records."""

    root: str  # "object", "list", "null" or "scalar"
    is_nothing: bool = False  # `[]` or `null`: what several scanners write without findings
    keys: frozenset[str] = frozenset()  # of the root object
    scalars: Mapping[str, Any] = field(default_factory=dict)  # its fields that hold one value
    first: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """For each list of the root object ("" is a root list): the keys of its first object."""


class Record(NamedTuple):
    path: tuple[str | int, ...]
    value: Any

    @property
    def pointer(self) -> str:
        """The JSON pointer of the record in its report."""
        return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in self.path)


def outline(report: BinaryIO) -> Outline:
    """Read the whole report once: its shape, or RefusedReport if any of it is not sound JSON.

    Because a cut file fails here, nothing of it has been recorded when that is found out.
    """
    sketch = _Sketch()
    depth = 0
    for event, value in _events(report):
        if event in _CLOSES:
            depth -= 1
            continue
        if depth < 4:
            sketch.add(depth, event, value)
        if event in _OPENS:
            depth += 1
            if depth > MAX_DEPTH:
                raise RefusedReport(f"The JSON is nested deeper than {MAX_DEPTH} levels.")
    return sketch.finish()


class _Sketch:
    """Collects an Outline from the events near the root."""

    def __init__(self) -> None:
        self.root = "scalar"
        self.is_empty = True
        self.scalars: dict[str, Any] = {}
        self.first: dict[str, set[str]] = {}
        self.keys: set[str] = set()
        self.key = ""  # of the root object, being read
        self.element_depth = -1  # of the elements of the list being read
        self.objects = 0  # begun in that list

    def add(self, depth: int, event: str, value: Any) -> None:
        if depth == 0:
            self.root = _ROOTS.get(event, "scalar")
            self._begin_list(event, 1)
        elif depth == 1 and self.root == "object":
            self._add_field(event, value)
        elif depth == self.element_depth:
            self.is_empty = False
            self.objects += event == "start_map"
        elif event == "map_key" and depth == self.element_depth + 1 and self.objects == 1:
            self.first[self.key].add(value)

    def _add_field(self, event: str, value: Any) -> None:
        if event == "map_key":
            self.key = value
            self.element_depth = -1
            if len(self.keys) < _MAX_KEYS:
                self.keys.add(value)
        elif self.key in self.keys:
            if event not in _OPENS:
                self.scalars[self.key] = value
            self._begin_list(event, 2)

    def _begin_list(self, event: str, element_depth: int) -> None:
        if event == "start_array":
            self.first[self.key] = set()
            self.element_depth = element_depth
            self.objects = 0

    def finish(self) -> Outline:
        is_nothing = self.root == "null" or (self.root == "list" and self.is_empty)
        first = {name: frozenset(keys) for name, keys in self.first.items()}
        return Outline(self.root, is_nothing, frozenset(self.keys), self.scalars, first)


_ROOTS: Final = {"start_map": "object", "start_array": "list", "null": "null"}
_MAX_KEYS: Final = 1_000  # of a root object; no report comes near


def records(report: BinaryIO, *patterns: str) -> Iterator[Record]:
    """What lies at the patterns, in the order of the file, with its path.

    A pattern is a JSON pointer in which `*` stands for any index: "/runs/*/results/*".
    One pattern never lies inside another.
    """
    tree = _tree(patterns)
    node: _Tree | None = tree
    path: list[str | int] = []
    above: list[_Tree | None] = []  # the nodes of the containers around
    events = _events(report)
    for event, value in events:
        if event == "map_key":
            path[-1] = value
            continue
        if event in _CLOSES:
            path.pop()
            node = above.pop()
            continue
        if path and isinstance(path[-1], int):
            path[-1] += 1
        here = node and node.get(_step(path[-1])) if path else node
        if here is not None and not here:
            yield Record(tuple(path), _build(event, value, events))
        elif event in _OPENS:
            path.append(-1 if event == "start_array" else "")
            above.append(node)
            node = here


class _Tree(dict[str | int, "_Tree"]):
    """The steps of the patterns; a leaf (empty) is where a record lies."""


_ANY_INDEX: Final = 0


def _step(step: str | int) -> str | int:
    return _ANY_INDEX if isinstance(step, int) else step


def _tree(patterns: Sequence[str]) -> _Tree:
    root = _Tree()
    for pattern in patterns:
        node = root
        for step in pattern.split("/")[1:]:
            node = node.setdefault(_ANY_INDEX if step == "*" else step, _Tree())
    return root


def _build(event: str, value: Any, events: Iterator[tuple[str, Any]]) -> Any:
    """The value that begins with this event; takes its further events. Not recursive."""
    if event not in _OPENS:
        return value
    root: Any = {} if event == "start_map" else []
    open_containers = [root]
    key = ""
    for inner, content in events:
        if inner in _CLOSES:
            open_containers.pop()
            if not open_containers:
                break
            continue
        if inner == "map_key":
            key = content
            continue
        new: Any = {} if inner == "start_map" else [] if inner == "start_array" else content
        container = open_containers[-1]
        if isinstance(container, list):
            container.append(new)
        else:
            container[key] = new
        if inner in _OPENS:
            open_containers.append(new)
    return root


def _events(report: BinaryIO) -> Iterator[tuple[str, Any]]:
    report.seek(0)
    start = report.read(3)
    if not start:
        raise RefusedReport("The file is empty.")
    if start.startswith(_UTF16_BOMS):
        raise RefusedReport("The file is UTF-16; save it as UTF-8.")
    if start.startswith(b"PK"):
        raise RefusedReport("The file is a zip archive; send the report itself, or gzip it.")
    report.seek(3 if start == _UTF8_BOM else 0)
    try:
        # use_float: numbers are read by yajl. Otherwise ijson hands them to Python, whose refusal
        # of one with over 4,300 digits crashes the interpreter in ijson 3.6.
        yield from ijson.basic_parse(report, use_float=True)
    except ijson.JSONError as error:
        raise RefusedReport(_why(error)) from None
    except UnicodeDecodeError:  # what yajl lets pass and Python does not, as an overlong form
        raise RefusedReport(_NOT_UTF8) from None


def _why(error: ijson.JSONError) -> str:
    """A sentence without the excerpt that yajl adds: it may hold a secret."""
    message = error.args[0] if error.args else ""
    text = message.decode(errors="replace") if isinstance(message, bytes) else str(message)
    if "premature EOF" in text:
        return "The file ends in the middle of its JSON: it was cut off."
    if "overflow" in text:
        return "The JSON holds a number beyond 64 bits."
    if "UTF8" in text:
        return _NOT_UTF8
    return "The file is not JSON."
