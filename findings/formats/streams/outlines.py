"""What a file looks like before anybody knows which report it is, and why it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Syntax = Literal["json", "json-lines", "xml", "csv"]
LABELS: Final[Mapping[Syntax, str]] = {
    "json": "JSON",
    "json-lines": "JSON lines",
    "xml": "XML",
    "csv": "CSV",
}
NOT_JSON: Final = "The file is not JSON."
NOT_UTF8: Final = "The file is not valid UTF-8."


class RefusedReport(Exception):
    """The file as a whole does not go in; `reason` is one sentence for a person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Outline:
    """What a format is recognised by: the top of the document, without its records.

    What belongs to another syntax is empty, so a test of `columns` alone says that it is CSV.
    """

    root: str = ""  # of JSON: "object", "list", "null" or "scalar"; of JSON lines: "lines"
    syntax: Syntax = "json"
    is_nothing: bool = False  # `[]` or `null`: what several scanners write without findings
    is_without_records: bool = False  # `{"results": [], "errors": []}`: several scanners' word
    keys: frozenset[str] = frozenset()  # of a JSON root object; children of an XML root element
    scalars: Mapping[str, Any] = field(default_factory=dict)  # its fields that hold one value
    names: Mapping[str, str] = field(default_factory=dict)  # of its fields that have a `name`
    first: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """For each list of the root object ("" is a root list): the keys of its first object.
    Of JSON lines "" is the first document."""
    kinds: frozenset[str] = frozenset()
    """The keys of the first fifty documents of JSON lines. A file of one document is JSON, and
    has the same `kinds`: a report that happens to hold one line is recognised by them, too."""
    root_tag: str = ""  # of XML, without its namespace
    namespace: str = ""  # of the root element
    root_attributes: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[str, ...] = ()  # of CSV: the header, outer space taken off
    heads: tuple[tuple[str, ...], ...] = ()  # of CSV: the first rows, of which one is the header
