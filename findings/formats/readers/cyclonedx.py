"""CycloneDX 1.0 to 1.7, JSON and XML: the vulnerabilities of a bill of materials, with what its
VEX says of them. The vulnerability extension of 1.1 to 1.3 is read, too.

One finding is one vulnerability of one component. A bill of materials has no order: three passes
find which components are affected, what they are, and what is wrong with them, so that memory
holds the affected components and nothing else. See docs/cyclonedx.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple

from findings.formats.credentials import mask_credentials
from findings.formats.normalised import Normalised, Rejected, normalise_mapped
from findings.formats.readers.cyclonedx_checks import check_of, is_check
from findings.formats.readers.cyclonedx_parts import (
    Affected,
    Component,
    affected_by,
    components_in,
    holder_of,
    is_ruled_out,
    package_of,
    part_of,
    ref_of,
    tool_of,
)
from findings.formats.shapes.merging import FoundPackage, Outcome, merge_packages
from findings.formats.shapes.packages import Holder, VulnerablePackage
from findings.formats.shapes.problems import Problem
from findings.formats.streams.records import Outline, RefusedReport, begins_with, records
from findings.formats.streams.xml_stream import elements
from findings.formats.values.fields import one_line, text
from findings.formats.values.identity import Firsts
from findings.formats.values.xml import values_of

NAME = "cyclonedx"
LABEL = "CycloneDX"

_NAMESPACE = "http://cyclonedx.org/schema/bom/"
_READ = re.compile(r"^1\.[0-7]$")


def recognises(outline: Outline) -> bool:
    if outline.syntax == "xml":
        is_ours = outline.root_tag == "bom" and outline.namespace.startswith(_NAMESPACE)
        version = outline.namespace.removeprefix(_NAMESPACE)
    else:
        is_ours = outline.scalars.get("bomFormat") == "CycloneDX"
        version = str(outline.scalars.get("specVersion", ""))
    if is_ours and not _READ.match(version):
        raise RefusedReport(f"This is CycloneDX {version[:20] or '?'}; 1.0 to 1.7 are read.")
    return is_ours


def scanner(report: BinaryIO) -> str:
    return tool_of(_metadata(report))


def target(report: BinaryIO) -> str:
    """The component that the bill is of, without an image's tag."""
    holder = holder_of(_metadata(report))
    return holder.lasting_name if holder else ""


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    metadata = _metadata(report)
    bill = _Bill(tool_of(metadata), holder_of(metadata), _affected_components(report))
    yield from merge_packages(_outcomes(report, bill, latest), latest=latest)


def _outcomes(report: BinaryIO, bill: _Bill, latest: datetime) -> Iterator[Outcome]:
    firsts = Firsts()
    for position, found in enumerate(_vulnerabilities(report)):
        if problem := _problem(found):
            yield Rejected(position, *problem)
        elif not is_ruled_out(found.value):
            for each in _problems(found, bill):
                if isinstance(each, VulnerablePackage):
                    yield FoundPackage(each, position, found.pointer)
                elif firsts.has((record := each.record())["fingerprint"]):
                    yield normalise_mapped(
                        record, position=position, at=found.pointer, latest=latest
                    )


class _Found(NamedTuple):
    pointer: str
    value: Any
    around: str = ""  # the pointer of the component that it stands in


class _Bill(NamedTuple):
    tool: str
    holder: Holder | None
    components: dict[str, Component]  # the affected ones, by bom-ref or pointer


def _metadata(report: BinaryIO) -> Any:
    if begins_with(report, b"<"):
        return next((values_of(each.element) for each in elements(report, "bom/metadata")), None)
    return next((each.value for each in records(report, "/metadata")), None)


def _vulnerabilities(report: BinaryIO) -> Iterator[_Found]:
    """Also those that the extension keeps inside of components."""
    if not begins_with(report, b"<"):
        for record in records(report, "/vulnerabilities/*"):
            yield _Found(record.pointer, record.value)
        return
    inside = "bom/components/component/vulnerabilities/vulnerability"
    for found in elements(report, "bom/vulnerabilities/vulnerability", inside):
        value = values_of(found.element)
        if isinstance(value, dict) and len(found.above) > 2:
            value.setdefault("ref", found.above[2].get("bom-ref", ""))
            yield _Found(found.pointer, value, found.pointer.partition("/vulnerabilities")[0])
        else:
            yield _Found(found.pointer, value)


def _affected_components(report: BinaryIO) -> dict[str, Component]:
    wanted = set()
    for found in _vulnerabilities(report):
        wanted.update({found.around, *(each.ref for each in affected_by(found.value))} - {""})
    if not wanted:
        return {}
    components = {}
    for top in _components(report):
        if top.pointer in wanted and isinstance(top.value, dict):
            components[top.pointer] = part_of(top.value)
        for each in components_in(top.value):
            if (ref := ref_of(each)) in wanted:
                components[ref] = part_of(each)
    return components


def _components(report: BinaryIO) -> Iterator[_Found]:
    if begins_with(report, b"<"):
        for found in elements(report, "bom/components/component", "bom/metadata/component"):
            yield _Found(found.pointer, values_of(found.element))
    else:
        for record in records(report, "/components/*", "/metadata/component"):
            yield _Found(record.pointer, record.value)


def _problem(found: _Found) -> tuple[str, str, str] | None:
    if not isinstance(found.value, dict):
        return found.pointer, "Not an object", "A vulnerability is an object."
    if not text(found.value, "id"):
        return f"{found.pointer}/id", "Missing field", "`id` is required."
    return None


def _problems(found: _Found, bill: _Bill) -> Iterator[Problem]:
    vulnerability = found.value
    tool = bill.tool or tool_of(vulnerability) or "CycloneDX"
    everything = [Affected("")]
    for affected in affected_by(vulnerability) or everything:
        listed = bill.components.get(affected.ref) or bill.components.get(found.around)
        component = listed or _unlisted(affected.ref, bill)
        if component.version in affected.unaffected:
            continue
        if is_check(vulnerability):
            yield check_of(vulnerability, component)
            continue
        yield package_of(
            vulnerability, component, holder=bill.holder, tool=tool, fixed=affected.unaffected
        )


def _unlisted(ref: str, bill: _Bill) -> Component:
    """A component that the bill does not list: by the package URL in its reference, else by the
    reference, if that is a name; else it is what the bill is of."""
    if (purl := ref.find("pkg:")) >= 0:
        return _named_by(ref[purl:])
    if ref and not _OPAQUE.search(ref):
        return Component(name=one_line(ref, 300))
    return Component(name=bill.holder.lasting_name if bill.holder else "component")


# UUIDs, digests and numbers: made anew with each bill, or a name to nobody.
_OPAQUE = re.compile(
    r"urn:|[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}|^\d+$", re.IGNORECASE
)


def _named_by(purl: str) -> Component:
    purl = mask_credentials(purl)  # once taken apart, none is known
    path, _, version = purl.partition("?")[0].rpartition("@")
    return Component(
        name=one_line((path or version).partition("/")[2], 300),
        version=one_line(version if path else "", 200),
        purl=purl,
    )
