"""ZAP reports, XML and JSON (`traditional-xml`, `traditional-json`, with or without messages).

One finding is one alert at one site, with the places where it was seen. Requests and responses
are not taken: they hold cookies. See docs/zap.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple

from findings.facts import FindingType, Severity
from findings.formats.normalised import Normalised, Rejected, normalise_mapped
from findings.formats.shapes.evidence import Evidence
from findings.formats.shapes.problems import only
from findings.formats.streams import xml_stream
from findings.formats.streams.records import Outline, begins_with, records
from findings.formats.values.addresses import address_of
from findings.formats.values.fields import clip, one_line, tags, text, without_empty
from findings.formats.values.identity import Occurrences, fingerprint
from findings.formats.values.markup import without_markup
from findings.formats.values.sentences import advice_line, plain
from findings.formats.values.xml import listed, values_of

NAME = "zap"
LABEL = "ZAP"

_PLACES = ("/site/*/alerts/*", "/site/alerts/*")  # before 2.8 a single site was no list
_SEVERITIES = {
    "3": Severity.HIGH,
    "2": Severity.MEDIUM,
    "1": Severity.LOW,
    "0": Severity.INFO,
}  # by riskcode
_CONFIDENCES = {"1": "low", "2": "medium", "3": "high", "4": "confirmed"}
_FALSE_POSITIVE = "0"  # confidence
_CWE = re.compile(r"[1-9][0-9]{0,8}")  # 0 and -1 are none
_COOKIE = re.compile(r"(cookie:\s*[^=;\s]+=)[^;\s]+", re.IGNORECASE)
_CREDENTIAL = re.compile(r"(authorization:\s*\w*\s*)\S+", re.IGNORECASE)
_SHOWN = 20  # places


def recognises(outline: Outline) -> bool:
    if outline.syntax == "xml":
        return outline.root_tag == "OWASPZAPReport"
    is_dated = "@generated" in outline.keys or "@programName" in outline.keys
    return outline.root == "object" and is_dated and "site" in outline.keys


def scanner(_report: BinaryIO) -> str:
    return "ZAP"


def target(report: BinaryIO) -> str:
    """The site, if there is one."""
    return only(filter(None, (name for _, name in _sites(report))))


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    occurrences = Occurrences()
    for position, alert in enumerate(_alerts(report)):
        item, pointer = alert.value, alert.pointer
        if not isinstance(item, dict):
            yield Rejected(position, pointer, "Not an object", "An alert is an object.")
        elif not _name(item):
            yield Rejected(position, f"{pointer}/name", "Missing field", "`name` is required.")
        elif text(item, "confidence") != _FALSE_POSITIVE:
            record = _record(item, alert.site)
            record["fingerprint"] = occurrences.name(record["fingerprint"], item)
            if record["fingerprint"]:
                yield normalise_mapped(record, position=position, at=pointer, latest=latest)


class _Alert(NamedTuple):
    site: str
    pointer: str
    value: Any


def _alerts(report: BinaryIO) -> Iterator[_Alert]:
    if begins_with(report, b"<"):
        for found in xml_stream.elements(report, "OWASPZAPReport/site/alerts/alertitem"):
            site = found.above[1].get("name", "")
            yield _Alert(site, found.pointer, values_of(found.element))
        return
    sites = dict(_sites(report))
    for record in records(report, *_PLACES):
        site = sites.get(record.pointer.rpartition("/alerts/")[0], "")
        yield _Alert(site, record.pointer, record.value)


def _sites(report: BinaryIO) -> Iterator[tuple[str, str]]:
    """Pointer and name of each site of JSON; of XML the name again with each alert."""
    if begins_with(report, b"<"):
        for found in xml_stream.elements(report, "OWASPZAPReport/site/alerts/alertitem"):
            yield found.pointer, found.above[1].get("name", "")
        return
    for record in records(report, "/site/*/@name", "/site/@name"):
        yield record.pointer.removesuffix("/@name"), text(record.value)


def _name(item: dict[str, Any]) -> str:
    return text(item, "name") or text(item, "alert")


def _record(item: dict[str, Any], site: str) -> dict[str, Any]:
    name, plugin = _name(item), one_line(text(item, "pluginid"), 50)
    cwe = text(item, "cweid")
    cwes = [f"CWE-{cwe}"] if _CWE.fullmatch(cwe) else []
    host = address_of(site).host
    resource = one_line(site, 1_000) or "site"
    solution = without_markup(text(item, "solution"))
    return {
        "finding_type": FindingType.RUNTIME_CODE.value,
        "title": one_line(plain(f"{name} at {site}" if site else name), 300),
        "severity": _SEVERITIES.get(text(item, "riskcode"), Severity.UNKNOWN).value,
        "resource_id": resource,
        "resource_name": one_line(host or resource, 500),
        "resource_type": "web_application",
        "fingerprint": fingerprint("zap", plugin, " ".join(name.lower().split()), site),
        "description": _description(item, solution),
        "tags": tags(scanner="zap", rule=plugin, cwe=cwes, host=host),
        "attributes": without_empty(
            {
                "rule": {"id": plugin, "name": one_line(name, 300)},
                "advisory": {"cwe": cwes},
                "confidence": _CONFIDENCES.get(text(item, "confidence"), ""),
                "web": {"site": resource, "places": _places(item)[:_SHOWN]},
                "remediation": {"recommended": advice_line(solution)},
                "scanner": {"name": "ZAP"},
            }
        ),
    }


def _instances(item: dict[str, Any]) -> list[dict[str, Any]]:
    """XML has `<instances><instance>`, JSON a list, and ZAP before 2.5 neither."""
    found = listed(item, "instances", "instance") or listed(item, "instances")
    return [each for each in found if isinstance(each, dict) and "uri" in each]


def _places(item: dict[str, Any]) -> list[str]:
    """`GET https://shop.example/cart (id)`: without the query, which holds values."""
    places = []
    for each in _instances(item):
        address = text(each, "uri").partition("?")[0]
        param = text(each, "param")
        place = f"{text(each, 'method')} {address}" + (f" ({param})" if param else "")
        places.append(one_line(place, 500))
    return list(dict.fromkeys(places))


def _description(item: dict[str, Any], solution: str) -> str:
    evidence = Evidence(without_markup(text(item, "desc")))
    places = _places(item)
    more = [f"- and {len(places) - _SHOWN} more"] if len(places) > _SHOWN else []
    evidence.section("Where", "\n".join([*(f"- `{place}`" for place in places[:_SHOWN]), *more]))
    shown = dict.fromkeys(_masked(text(each, "evidence")) for each in _instances(item))
    if seen := "\n".join(list(filter(None, shown))[:_SHOWN]):
        evidence.code("Evidence", seen)
    evidence.section("More", _masked(without_markup(text(item, "otherinfo"))))
    evidence.section("Remediation", solution)
    evidence.links(without_markup(text(item, "reference")).split())
    return evidence.markdown


def _masked(seen: str) -> str:
    """Without values of cookies and credentials."""
    return clip(_CREDENTIAL.sub(r"\1****", _COOKIE.sub(r"\1****", seen)), 500)
