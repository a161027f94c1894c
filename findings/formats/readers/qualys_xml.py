"""Qualys as XML: a scan (`SCAN`), and a report of hosts with a glossary (`ASSET_DATA_REPORT`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, BinaryIO, Final
from xml.etree.ElementTree import Element

from findings.formats.normalised import Unscanned
from findings.formats.readers.qualys_detections import Detection
from findings.formats.streams.records import Outline
from findings.formats.streams.xml_stream import XmlRecord, elements, root_tag
from findings.formats.values.fields import clip, one_line, text, texts
from findings.formats.values.xml import listed, values_of

_SCAN: Final = "SCAN"
_REPORT: Final = "ASSET_DATA_REPORT"
_TYPES: Final = {"VULN": "vuln", "PRACTICE": "practice", "INFO": "ig", "SERVICE": "ig"}
_FOUND: Final = tuple(f"{_SCAN}/IP/{tag}S/CAT/{tag}" for tag in _TYPES)
_OF_IP: Final = tuple(f"{_SCAN}/IP/{tag}" for tag in ("OS", "NETBIOS_HOSTNAME"))
_HOST: Final = f"{_REPORT}/HOST_LIST/HOST"
_OF_HOST: Final = {
    "IP": "ip",
    "TRACKING_METHOD": "tracked by",
    "DNS": "dns",
    "NETBIOS": "netbios",
    "OPERATING_SYSTEM": "os",
    "NETWORK": "network",
}
_DETECTION: Final = f"{_HOST}/VULN_INFO_LIST/VULN_INFO"
_GLOSSARY: Final = f"{_REPORT}/GLOSSARY/VULN_DETAILS_LIST/VULN_DETAILS"
_RANGE: Final = f"{_REPORT}/APPENDICES/NO_RESULTS/IP_LIST/RANGE"
_HEADERS: Final = (f"{_SCAN}/HEADER", f"{_REPORT}/HEADER")
_KEY: Final = f"{_SCAN}/HEADER/KEY"
_ERRORS: Final = (f"{_SCAN}/ERROR", f"{_REPORT}/ERROR", f"{_HOST}/ERROR")
_DONE: Final = frozenset({"", "FINISHED", "NOVULNSFOUND"})
_ADDRESSES: Final = 1_000  # of ranges; of more hosts than an import lists, all stay open
_TEXT: Final = 8_000  # characters of a text of the glossary, which is held in memory


def recognises(outline: Outline) -> bool:
    if outline.root_tag == _SCAN:
        return "HEADER" in outline.keys or "ERROR" in outline.keys
    return outline.root_tag == _REPORT


def target(report: BinaryIO) -> str:
    header = next(elements(report, *_HEADERS), None)  # it stands first
    about = values_of(header.element) if header else {}
    keys = {text(each, "value"): text(each, "") for each in listed(about, "KEY")}
    groups = [
        *texts(about, "TARGET", "USER_ASSET_GROUPS", "ASSET_GROUP_TITLE"),
        *(text(each, "ASSET_GROUP_TITLE") for each in listed(about, "ASSET_GROUPS", "ASSET_GROUP")),
    ]
    ranges = listed(about, "TARGET", "COMBINED_IP_LIST", "RANGE")
    addresses = [*("-".join(_ends(each)) for each in ranges), keys.get("TARGET", "")]
    return one_line(", ".join(sorted(filter(None, groups or addresses))), 10_000)


def detections(report: BinaryIO) -> Iterator[tuple[str, Detection]]:
    yield from _of_scan(report) if root_tag(report) == _SCAN else _of_report(report)


def unscanned(report: BinaryIO) -> Iterator[Unscanned]:
    for found in elements(report, _KEY, f"{_SCAN}/IP", *_ERRORS, _RANGE):
        element, said = found.element, _words(found.element)
        if element.tag == "RANGE":
            yield from _without_results(_ends(values_of(element)))
        elif element.tag == "IP" and element.get("status", "").lower() == "down":
            yield from _without_results(element.get("value", "").split("-"))
        elif element.tag == "ERROR":
            yield Unscanned(reason=said)
        elif element.get("value") == "STATUS" and said.upper() not in _DONE:
            yield Unscanned(reason=f"the scan is {said.lower()}")


def _without_results(ends: Sequence[str]) -> Iterator[Unscanned]:
    """Each address from the first to the last."""
    try:
        first, last = (int(ip_address(end.strip())) for end in (ends[0], ends[-1]))
    except (IndexError, ValueError):
        first, last = 0, -1
    if not first <= last < first + _ADDRESSES:
        yield Unscanned(reason=f"no results of {'-'.join(ends)}")
        return
    kind = IPv6Address if ":" in ends[0] else IPv4Address
    for number in range(first, last + 1):
        yield Unscanned(target=str(kind(number)), reason="no results", kind="host")


def _ends(span: Any) -> list[str]:
    return [end for end in (text(span, "START"), text(span, "END")) if end]


def _words(element: Element) -> str:
    return " ".join((element.text or "").split())


def _of_scan(report: BinaryIO) -> Iterator[tuple[str, Detection]]:
    around: dict[str, str] = {}
    host: Element | None = None
    for found in elements(report, *_OF_IP, *_FOUND):
        if host is not found.above[1]:
            host, around = found.above[1], {}
        if found.element.tag in _TYPES:
            yield found.pointer, around | _in_scan(found, host)
        else:
            name = "os" if found.element.tag == "OS" else "netbios"
            around[name] = _words(found.element)


def _in_scan(found: XmlRecord, host: Element) -> dict[str, Any]:
    group, item = found.above[-1], values_of(found.element)
    return {
        "type": _TYPES[found.element.tag],
        "qid": found.element.get("number", ""),
        "severity": found.element.get("severity", ""),
        "ip": host.get("value", ""),
        "dns": host.get("name", ""),
        "category": group.get("value", ""),
        "port": group.get("port", ""),
        "protocol": group.get("protocol", ""),
        "fqdn": group.get("fqdn", ""),
        "threat": _said(item, "DIAGNOSIS"),
        "impact": _said(item, "CONSEQUENCE"),
        "result": _said(item, "RESULT"),
        "cvss2": _said(item, "CVSS_BASE"),
        "cvss3": _said(item, "CVSS3_BASE"),
        **_described(item),
    }


def _of_report(report: BinaryIO) -> Iterator[tuple[str, Detection]]:
    """The glossary stands behind the hosts, so the report is read twice."""
    glossary = {qid: about for qid, about in map(_entry, elements(report, _GLOSSARY)) if qid}
    around: dict[str, str] = {}
    host: Element | None = None
    for found in elements(report, *(f"{_HOST}/{tag}" for tag in _OF_HOST), _DETECTION):
        if host is not found.above[2]:
            host, around = found.above[2], {}
        if found.element.tag == "VULN_INFO":
            item = _in_report(found)
            yield found.pointer, {**glossary.get(item["qid"], {}), **around, **item}
            continue
        around[_OF_HOST[found.element.tag]] = _words(found.element)
        if network := found.element.get("network_id"):
            around["network"] = network


def _entry(found: XmlRecord) -> tuple[str, dict[str, Any]]:
    item = values_of(found.element)
    about = {
        "severity": _said(item, "SEVERITY"),
        "category": _said(item, "CATEGORY"),
        "threat": clip(_said(item, "THREAT") or _said(item, "DIAGNOSIS"), _TEXT),
        "impact": clip(_said(item, "IMPACT") or _said(item, "CONSEQUENCE"), _TEXT),
        "cvss2": text(item, "CVSS_SCORE", "CVSS_BASE"),
        "cvss3": text(item, "CVSS3_SCORE", "CVSS3_BASE"),
        **_described(item),
    }
    return _said(item, "QID"), about


def _described(item: Any) -> dict[str, Any]:
    cves = listed(item, "CVE_ID_LIST", "CVE_ID")
    vendors = listed(item, "VENDOR_REFERENCE_LIST", "VENDOR_REFERENCE")
    return {
        "title": _said(item, "TITLE"),
        "solution": clip(_said(item, "SOLUTION"), _TEXT),
        "cves": [text(each, "ID") for each in cves],
        "urls": [text(each, "URL") for each in [*vendors, *cves]],
    }


def _in_report(found: XmlRecord) -> dict[str, str]:
    item = values_of(found.element)
    names = {
        "qid": "QID",
        "type": "TYPE",
        "port": "PORT",
        "protocol": "PROTOCOL",
        "service": "SERVICE",
        "fqdn": "FQDN",
        "instance": "INSTANCE",
        "status": "VULN_STATUS",
        "ticket": "TICKET_STATE",
        "result": "RESULT",
        "first found": "FIRST_FOUND",
    }
    return {name: _said(item, tag) for name, tag in names.items()}


def _said(item: Any, tag: str) -> str:
    """The text of the element, whether or not it has attributes."""
    return text(item, tag) or text(item, tag, "")
