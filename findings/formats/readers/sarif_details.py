"""What a SARIF result says beyond its rule and first place: package, flow, fingerprint."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from findings.formats.values.fields import dig, objects, one_line, text, whole
from findings.formats.values.paths import file_of, path_of

_STEPS = 20  # of a code flow
_PLACES = 10

_CONFIDENCES = ("issue_confidence", "zizmor/confidence")  # of Bandit, zizmor
_CONFIDENCE = " confidence"  # "HIGH CONFIDENCE" is a tag of Semgrep's rules
_PACKAGES = (
    # Trivy: "Package: lodash\nInstalled Version: 4.17.20\n…\nFixed Version: 4.17.21"
    re.compile(r"Package: (?P<name>\S+)\s+Installed Version: (?P<version>\S+)"
               r"(?:.*?Fixed Version: *(?P<fixed>[^\s,]+))?", re.DOTALL),
    # Grype: "A high vulnerability in npm package: lodash, version 4.17.20 was found at: /app"
    re.compile(r"vulnerability in \S+ package: (?P<name>\S+), version (?P<version>\S+) was found"),
    # OSV-Scanner: "Package 'lodash@4.17.20' is vulnerable to 'CVE-2021-23337'"
    re.compile(r"Package '(?P<name>[^'\s]+)@(?P<version>[^'\s]+)' is vulnerable"),
    # Snyk: "This file introduces a vulnerable lodash package with a high severity vulnerability."
    re.compile(r"introduces a vulnerable (?P<name>\S+) package"),
)  # fmt: skip


class Package(NamedTuple):
    name: str = ""
    version: str = ""
    fixed: str = ""


def package_of(result: dict[str, Any], message: str) -> Package:
    """From the properties (Black Duck), else from the words that tools are known to use."""
    properties = dig(result, "properties")
    if name := text(properties, "component"):
        version = text(properties, "componentVersion")
        return Package(one_line(name, 300), one_line(version, 200))
    found = next(filter(None, (pattern.search(message[:4_000]) for pattern in _PACKAGES)), None)
    if found is None:
        return Package()
    said: Mapping[str, str | None] = found.groupdict()
    name, version, fixed = (one_line(said.get(key) or "", 200) for key in Package._fields)
    return Package(name, version, fixed.rstrip("."))


def confidence_of(result: dict[str, Any], rule_words: frozenset[str]) -> str:
    """How sure the tool is, in a property or a tag that is known to say it."""
    said = [text(result, "properties", name).lower() for name in _CONFIDENCES]
    said += [word.removesuffix(_CONFIDENCE) for word in rule_words if word.endswith(_CONFIDENCE)]
    return next(filter(None, said), "")


def own_identity(result: dict[str, Any]) -> Any:
    """What the tool gives to know the result by, without what does not last; None for nothing.

    Of `fingerprints` each is an identity of its own: the first version of them is there when a
    newer tool adds a second. GitHub's hash of the line stands alone, for what CodeQL writes
    beside it holds the column. Semgrep without an account writes "requires login" for all.
    Gitleaks writes author, date and commit, which a secret outlives.
    """
    full = dig(result, "fingerprints")
    if isinstance(full, dict):
        lasting = {name: value for name, value in full.items() if value != "requires login"}
        if lasting:
            return lasting[min(lasting)]
    partial = dig(result, "partialFingerprints")
    if not isinstance(partial, dict) or not partial:
        return None
    is_of_commit = "commitSha" in partial and not _is_redacted(result)
    return None if is_of_commit else partial.get("primaryLocationLineHash") or partial


def _is_redacted(result: dict[str, Any]) -> bool:
    snippet = text(result, "locations", 0, "physicalLocation", "region", "snippet", "text")
    return not snippet or "REDACTED" in snippet


def steps_of(result: dict[str, Any]) -> list[str]:
    """The steps of the first code flow, as Markdown, the first and the last ones of many."""
    steps = [
        _step(dig(each, "location"))
        for flow in objects(result, "codeFlows")[:1]
        for thread in objects(flow, "threadFlows")
        for each in objects(thread, "locations")
    ]
    steps = list(filter(None, steps))
    left_out = len(steps) - _STEPS
    if left_out > 0:
        half = _STEPS // 2
        steps = [*steps[:half], f"… {left_out} more …", *steps[-half:]]
    return [f"{nth}. {step}" for nth, step in enumerate(steps, 1)]


def further_places(result: dict[str, Any]) -> list[str]:
    """Locations after the first, and related ones, as Markdown."""
    places = [*objects(result, "locations")[1:], *objects(result, "relatedLocations")]
    shown = dict.fromkeys(filter(None, map(_step, places)))
    return [f"- {place}" for place in list(shown)[:_PLACES]]


def _step(location: Any) -> str:
    physical = dig(location, "physicalLocation")
    file = file_of(path_of(text(physical, "artifactLocation", "uri")))
    line = whole(physical, "region", "startLine")
    place = f"`{one_line(file, 300)}`" + (f", line {line}" if line else "") if file else ""
    said = text(location, "message", "markdown") or text(location, "message", "text")
    return ": ".join(filter(None, (place, one_line(plain_links(said), 300))))


_LINK = re.compile(r"\[((?:[^\[\]\\]|\\.)+)\]\(\d+\)")


def plain_links(message: str) -> str:
    """Without links to related locations: "[a user's value](1)" (SARIF 3.11.6)."""
    return _LINK.sub(r"\1", message)


def cwes_in_taxa(result: dict[str, Any]) -> Iterator[str]:
    """The weaknesses that a result names in the taxonomy of CWE."""
    for taxon in objects(result, "taxa"):
        if text(taxon, "toolComponent", "name").upper() == "CWE":
            found = re.search(r"\d+", text(taxon, "id"))
            if found:
                yield f"CWE-{int(found[0][:6])}"
