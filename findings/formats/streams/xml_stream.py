"""Reading XML reports of any size, with nothing in memory but the element at hand.

A document type may be named, and is never fetched; a file that declares one of its own, and so any
entity, is refused. Names are given without their namespaces: a report is recognised by its root's,
and read by local names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, NamedTuple, cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

from defusedxml.common import DefusedXmlException, DTDForbidden
from defusedxml.ElementTree import DefusedXMLParser

from findings.formats.streams.outlines import Outline, RefusedReport

MAX_DEPTH: Final = 100
MAX_TOKEN: Final = 1024 * 1024  # bytes; one of 11 MB took 14 s, the largest of a report has some kB
_CHUNK: Final = 64 * 1024
_MAX_KEYS: Final = 1_000  # children of a root with a name of their own; no report comes near
_ENDS_EARLY: Final = frozenset({3, 5, 6, 20})  # expat: no element, unclosed token, character, CDATA


class XmlRecord(NamedTuple):
    position: int  # among the records of its pattern, from 0
    pointer: str  # an XPath: "/OWASPZAPReport/site[1]/alerts[1]/alertitem[3]"
    element: Element
    above: tuple[Element, ...]
    """The elements around it, the root first: their tags and attributes, not their children."""


def elements(report: BinaryIO, *patterns: str) -> Iterator[XmlRecord]:
    """The elements at the patterns ("site/alerts/alertitem", the root first), as they end.

    One pattern never lies inside another. An element is good until the next one is asked for.
    """
    wanted = {tuple(pattern.strip("/").split("/")) for pattern in patterns}
    found: Counter[tuple[str, ...]] = Counter()
    depths = {len(path) for path in wanted}
    walk = _Walk()
    inside = 0  # depth of the record being read; 0: none
    for event, element in _events(report):
        if event == "start":
            walk.enter(element)
            if not inside and walk.depth in depths and walk.path in wanted:
                inside = walk.depth
            continue
        if inside == walk.depth:
            inside = 0
            path = walk.path
            yield XmlRecord(found[path], walk.pointer, element, tuple(walk.above[:-1]))
            found[path] += 1
        walk.leave(element, keep=bool(inside))


def xml_outline(report: BinaryIO) -> Outline:
    """The root element and its children's names; RefusedReport if any of it is not sound XML."""
    walk = _Walk()
    root: Element | None = None
    namespace = ""
    attributes: dict[str, str] = {}
    keys: set[str] = set()
    for event, element in _events(report):
        if event == "end":
            walk.leave(element, keep=False)
            continue
        if root is None:
            root, namespace, attributes = element, _namespace(element.tag), dict(element.attrib)
        walk.enter(element)
        if walk.depth == 2 and len(keys) < _MAX_KEYS:
            keys.add(element.tag)
    tag = root.tag if root is not None else ""
    return Outline(
        syntax="xml",
        keys=frozenset(keys),
        root_tag=tag,
        namespace=namespace,
        root_attributes=attributes,
    )


def root_tag(report: BinaryIO) -> str:
    """The name of the root element, of which no more is read."""
    return next((element.tag.rpartition("}")[2] for _, element in _events(report)), "")


class _Walk:
    """Where in the document we are; frees what has been read."""

    def __init__(self) -> None:
        self.above: list[Element] = []
        self._steps: list[str] = []
        self._siblings: list[dict[str, int]] = [{}]

    @property
    def depth(self) -> int:
        return len(self.above)

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(element.tag for element in self.above)

    @property
    def pointer(self) -> str:
        return "/" + "/".join(self._steps)

    def enter(self, element: Element) -> None:
        element.tag = tag = element.tag.rpartition("}")[2]
        siblings = self._siblings[-1]
        siblings[tag] = nth = siblings.get(tag, 0) + 1
        self._steps.append(f"{tag}[{nth}]" if self._steps else tag)
        self._siblings.append({})
        self.above.append(element)
        if len(self.above) > MAX_DEPTH:
            raise RefusedReport(f"The XML is nested deeper than {MAX_DEPTH} levels.")

    def leave(self, element: Element, *, keep: bool) -> None:
        self.above.pop()
        self._steps.pop()
        self._siblings.pop()
        if not keep and self.above:
            self.above[-1].remove(element)  # the first child: those before it are gone


def _namespace(tag: str) -> str:
    return tag[1:].partition("}")[0] if tag.startswith("{") else ""


def _read(pull: XMLPullParser[Any]) -> Iterator[tuple[str, Element]]:
    """As `start` and `end` were asked for, no other events come."""
    return cast(Iterator[tuple[str, Element]], pull.read_events())


def _refuse_own_type(name: str, system: str | None, public: str | None, has_own: int) -> None:
    """Lets `<!DOCTYPE SCAN SYSTEM "https://…/scan.dtd">` pass: expat reads no external subset.

    An internal one is refused whole: without entities it could still give each element an
    attribute of a megabyte by default.
    """
    if has_own:
        raise DTDForbidden(name, system, public)


def _events(report: BinaryIO) -> Iterator[tuple[str, Element]]:
    report.seek(0)
    parser = DefusedXMLParser()  # no entities, nothing external
    parser.parser.StartDoctypeDeclHandler = _refuse_own_type
    pull = XMLPullParser(("start", "end"), _parser=parser)
    try:
        while chunk := report.read(_CHUNK):
            pull.feed(chunk)
            yield from _read(pull)
            # expat before 2.6 looks at a token from its start again for each chunk that it spans.
            if report.tell() - parser.parser.CurrentByteIndex > MAX_TOKEN:
                line = parser.parser.CurrentLineNumber
                raise RefusedReport(
                    f"The XML has a tag of more than {MAX_TOKEN:,} bytes in line {line:,}."
                )
        pull.close()
        yield from _read(pull)
    except DefusedXmlException:
        reason = "The XML declares entities or a document type of its own, which are not read."
        raise RefusedReport(reason) from None
    except ParseError as error:
        if error.code in _ENDS_EARLY:
            raise RefusedReport("The file ends in the middle of its XML: it was cut off.") from None
        raise RefusedReport(f"The file is not XML from line {error.position[0]:,} on.") from None
    except (LookupError, UnicodeError, ValueError):  # the encoding that its first line names
        raise RefusedReport("The XML is in an encoding that is not read; use UTF-8.") from None
