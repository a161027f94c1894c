"""Nuclei JSON: a list or JSON lines, of versions 2 and 3. Documentation: docs/nuclei.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO, ClassVar

from findings.facts import FindingType, Severity
from findings.formats.credentials import mask
from findings.formats.normalised import Normalised, Rejected, Unscanned
from findings.formats.shapes.problems import read_problems
from findings.formats.shapes.resources import Resource, ResourceFinding
from findings.formats.streams.json_lines import listed
from findings.formats.streams.records import Outline, Record
from findings.formats.values import severities
from findings.formats.values.advisories import cves_in, cwes_in
from findings.formats.values.fields import clip, dig, number, one_line, tags, text, texts
from findings.formats.values.identity import fingerprint
from findings.formats.values.masking import mask_assigned

NAME = "nuclei"
LABEL = "Nuclei JSON"

_IDS = ("template-id", "templateID")  # since 2.5.5, before
_MATCHED = ("matched-at", "matched")
# Tags of templates that attack the application itself, not a known version of a product.
_ATTACKS = frozenset(
    ("xss", "sqli", "ssrf", "lfi", "rfi", "rce", "ssti", "xxe", "crlf", "redirect", "csrf",
     "injection", "cmdi", "idor", "dast", "fuzz", "traversal")
)  # fmt: skip
_OF_SECRETS = re.compile(
    r"token|secret|password|passwd|credential|login|exposure|key|config|backup|log", re.IGNORECASE
)
_EXPOSURE = "exposure"  # of what other labels name: "token"
_PORT = re.compile(r":\d+$")
_RESULTS = 10
_LABELS = 20


def recognises(outline: Outline) -> bool:
    known = outline.first.get("", frozenset()) if outline.root == "list" else outline.kinds
    has_place = bool(known.intersection(("host", *_MATCHED)))
    return "info" in known and has_place and bool(known.intersection(_IDS))


def scanner(_report: BinaryIO) -> str:
    return "Nuclei"


def unscanned(report: BinaryIO) -> Iterator[Unscanned]:
    """The hosts of which a request failed: they are in the report with -matcher-status."""
    hosts = set()
    for found in listed(report):
        is_failed = dig(found.value, "matcher-status") is False and text(found.value, "error")
        host = _host(found.value) if is_failed else ""
        if host and host not in hosts:
            hosts.add(host)
            yield Unscanned(host, text(found.value, "error"), "host")


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    yield from read_problems(listed(report), _match, _IDS, latest=latest)


class _Match(ResourceFinding):
    COUNTS_REPEATS: ClassVar = False  # one template finds at one place what it finds


def _match(found: Record) -> _Match | None:
    item = found.value
    if dig(item, "matcher-status") is False:  # what did not match, with -matcher-status
        return None
    info = dig(item, "info")
    template = one_line(_either(item, _IDS), 200)
    labels = [label.strip() for each in texts(info, "tags") for label in each.split(",")]
    cves = cves_in([*texts(info, "classification", "cve-id"), template])
    host, place, matcher = _host(item), _place(item), _matcher(item)
    name = text(info, "name") or template
    return _Match(
        scanner="Nuclei",
        finding_type=_type(cves, labels),
        title=f"{name}: {matcher}" if matcher else name,
        severity=severities.from_word(text(info, "severity")) or Severity.UNKNOWN,
        resource=Resource(id=host or place, type="host"),
        fingerprint=fingerprint("nuclei", template, matcher, _fuzzed(item), host, place),
        rule=template,
        rule_name=name,
        called=[template, name, *(labels if _EXPOSURE in labels else ())],
        opening=text(info, "description") or name,
        seen="\n\n".join(filter(None, (f"`{place}`", _extracted(item, template, labels)))),
        risk=text(info, "impact"),
        remediation=text(info, "remediation"),
        urls=_urls(item),
        cwes=cwes_in(texts(info, "classification", "cwe-id")),
        cves=cves,
        more_tags=tags(host=_PORT.sub("", host), label=labels[:_LABELS]),
        more=_more(item, host, place),
    )


def _more(item: dict[str, Any], host: str, place: str) -> dict[str, Any]:
    classification = dig(item, "info", "classification")
    return {
        "cvss": number(classification, "cvss-score"),
        "vulnerability": {
            "cvss_vector": one_line(text(classification, "cvss-metrics"), 300),
            "epss": number(classification, "epss-score"),
        },
        "web": {
            "site": host,
            "places": [clip(place, 1_000)],
            "protocol": one_line(text(item, "type"), 50),
            "ip": one_line(text(item, "ip"), 100),
            "matcher": _matcher(item),
        },
    }


def _matcher(item: dict[str, Any]) -> str:
    return one_line(_either(item, ("matcher-name", "matcher_name", "extractor-name")), 200)


def _fuzzed(item: dict[str, Any]) -> list[str]:
    return [text(item, f"fuzzing_{key}") for key in ("method", "parameter")]


def _either(item: Any, keys: tuple[str, ...]) -> str:
    return next(filter(None, (text(item, key) for key in keys)), "")


def _type(cves: list[str], labels: list[str]) -> FindingType:
    if cves:
        return FindingType.HOST_AND_CONTAINER
    is_attack = not _ATTACKS.isdisjoint(label.lower() for label in labels)
    return FindingType.RUNTIME_CODE if is_attack else FindingType.MISCONFIGURATION


def _host(item: Any) -> str:
    """Name and port, without scheme, user and path."""
    host = text(item, "host") or _either(item, _MATCHED)
    place = re.split(r"[/?#]", host.partition("://")[2] or host, maxsplit=1)[0]
    return one_line(place.rpartition("@")[2].lower(), 500)


def _place(item: Any) -> str:
    """Where it matched, without user, query and fragment: they hold payloads and secrets."""
    place = re.split(r"[?#]", _either(item, _MATCHED) or text(item, "host"), maxsplit=1)[0]
    scheme, separator, rest = place.rpartition("://")
    authority, slash, path = rest.partition("/")
    return one_line(f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}", 1_000)


def _extracted(item: Any, template: str, labels: list[str]) -> str:
    """What the template took out of the answer; masked where that may be a secret.

    Request, response and curl command are not taken: they hold cookies and keys.
    """
    is_secret = bool(_OF_SECRETS.search(" ".join([template, *labels])))
    results = texts(item, "extracted-results") or texts(item, "extracted_results")
    shown = [mask(each) if is_secret else mask_assigned(clip(each, 300)) for each in results]
    return "\n".join(f"- `{one_line(each, 300)}`" for each in shown[:_RESULTS])


def _urls(item: Any) -> list[str]:
    references = [each for word in texts(item, "info", "reference") for each in word.split()]
    return [text(item, "template-url"), *references]
