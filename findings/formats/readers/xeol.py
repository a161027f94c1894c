"""Xeol JSON: software past the end of its life. Documentation: docs/xeol.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from findings.facts import CONTAINER_IMAGE, FindingType, Severity
from findings.formats.normalised import Normalised, Rejected
from findings.formats.shapes.packages import Holder, is_system_purl
from findings.formats.shapes.problems import ReadyProblem, read_problems
from findings.formats.shapes.resources import Resource, ResourceFinding
from findings.formats.streams.records import Outline, Record, records
from findings.formats.values.fields import clip, one_line, tags, text
from findings.formats.values.identity import fingerprint

NAME = "xeol"
LABEL = "Xeol JSON"

_OURS = frozenset({"Cycle", "artifact"})


def recognises(outline: Outline) -> bool:
    first = outline.first.get("matches")
    is_empty = first == frozenset() and outline.names.get("descriptor") == "xeol"
    return outline.root == "object" and (is_empty or (first or frozenset()) >= _OURS)


def scanner(_report: BinaryIO) -> str:
    return "Xeol"


def target(report: BinaryIO) -> str:
    """The image without its tag, or the directory."""
    return next((_holder(found.value).lasting_name for found in records(report, "/source")), "")


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    source = next((found.value for found in records(report, "/source")), None)
    holder = _holder(source)
    required = ("artifact/name", "Cycle/ProductName")
    yield from read_problems(
        records(report, "/matches/*"), lambda found: _match(found, holder), *required, latest=latest
    )


def _holder(source: Any) -> Holder:
    if text(source, "type") == "image":
        name = text(source, "target", "userInput") or text(source, "target", "imageID")
        return Holder(name=one_line(name or "image", 500), resource_type=CONTAINER_IMAGE)
    name = text(source, "target") or text(source, "target", "path")
    return Holder(name=one_line(name, 500) or "directory", resource_type="host")


def _match(found: Record, holder: Holder) -> ReadyProblem:
    cycle, artifact = found.value["Cycle"], found.value["artifact"]
    product = one_line(text(cycle, "ProductName"), 200)
    release = one_line(text(cycle, "ReleaseCycle"), 100)
    package = one_line(text(artifact, "name"), 300)
    version = one_line(text(artifact, "version"), 200)
    purl = text(artifact, "purl")
    is_of_system = is_system_purl(purl)
    end, newest = text(cycle, "Eol")[:10], one_line(text(cycle, "LatestRelease"), 100)
    path = "" if is_of_system else text(artifact, "locations", 0, "path")
    kind = FindingType.HOST_AND_CONTAINER if is_of_system else FindingType.LIBRARY
    advice = f"Move {product} to a release that is maintained."
    fields = ResourceFinding(
        scanner="Xeol",
        finding_type=kind,
        title=f"{product} {release} is maintained only until {end or 'an unknown date'}: {package}",
        severity=Severity.HIGH,
        resource=Resource(id=holder.lasting_name, name=holder.name, type=holder.resource_type),
        fingerprint=fingerprint("xeol", kind.value, product, package, path, holder.lasting_name),
        rule="end-of-life",
        opening=f"{product} {release} is maintained until {end or 'a date that is not known'}.",
        seen=f"`{package} {version}`" + (f" in `{path}`" if path else ""),
        risk="What is found in it later is not fixed.",
        remediation=f"{advice} The newest of its own line is {newest}." if newest else advice,
        urls=[_address(text(cycle, "ProductPermalink"))],
        more_tags=tags(
            package=package,
            image=holder.name if holder.is_image else "",
            category="end of life",
        ),
        more={
            "package": {
                "name": package,
                "version": version,
                "ecosystem": one_line(text(artifact, "type"), 100),
                "purl": clip(purl, 500),
                "path": clip(path, 1_000),
            },
            "container_image": {"name": holder.name if holder.is_image else ""},
            "end_of_life": {"product": product, "cycle": release, "date": end},
        },
    ).record()
    return ReadyProblem(fields)


def _address(permalink: str) -> str:
    return permalink if "://" in permalink or not permalink else f"https://{permalink}"
