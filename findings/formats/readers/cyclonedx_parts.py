"""Components and vulnerabilities of a bill of materials, from JSON or XML.

XML wraps lists (`<ratings><rating>`) where JSON has them plain; the vulnerability extension of
1.1 to 1.3 says `ref` for `affects` and `recommendations` for `recommendation`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import unquote

from findings.facts import CONTAINER_IMAGE, Severity
from findings.formats.shapes.packages import Holder, VulnerablePackage, is_system_purl
from findings.formats.values import severities
from findings.formats.values.fields import dig, number, one_line, text, whole
from findings.formats.values.xml import listed

_RULED_OUT = frozenset({"not_affected", "false_positive", "resolved", "resolved_with_pedigree"})
_METHODS = ("CVSSv4", "CVSSv31", "CVSSv3", "CVSSv2", "")  # the first known wins; then the others
_HOSTS = frozenset({"operating-system", "device", "platform", "firmware"})
_PATHS = ("aquasecurity:trivy:FilePath", "syft:location:0:path")  # names of properties
_DIGITS = re.compile(r"\d+")
_MAX_COMPONENTS = (
    10_000  # components inside of one another; a bill with more of them is read without
)


@dataclass(frozen=True, kw_only=True)
class Component:
    name: str
    version: str = ""
    purl: str = ""
    path: str = ""
    is_of_system: bool = False


class Affected(NamedTuple):
    ref: str
    unaffected: Sequence[str] = ()  # versions


def _each(value: Any, plural: str, singular: str) -> list[Any]:
    """The items of a list that XML wraps."""
    found = dig(value, plural)
    return found if isinstance(found, list) else listed(found, singular)


def ref_of(component: Any) -> str:
    return text(component, "bom-ref")


def components_in(top: Any) -> Iterator[dict[str, Any]]:
    """The component and those inside of it."""
    waiting = [top]
    for _ in range(_MAX_COMPONENTS):
        if not waiting:
            return
        component = waiting.pop()
        if isinstance(component, dict):
            yield component
            waiting += _each(component, "components", "component")


def part_of(component: dict[str, Any]) -> Component:
    group, name = text(component, "group"), text(component, "name")
    purl = text(component, "purl")
    joint = ":" if purl.startswith("pkg:maven/") else "/"
    occurrence = _each(dig(component, "evidence"), "occurrences", "occurrence")
    properties = {
        text(each, "name"): text(each, "value") or text(each, "")
        for each in _each(component, "properties", "property")
    }
    paths = [text(occurrence, 0, "location"), *(properties.get(name, "") for name in _PATHS)]
    return Component(
        name=one_line(joint.join(filter(None, (group, name))) or "component", 300),
        version=one_line(text(component, "version"), 200),
        purl=purl,
        path=next(filter(None, paths), ""),
        is_of_system=is_system_purl(purl) or text(component, "type") == "operating-system",
    )


def holder_of(metadata: Any) -> Holder | None:
    """What the bill is of: an image with its tag, a host, an application."""
    component = dig(metadata, "component")
    name, kind = text(component, "name"), text(component, "type")
    if not name:
        return None
    if kind == "container":
        return _image(name, text(component, "version"))
    group = text(component, "group")
    full = "/".join(filter(None, (group, name)))
    return Holder(name=full, resource_type="host" if kind in _HOSTS else kind or "application")


def _image(name: str, version: str) -> Holder:
    """Some write the tag into the name, some as the version; a digest is left away."""
    image = Holder(name=name, resource_type=CONTAINER_IMAGE)
    has_tag = image.lasting_name != name
    if has_tag or not version or ":" in version:
        return image
    return Holder(name=f"{name}:{version}", resource_type=CONTAINER_IMAGE)


def tool_of(described: Any) -> str:
    """Of the metadata or of a vulnerability; since 1.5 a tool is a component."""
    tools = dig(described, "tools")
    found = _each(described, "tools", "tool") + _each(tools, "components", "component")
    names = (text(each, "name") for each in found)
    return one_line(next(filter(None, names), ""), 100)


def affected_by(vulnerability: Any) -> list[Affected]:
    """A reference into another bill ("urn:cdx:…#ref") counts as one into this."""
    found = []
    for target in _each(vulnerability, "affects", "target"):
        ref = text(target, "ref")
        if ref.startswith("urn:cdx:"):
            ref = unquote(ref.partition("#")[2])
        versions = _each(target, "versions", "version")
        unaffected = [
            one_line(text(each, "version"), 100)
            for each in versions
            if text(each, "status") == "unaffected"
        ]
        found.append(Affected(ref, list(filter(None, unaffected))))
    named = text(vulnerability, "ref")
    return [each for each in found if each.ref] or ([Affected(named)] if named else [])


def is_ruled_out(vulnerability: dict[str, Any]) -> bool:
    """Whether the VEX says that there is no problem (any more)."""
    return text(vulnerability, "analysis", "state").lower() in _RULED_OUT


def package_of(
    vulnerability: dict[str, Any],
    component: Component,
    *,
    holder: Holder | None,
    tool: str,
    fixed: Sequence[str],
) -> VulnerablePackage:
    severity, score, vector = rating_of(vulnerability)
    advisories = _each(vulnerability, "advisories", "advisory")
    references = _each(vulnerability, "references", "reference")
    advice = [text(vulnerability, "recommendation")]
    advice += map(text, _each(vulnerability, "recommendations", "recommendation"))
    purl_type = component.purl.removeprefix("pkg:").partition("/")[0]
    return VulnerablePackage(
        id=one_line(text(vulnerability, "id"), 100),
        scanner=tool,
        holder=holder or Holder(name=component.path or component.name, resource_type="package"),
        is_of_system=component.is_of_system,
        package=component.name,
        severity=severity,
        version=component.version,
        fixed_versions=fixed,
        ecosystem="" if component.is_of_system else one_line(purl_type, 100),
        path="" if component.is_of_system else component.path,
        purl=component.purl,
        description=text(vulnerability, "description") or text(vulnerability, "detail"),
        aliases=[one_line(text(each, "id"), 100) for each in references],
        cwes=_cwes(vulnerability),
        cvss_score=score,
        cvss_vector=vector,
        urls=[
            text(vulnerability, "source", "url"),
            *(text(each, "url") or text(each) for each in advisories),
        ],
        advice=" ".join(filter(None, advice)),
    )


def _cwes(vulnerability: dict[str, Any]) -> list[str]:
    cwes = (whole(each) for each in _each(vulnerability, "cwes", "cwe"))
    return [f"CWE-{each}" for each in sorted({each for each in cwes if each})]


def rating_of(vulnerability: dict[str, Any]) -> tuple[Severity, float | None, str]:
    """Severity, CVSS score and vector: by the newest CVSS there is, then by any other method."""

    def rank(rating: Any) -> int:
        method = text(rating, "method")
        return _METHODS.index(method) if method in _METHODS else len(_METHODS)

    severity, score, vector = Severity.UNKNOWN, None, ""
    for rating in sorted(_each(vulnerability, "ratings", "rating"), key=rank):
        base = number(rating, "score", "base")
        base = number(rating, "score") if base is None else base
        is_cvss = text(rating, "method").startswith("CVSS")
        if is_cvss and score is None:
            score, vector = base, one_line(text(rating, "vector"), 300)
        if severity is Severity.UNKNOWN:
            found = severities.from_word(text(rating, "severity"))
            severity = found or (is_cvss and severities.from_score(base)) or Severity.UNKNOWN
    return severity, score, vector
