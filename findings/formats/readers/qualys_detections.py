"""What Qualys detected on a host: the record of all its reports, and the finding made of it.

A record is a mapping with the names below, most of which a report may lack. Texts are HTML in XML
and already plain in CSV.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from findings.facts import Severity
from findings.formats.shapes.hosts import FoundOnHost, HostFinding
from findings.formats.values import severities
from findings.formats.values.advisories import cves_in
from findings.formats.values.fields import moment_as, number, one_line, text, texts
from findings.formats.values.markup import without_markup

Detection = Mapping[str, Any]

_BY_NUMBER: Final = {
    "5": Severity.CRITICAL,  # urgent
    "4": Severity.HIGH,  # critical
    "3": Severity.MEDIUM,  # serious
    "2": Severity.LOW,  # medium
    "1": Severity.INFO,  # minimal
}
_KINDS: Final = {
    "vuln": "confirmed",
    "confirmed": "confirmed",
    "practice": "potential",
    "potential": "potential",
}
_INFORMATION: Final = frozenset({"ig", "info", "information", "information gathered"})
_DEFAULT_NETWORK: Final = frozenset({"", "0", "global default network"})
_SCORED: Final = re.compile(
    r"(?P<score>\d{1,2}(?:\.\d{1,2})?)(?:\s*\((?P<vector>[\w:/.]{1,200})\))?"
)
_NOTHING: Final = frozenset({"", "-", "'-", "n/a"})
_MOMENTS: Final = ("%m/%d/%Y %H:%M:%S", "%b %d, %Y %I:%M %p")


def found_on_host(pointer: str, found: Detection, *, latest: datetime) -> FoundOnHost:
    return FoundOnHost(pointer, None if _is_settled(found) else _finding(found, latest))


def _is_settled(found: Detection) -> bool:
    """Fixed, or set aside by a person."""
    said = text(found, "status").lower()
    is_ignored = "ignored" in text(found, "ticket").lower()
    is_off = "yes" in (text(found, "ignored").lower(), text(found, "disabled").lower())
    return said == "fixed" or is_ignored or is_off or _is_approved(found)


def _is_approved(found: Detection) -> bool:
    return text(found, "false positive").lower() == "approved"


def _finding(found: Detection, latest: datetime) -> HostFinding:
    kind = text(found, "type").lower()
    score, vector = _scored(found)
    return HostFinding(
        scanner="Qualys",
        rule=one_line(text(found, "qid"), 50),
        name=one_line(without_markup(text(found, "title")), 300),
        host=_host(found),
        host_name=one_line(text(found, "dns") or text(found, "netbios"), 300),
        severity=Severity.INFO if kind in _INFORMATION else _severity(found),
        port=_said(found, "port", 20),
        protocol=_said(found, "protocol", 20).lower(),
        service=_said(found, "service", 50),
        category=_said(found, "category", 100),
        address=one_line(text(found, "ip"), 100),
        system=one_line(text(found, "os"), 200),
        known_by=_known_by(found),
        description=without_markup(text(found, "threat")),
        risk=without_markup(text(found, "impact")),
        output=_said(found, "result", 0),
        solution=without_markup(text(found, "solution")),
        cves=cves_in(texts(found, "cves")),
        score=score,
        vector=vector,
        urls=texts(found, "urls"),
        confidence=_KINDS.get(kind, ""),
        first_seen_at=moment_as(text(found, "first found"), *_MOMENTS, latest=latest),
    )


def _said(found: Detection, name: str, limit: int) -> str:
    """Qualys writes a dash for nothing."""
    words = text(found, name)
    if words in _NOTHING:
        return ""
    return one_line(words, limit) if limit else words


def _severity(found: Detection) -> Severity:
    """Of two names the number is Qualys's own."""
    given = [text(found, "number"), text(found, "severity")]
    numbers = (_BY_NUMBER[each] for each in given if each in _BY_NUMBER)
    return next(numbers, None) or severities.from_word(given[1]) or Severity.UNKNOWN


def _host(found: Detection) -> str:
    """What Qualys tracks it by: an address that a host keeps, else its name."""
    names = ("ip", "dns", "netbios")
    tracked = text(found, "tracked by").lower()
    if tracked == "netbios":
        names = ("netbios", "dns", "ip")
    elif tracked not in ("", "ip"):  # DNS, an agent, a cloud
        names = ("dns", "netbios", "ip")
    return one_line(next(filter(None, (text(found, name) for name in names)), "host"), 300)


def _known_by(found: Detection) -> list[str]:
    """What one number may be found at more than once on a port; and equal addresses of two
    networks are two hosts."""
    network = _said(found, "network", 200)
    parts = {
        "network": "" if network.lower() in _DEFAULT_NETWORK else network,
        "asset": _said(found, "asset", 100),
        "name": _said(found, "fqdn", 300).lower(),
        "instance": _said(found, "instance", 300),
        "cve": _said(found, "cve", 50),
    }
    return [f"{name}:{value}" for name, value in parts.items() if value]


def _scored(found: Detection) -> tuple[float | None, str]:
    """`8.1 (AV:N/AC:H/…)`: the newest that is there."""
    for name, prefix in (("cvss3.1", "CVSS:3.1/"), ("cvss3", "CVSS:3.0/"), ("cvss2", "")):
        scored = _SCORED.match(text(found, name))
        if scored and (score := number(scored["score"])):
            return score, f"{prefix}{scored['vector']}" if scored["vector"] else ""
    return None, ""
