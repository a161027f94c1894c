"""A vulnerable package: the record that scanners of images, hosts and lock files have in common.

Identity: type, vulnerability, package with its kind and path, and what holds it. The installed
version is not in it, nor is it in the path: an update that does not fix the problem leaves the
finding the same. Nor is an image's tag or digest: the next build of an image carries the same
problem. Send images that live side by side under one name (a 1.x and a 2.x line) as different
sources.

Correlation: what two tools say of one package stays two findings that share a `correlation_id`:
the vulnerability by its CVE, the last part of the package's name (tools disagree on what comes
before it, as in `org.slf4j:slf4j-api` and `slf4j-api`), and what holds it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from findings.facts import CONTAINER_IMAGE, FindingType, Severity
from findings.formats.evidence import Evidence
from findings.formats.identity import correlation, fingerprint
from findings.formats.values import clip, one_line, tags, without_empty

_LANGUAGES = {
    "cargo": "rust", "rust-crate": "rust", "rustbinary": "rust", "composer": "php",
    "php-composer": "php", "gem": "ruby", "bundler": "ruby", "gemspec": "ruby", "go-module": "go",
    "gomod": "go", "gobinary": "go", "jar": "java", "java-archive": "java", "pom": "java",
    "crates.io": "rust", "packagist": "php", "rubygems": "ruby", "go": "go",
    "gomodules": "go", "sbt": "scala",
    "gradle": "java", "npm": "javascript", "yarn": "javascript", "pnpm": "javascript",
    "node-pkg": "javascript", "pip": "python", "pipenv": "python", "poetry": "python",
    "uv": "python", "python": "python", "python-pkg": "python", "nuget": "csharp",
    "dotnet-core": "csharp", "dotnet": "csharp", "hex": "elixir", "pub": "dart",
    "dart-pub": "dart", "swift": "swift", "cocoapods": "swift", "maven": "java", "pypi": "python",
    "golang": "go",
}  # fmt: skip
_NO_FIX = "No fixed version is known."
_WAYS = 10  # shown of those through which a package comes in

_MOST = 20  # weaknesses, CVEs and other names of one problem
_SYSTEM_PURLS = ("pkg:alpm/", "pkg:apk/", "pkg:deb/", "pkg:rpm/")


def is_system_purl(purl: str) -> bool:
    """Whether a package URL names a package of an operating system's package manager."""
    return purl.startswith(_SYSTEM_PURLS)


_LAST_PART = re.compile(r"[/:]")
_DASHES = re.compile(r"[-_.]+")  # one name to PyPI, and to nobody two


def package_correlation(vulnerability: str, package: str, place: str) -> str:
    name = _LAST_PART.split(package.rstrip("/:").lower())[-1]
    place = place.removeprefix("./").strip("/")
    return correlation(vulnerability.upper(), _DASHES.sub("-", name), place)


@dataclass(frozen=True, kw_only=True)
class Holder:
    """What was scanned: an image, a host, a directory, a lock file."""

    name: str
    resource_type: str

    @property
    def lasting_name(self) -> str:
        """The name without an image's tag and digest."""
        if self.resource_type != CONTAINER_IMAGE:
            return self.name
        name = self.name.partition("@")[0]
        path, colon, tag = name.rpartition(":")
        return path if colon and "/" not in tag else name  # the colon may be a registry's port

    @property
    def is_image(self) -> bool:
        return self.resource_type == CONTAINER_IMAGE


@dataclass(frozen=True, kw_only=True)
class VulnerablePackage:
    COUNTS_REPEATS: ClassVar = False  # the same in two versions is fixed by one update

    id: str  # CVE-…, GHSA-…, …
    scanner: str
    holder: Holder
    is_of_system: bool  # of the operating system's package manager, not of a language's
    package: str
    severity: Severity
    version: str = ""
    fixed_versions: Sequence[str] = ()
    ecosystem: str = ""
    path: str = ""
    seen_at: str = ""  # a path that names the version and so is no part of the identity
    purl: str = ""
    title: str = ""
    description: str = ""
    aliases: Sequence[str] = ()
    cwes: Sequence[str] = ()
    cvss_score: float | None = None
    cvss_vector: str = ""
    epss: float | None = None
    is_exploited: bool = False  # listed as exploited in the wild
    urls: Sequence[str] = ()
    advice: str = ""  # what the report says to do, where it says more than a version
    through: Sequence[str] = ()  # ways from the project to the package: "api > express > debug"
    reachability: str = ""  # how far the project reaches the flaw, in the scanner's word
    repository: str = ""
    is_fixable: bool = False  # though the report names no version

    @property
    def has_fix(self) -> bool:
        return self.is_fixable or bool(self.fixed_versions)

    @property
    def cves(self) -> list[str]:
        return sorted({each for each in (self.id, *self.aliases) if each.startswith("CVE-")})

    @property
    def finding_type(self) -> FindingType:
        return FindingType.HOST_AND_CONTAINER if self.is_of_system else FindingType.LIBRARY

    @property
    def correlation_id(self) -> str:
        vulnerability = next(iter(self.cves), self.id)
        return package_correlation(vulnerability, self.package, self.holder.lasting_name)

    def record(self) -> dict[str, Any]:
        """The fields of `Normalised`, for `normalise`."""
        holder = self.holder
        what = (self.id, self.package, self.ecosystem, self._lasting_path())
        return {
            "finding_type": self.finding_type.value,
            "title": one_line(self._title(), 300),
            "severity": self.severity.value,
            "resource_id": one_line(holder.lasting_name, 1_000),
            "resource_name": one_line(holder.name, 500),
            "resource_type": holder.resource_type,
            "fingerprint": fingerprint(self.finding_type.value, holder.lasting_name, *what),
            "description": self._description(),
            "tags": self._tags(),
            "attributes": self._attributes(),
        }

    def _lasting_path(self) -> str:
        """Without the version: `lib/log4j-core-2.14.1.jar`, `requests-2.28.0.dist-info`."""
        is_telling = len(self.version) > 2
        return self.path.replace(self.version, "*") if is_telling else self.path

    def _title(self) -> str:
        summary = f": {self.title}" if self.title else ""
        return f"{self.id} in {self.package}{summary}"

    def _remediation(self) -> str:
        if self.advice:
            return one_line(self.advice, 1_000)
        if not self.fixed_versions:
            return "A fix is available." if self.is_fixable else ""
        return f"Update {self.package} to {' or '.join(self.fixed_versions)}."

    def _description(self) -> str:
        evidence = Evidence(self.description or self.title)
        version = f" {self.version}" if self.version else ""
        path = self.path or self.seen_at
        path = f", `{path}`" if path not in ("", self.holder.name) else ""
        evidence.section("Where", f"`{self.package}{version}` in `{self.holder.name}`{path}")
        ways = [f"- {one_line(way, 500)}" for way in self.through[:_WAYS]]
        evidence.section("Comes in through", "\n".join(ways))
        evidence.section("Reached", self.reachability)
        evidence.section("Remediation", self._remediation() or _NO_FIX)
        evidence.links(self.urls)
        return evidence.markdown

    def _tags(self) -> list[str]:
        return tags(
            scanner=self.scanner.lower(),
            cve=self.cves[:_MOST],
            cwe=self.cwes[:_MOST],
            package=self.package,
            language="" if self.is_of_system else _LANGUAGES.get(self.ecosystem.lower(), ""),
            image=self.holder.name if self.holder.is_image else "",
            repo=self.repository,
            fix_available="true" if self.has_fix else "false",
        )

    def _attributes(self) -> dict[str, Any]:
        advisory = {
            "id": self.id,
            "cve": self.cves[:_MOST],
            "aliases": list(self.aliases)[:_MOST],
            "cwe": list(self.cwes)[:_MOST],
            "url": one_line(next(iter(self.urls), ""), 1_000),
        }
        package = {
            "name": self.package,
            "version": self.version,
            "fixed_version": ", ".join(self.fixed_versions),
            "ecosystem": self.ecosystem,
            "purl": clip(self.purl, 500),
            "path": clip(self.path or self.seen_at, 1_000),
        }
        return without_empty(
            {
                "correlation_id": self.correlation_id,
                "advisory": advisory,
                "package": package,
                "cvss": self.cvss_score,
                "vulnerability": {
                    "cvss_vector": self.cvss_vector,
                    "epss": self.epss,
                    "is_exploited": self.is_exploited,
                    "is_fix_available": self.has_fix,
                    "reachability": one_line(self.reachability, 100),
                },
                "container_image": {"name": self.holder.name if self.holder.is_image else ""},
                "git": {"repository": self.repository},
                "remediation": {"recommended": self._remediation()},
                "scanner": {"name": self.scanner},
            }
        )
