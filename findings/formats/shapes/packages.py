"""A vulnerable package: the record that scanners of images, hosts and lock files have in common.

Identity: type, vulnerability, package with its kind and path, and what holds it, with what was
scanned: `services/a/package-lock.json` where a report of `services/a` says `package-lock.json`.
The installed version is not in it, nor is it in a path: an update that does not fix the problem
leaves the finding the same. Nor is an image's tag or digest: the next build of an image carries
the same problem. Send images that live side by side under one name (a 1.x and a 2.x line) as
different sources.

Correlation: what two tools say of one package stays two findings that share a `correlation_id`:
the vulnerability by its CVE, the last part of the package's name (tools disagree on what comes
before it, as in `org.slf4j:slf4j-api` and `slf4j-api`), and what holds it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from findings.facts import CONTAINER_IMAGE, FindingType, Severity
from findings.formats.shapes.evidence import Evidence
from findings.formats.values.fields import clip, one_line, tags, without_empty
from findings.formats.values.identity import correlation, fingerprint
from findings.formats.values.scanners import scanner_tag
from findings.formats.values.sentences import advice_line, is_for_machines, plain

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
# Words that Trivy writes for the place of packages that have files of their own.
ECOSYSTEMS = frozenset(("Conda", "Java", "Node.js", "Python", "Ruby"))
_NO_FIX = "No fixed version is known."
_MAX_PATHS = 10  # shown of those through which a package comes in

_UNITED = 50  # versions, ways or fixes of one problem
_MAX_NAMES = 20  # weaknesses, CVEs and other names of one problem
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


def _union(some: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    """In their order, each once."""
    return list(dict.fromkeys((*some, *others)))[:_UNITED]


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
    versions: Sequence[str] = ()  # of several that are installed, all
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
    former_holder: str | None = None  # the lasting name and the path of recipe 1, where they differ
    former_path: str | None = None
    more_tags: Sequence[str] = ()

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

    @property
    def fingerprint(self) -> str:
        holder = self.holder.lasting_name
        holder = self._without_version(holder) if self.holder.resource_type == "file" else holder
        return self._identity(holder, self.path)

    @property
    def _versions(self) -> Sequence[str]:
        return self.versions or [self.version] if self.version else self.versions

    def merged(self, other: VulnerablePackage) -> VulnerablePackage:
        """With what another report of the same finding adds: versions, ways, fixes, names."""
        return replace(
            self,
            versions=_union(self._versions, other._versions),
            fixed_versions=_union(self.fixed_versions, other.fixed_versions),
            through=_union(self.through, other.through),
            aliases=_union(self.aliases, other.aliases),
            cwes=_union(self.cwes, other.cwes),
            urls=_union(self.urls, other.urls),
            severity=max(self.severity, other.severity, key=lambda each: each.rank),
            is_fixable=self.is_fixable or other.is_fixable,
            is_exploited=self.is_exploited or other.is_exploited,
        )

    def record(self) -> dict[str, Any]:
        """The fields of `Normalised`, for `normalise`."""
        holder = self.holder
        return {
            "finding_type": self.finding_type.value,
            "title": one_line(self._title(), 300),
            "severity": self.severity.value,
            "resource_id": one_line(holder.lasting_name, 1_000),
            "resource_name": one_line(holder.name, 500),
            "resource_type": holder.resource_type,
            "fingerprint": self.fingerprint,
            "former_fingerprints": (self._former_fingerprint(),),
            "description": self._description(),
            "tags": self._tags(),
            "attributes": self._attributes(),
        }

    def _former_fingerprint(self) -> str:
        """Of recipe 1."""
        holder = self.holder.lasting_name if self.former_holder is None else self.former_holder
        return self._identity(holder, self.path if self.former_path is None else self.former_path)

    def _identity(self, holder: str, path: str) -> str:
        path = self._without_version(path)
        what = (self.id, self.package, self.ecosystem, path)
        return fingerprint(self.finding_type.value, holder, *what)

    def _without_version(self, path: str) -> str:
        """`lib/log4j-core-*.jar`, `requests-*.dist-info`."""
        return path.replace(self.version, "*") if len(self.version) > 2 else path

    def _title(self) -> str:
        said = plain(self.title)
        summary = f": {said}" if said and not is_for_machines(said) else ""
        return f"{self.id} in {self.package}{summary}"

    def _remediation(self) -> str:
        if self.advice:
            return advice_line(plain(self.advice))
        if not self.fixed_versions:
            return "A fix is available." if self.is_fixable else ""
        return f"Update {self.package} to {' or '.join(self.fixed_versions)}."

    def _description(self) -> str:
        evidence = Evidence(plain(self.description or self.title))
        version = f" {', '.join(self._versions)}" if self._versions else ""
        path = self.path or self.seen_at
        path = f", `{path}`" if path not in ("", self.holder.name) else ""
        inside = f" in `{self.holder.name}`" if self.holder.name else ""
        evidence.section("Where", f"`{self.package}{version}`{inside}{path}")
        paths = [f"- {one_line(path, 500)}" for path in self.through[:_MAX_PATHS]]
        evidence.section("Comes in through", "\n".join(paths))
        evidence.section("Reached", self.reachability)
        evidence.section("Remediation", self._remediation() or _NO_FIX)
        evidence.links(self.urls)
        return evidence.markdown

    def _tags(self) -> list[str]:
        named = tags(
            scanner=scanner_tag(self.scanner),
            cve=self.cves[:_MAX_NAMES],
            cwe=self.cwes[:_MAX_NAMES],
            package=self.package,
            language="" if self.is_of_system else _LANGUAGES.get(self.ecosystem.lower(), ""),
            image=self.holder.name if self.holder.is_image else "",
            repo=self.repository,
            fix_available="true" if self.has_fix else "false",
        )
        return [*named, *self.more_tags]

    def _attributes(self) -> dict[str, Any]:
        advisory = {
            "id": self.id,
            "cve": self.cves[:_MAX_NAMES],
            "aliases": list(self.aliases)[:_MAX_NAMES],
            "cwe": list(self.cwes)[:_MAX_NAMES],
            "url": one_line(next(iter(self.urls), ""), 1_000),
        }
        package = {
            "name": self.package,
            "version": one_line(", ".join(self._versions), 500),
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
