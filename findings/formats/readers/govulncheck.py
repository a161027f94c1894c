"""govulncheck JSON: the stream of messages since 1.0 (or a list of them) and the one document of
before. Documentation: docs/govulncheck.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO, Final, NamedTuple

from findings.facts import Severity
from findings.formats.normalised import Normalised, Rejected, normalise_mapped
from findings.formats.shapes import osv
from findings.formats.shapes.packages import Holder, VulnerablePackage
from findings.formats.shapes.problems import read_problems
from findings.formats.streams.context import missing_fields
from findings.formats.streams.json_events import events
from findings.formats.streams.json_lines import listed
from findings.formats.streams.records import Outline, Record, records
from findings.formats.values.fields import dig, objects, one_line, text, texts, whole
from findings.formats.values.paths import file_of
from findings.formats.values.purls import purl

NAME = "govulncheck"
LABEL = "govulncheck JSON"

_OLD = frozenset({"Calls", "Imports", "Requires", "Vulns"})
_CALLED: Final = "called"
_IMPORTED: Final = "imported, not called"
_REQUIRED: Final = "required, not imported"
_RANKS: Final = (_REQUIRED, _IMPORTED, _CALLED)


def recognises(outline: Outline) -> bool:
    if outline.root == "object" and outline.keys >= _OLD:
        return True
    if outline.root == "list":
        return outline.first.get("", frozenset()) == {"config"}
    is_stream = outline.root == "lines"  # at least `config` and `progress`
    return is_stream and "config" in outline.kinds and outline.kinds <= _MESSAGES


_MESSAGES = frozenset({"config", "progress", "SBOM", "osv", "finding"})


def scanner(_report: BinaryIO) -> str:
    return "govulncheck"


def target(report: BinaryIO) -> str:
    """The module of the project."""
    if _is_of_messages(report):
        return next(filter(None, (_project_in(each.value) for each in listed(report))), "")
    return _old_project(_old_versions(report))


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    if _is_of_messages(report):
        yield from _read_messages(report, latest=latest)
    else:
        yield from _read_old(report, latest=latest)


def _is_of_messages(report: BinaryIO) -> bool:
    keys = (value for event, value in events(report, several=True) if event == "map_key")
    return next(keys, "") in _MESSAGES


class _Reach(NamedTuple):
    """How far the project reaches a vulnerability of a module, at its farthest."""

    how: str = _REQUIRED
    version: str = ""
    fixed: str = ""
    way: str = ""
    entry: str = ""  # where in the project the way begins


def _read_messages(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    """Findings are small and come one for each way: they are gathered first; then each entry
    of the database, which is long, is read by itself with what was found of it."""
    project, reaches = _gathered(report)
    position = 0
    for position, document in enumerate(listed(report)):
        if refused := _refused(document, position):
            yield refused
        entry = dig(document.value, "osv")
        for module, reach in reaches.pop(text(entry, "id"), {}).items():
            record = _vulnerable(entry, module, reach, project).record()
            yield normalise_mapped(
                record, position=position, at=f"{document.pointer}/osv", latest=latest
            )
    for id_, modules in reaches.items():  # found, and not described
        for module, reach in modules.items():
            record = _vulnerable({"id": id_}, module, reach, project).record()
            yield normalise_mapped(record, position=position, at="", latest=latest)


def _refused(document: Record, position: int) -> Rejected | None:
    if not isinstance(document.value, dict):
        return missing_fields(document, position)
    if "finding" not in document.value:
        return None
    finding = Record((*document.path, "finding"), document.value["finding"])
    return missing_fields(finding, position, *_REQUIRED_KEYS)


_REQUIRED_KEYS = ("osv", "trace/0/module")


def _gathered(report: BinaryIO) -> tuple[str, dict[str, dict[str, _Reach]]]:
    """The module of the project, and the reaches by vulnerability, then module."""
    project = ""
    found: dict[str, dict[str, _Reach]] = {}
    for document in listed(report):
        project = project or _project_in(document.value)
        finding = dig(document.value, "finding")
        id_, module = text(finding, "osv"), text(finding, "trace", 0, "module")
        if id_ and module:
            modules = found.setdefault(id_, {})
            modules[module] = max(modules.get(module, _Reach()), _reach(finding), key=_rank)
    return project, found


def _project_in(message: Any) -> str:
    """The module without a version in the SBOM (since 1.1), else where a way begins."""
    modules = objects(message, "SBOM", "modules")
    names = [text(each, "path") for each in modules if not text(each, "version")]
    trace = objects(message, "finding", "trace")
    names += [text(each, "module") for each in trace[-1:] if len(trace) > 1]
    return one_line(next(iter(names), ""), 300)


def _rank(reach: _Reach) -> tuple[int, bool]:
    return _RANKS.index(reach.how), bool(reach.version)


def _reach(finding: Any) -> _Reach:
    trace = objects(finding, "trace")
    first, last = trace[0], trace[-1]
    how = _IMPORTED if text(first, "package") else _REQUIRED
    if text(first, "function"):
        how = _CALLED
    frames = (
        ".".join(filter(None, (text(each, "package") or text(each, "module"), _symbol(each))))
        for each in reversed(trace)
    )
    line = whole(last, "position", "line")
    file = file_of(text(last, "position", "filename"))
    return _Reach(
        how=how,
        version=one_line(text(first, "version"), 100),
        fixed=one_line(text(finding, "fixed_version"), 100),
        way=" > ".join(frames) if how == _CALLED else "",
        entry=f"`{file}`, line {line}" if file and line else "",
    )


def _symbol(frame: dict[str, Any]) -> str:
    return ".".join(filter(None, (text(frame, "receiver"), text(frame, "function"))))


def _vulnerable(entry: Any, module: str, reach: _Reach, project: str) -> VulnerablePackage:
    id_ = one_line(text(entry, "id"), 100)
    module = one_line(module, 300)
    fixes = [reach.fixed] if reach.fixed else osv.fixed_versions_of(entry, module)
    score, vector = osv.cvss_of(entry)
    entry_point = f"\n\nCalled from {reach.entry}." if reach.entry else ""
    return VulnerablePackage(
        id=id_,
        scanner="govulncheck",
        holder=_holder(project, module),
        is_of_system=False,
        package=module,
        severity=osv.severity_of(entry) or Severity.UNKNOWN,  # Go's database knows none
        version=reach.version,
        fixed_versions=fixes,
        ecosystem="go",
        purl=purl("go", module, reach.version),
        title=text(entry, "summary"),
        description=(text(entry, "details") or text(entry, "summary")) + entry_point,
        aliases=[one_line(each, 100) for each in texts(entry, "aliases")],
        cwes=osv.cwes_of(entry),
        cvss_score=score,
        cvss_vector=vector,
        urls=[text(entry, "database_specific", "url"), *osv.urls_of(entry)],
        through=[reach.way] if reach.way else [],
        reachability=reach.how,
    )


def _holder(project: str, module: str) -> Holder:
    """The package itself, in a report of before 1.1 that does not say whose it is."""
    if project:
        return Holder(name=project, resource_type="go_module")
    return Holder(name=module, resource_type="package")


def _read_old(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    """A record is a vulnerable symbol; those of one module are one finding."""
    reaches: dict[tuple[str, str], _Reach] = {}
    versions = _old_versions(report)
    project = _old_project(versions)
    for found in records(report, "/Vulns/*"):
        key = _key(found)
        reach = _Reach(_old_how(found.value), one_line(versions.get(key[1], ""), 100))
        reaches[key] = max(reaches.get(key, _Reach()), reach, key=_rank)

    def build(found: Record) -> VulnerablePackage:
        _, module = key = _key(found)
        return _vulnerable(found.value["OSV"], module, reaches[key], project)

    vulnerabilities = records(report, "/Vulns/*")
    yield from read_problems(vulnerabilities, build, "OSV/id", "ModPath", latest=latest)


def _old_versions(report: BinaryIO) -> dict[str, str]:
    modules = (found.value for found in records(report, "/Modules/*"))
    return {text(module, "Path"): text(module, "Version") for module in modules}


def _old_project(versions: dict[str, str]) -> str:
    return one_line(next((path for path in versions if path and not versions[path]), ""), 300)


def _key(found: Record) -> tuple[str, str]:
    return text(found.value, "OSV", "id"), text(found.value, "ModPath")


def _old_how(vulnerability: Any) -> str:
    if whole(vulnerability, "CallSink"):
        return _CALLED
    return _IMPORTED if whole(vulnerability, "ImportSink") else _REQUIRED
