"""Entries of the OSV schema (ossf.github.io/osv-schema), which several reports quote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from findings.facts import Severity
from findings.formats.values import severities
from findings.formats.values.advisories import cves_in, cwes_in, ghsas_in
from findings.formats.values.cvss import base_score
from findings.formats.values.fields import dig, objects, one_line, text, texts

_MAX_FIXES = 5


def known_as(ids: Sequence[str]) -> str:
    """Of several names of one vulnerability the one that all tools know: CVE, GHSA, the first.

    Names of databases come and go between versions of a scanner; this one stays.
    """
    return one_line(next(iter([*cves_in(ids), *ghsas_in(ids), *ids]), ""), 100)


def cvss_of(entry: Any) -> tuple[float | None, str]:
    """Score and vector; a score only of CVSS 3."""
    found = [one_line(text(each, "score"), 300) for each in objects(entry, "severity")]
    vectors = sorted((each for each in found if each.startswith("CVSS:")), reverse=True)
    scores = [(base_score(vector), vector) for vector in vectors]
    known = [(score, vector) for score, vector in scores if score is not None]
    return next(iter([*known, *scores]), (None, ""))


def severity_of(entry: Any) -> Severity | None:
    """What the entry's database says in a word, else by its CVSS vector."""
    words = [
        text(entry, "database_specific", "severity"),
        text(entry, "ecosystem_specific", "severity"),
        text(entry, "severity"),
    ]
    said = next(filter(None, map(severities.from_word, words)), None)
    return said or severities.from_score(cvss_of(entry)[0])


def fixed_versions_of(entry: Any, package: str) -> list[str]:
    """The versions that fix it, one for each line of releases."""
    found: dict[str, None] = {}
    for affected in objects(entry, "affected"):
        if text(affected, "package", "name") not in (package, ""):
            continue
        for each in objects(affected, "ranges"):
            if text(each, "type") != "GIT":
                fixes = (text(event, "fixed") for event in objects(each, "events"))
                found |= dict.fromkeys(one_line(fix, 100) for fix in fixes if fix)
    return list(found)[:_MAX_FIXES]


def purl_of(entry: Any, package: str) -> str:
    """The package URL, without a version."""
    packages = [dig(affected, "package") for affected in objects(entry, "affected")]
    named = (text(each, "purl") for each in packages if text(each, "name") == package)
    return next(filter(None, named), "")


def cwes_of(entry: Any) -> list[str]:
    places = [dig(entry, "database_specific")]
    places += [dig(affected, "database_specific") for affected in objects(entry, "affected")]
    words = [word for place in places for word in texts(place, "cwe_ids")]
    words += [text(each, "cweId") for place in places for each in objects(place, "cwes")]
    return cwes_in(words)


def urls_of(entry: Any) -> list[str]:
    """The advisory first."""
    found = objects(entry, "references")
    found.sort(key=lambda each: text(each, "type") != "ADVISORY")
    return [text(each, "url") for each in found]
