"""What SARIF results refer to: runs, tools, rules and places."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, BinaryIO
from urllib.parse import unquote

from findings.facts import CONTAINER_IMAGE, FindingType
from findings.formats.languages import language_of
from findings.formats.packages import Holder
from findings.formats.sarif_details import plain_links
from findings.formats.stream import records
from findings.formats.values import clip, dig, number, objects, repository_name, text, texts, whole

_CVE = re.compile(r"CVE-\d{4}-\d{4,}", re.IGNORECASE)
_CWE = re.compile(r"cwe[-_ ]?0*(\d{1,5})\b", re.IGNORECASE)
_ADVISORY = re.compile(r"^(CVE-\d|GHSA-|PYSEC-|RUSTSEC-|GO-\d{4}-|OSV-|SNYK-|BDSA-)", re.IGNORECASE)
_CREDENTIAL_CWES = frozenset({"CWE-259", "CWE-321", "CWE-522", "CWE-798"})
_PLACEHOLDER = re.compile(r"\{(\d+)\}")

# By the beginning of the tool's name in lower case; a rule's own words come first.
_TOOLS: tuple[tuple[FindingType, tuple[str, ...]], ...] = (
    (FindingType.SECRET, ("gitleaks", "trufflehog", "detect-secrets", "ggshield", "whispers")),
    (
        FindingType.IAC,
        (
            "checkov",
            "tfsec",
            "kics",
            "terrascan",
            "tflint",
            "hadolint",
            "cfn-lint",
            "kube-linter",
            "kubescape",
            "zizmor",
            "actionlint",
            "trivy config",
            "snyk iac",
            "cfn_nag",
            "cfn-nag",
            "ansible-lint",
            "kube-score",
            "kubesec",
            "regula",
            "psrule",
            "template-analyzer",
        ),
    ),
    (
        FindingType.RUNTIME_CODE,
        ("zap", "owasp zap", "nuclei", "stackhawk", "burp", "acunetix", "invicti", "dastardly"),
    ),
    (FindingType.API_SECURITY, ("42crunch", "cherrybomb", "akto")),
    (
        FindingType.LIBRARY,
        (
            "trivy",
            "grype",
            "snyk open source",
            "osv-scanner",
            "dependency-check",
            "black duck",
            "npm audit",
            "pip-audit",
            "govulncheck",
        ),
    ),
)


@dataclass(frozen=True)
class Rule:
    """A reportingDescriptor; of a rule that the tool does not describe, only the id."""

    id: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return text(self.source, "name")

    @property
    def sentence(self) -> str:
        """The short description, where it is one: some tools repeat the id or name there."""
        short = text(self.source, "shortDescription", "text")
        return "" if short in (self.id, self.name) and " " not in self.name else short

    @property
    def description(self) -> str:
        return text(self.source, "fullDescription", "markdown") or text(
            self.source, "fullDescription", "text"
        )

    @property
    def help(self) -> str:
        """How to fix it; empty where a tool repeats its sentence there.

        Checkov adds the resource of its first result, which for a secret is the secret's SHA-1.
        """
        found = text(self.source, "help", "markdown") or text(self.source, "help", "text")
        kept = "\n".join(line for line in found.splitlines() if not line.startswith("Resource: "))
        return "" if kept.strip() in (self.sentence, self.name) else kept.strip()

    @property
    def help_uri(self) -> str:
        return text(self.source, "helpUri")

    @property
    def level(self) -> str:
        return text(self.source, "defaultConfiguration", "level")

    @property
    def properties(self) -> Any:
        return dig(self.source, "properties")

    @property
    def security_severity(self) -> float | None:
        return number(self.properties, "security-severity")

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(word.lower() for word in texts(self.properties, "tags"))

    @cached_property
    def cves(self) -> list[str]:
        return sorted({found.upper() for found in _CVE.findall(f"{self.id} {self.name}")})

    @cached_property
    def cwes(self) -> list[str]:
        related = [
            f"CWE-{id_}" if id_.isdecimal() and _is_cwe(target) else id_
            for target in objects(self.source, "relationships")
            if (id_ := text(target, "target", "id"))
        ]
        places = [*texts(self.properties, "tags"), *texts(self.properties, "cwe"), *related]
        return [f"CWE-{each}" for each in sorted(cwes_in(places))]

    @property
    def is_about_credentials(self) -> bool:
        return not _CREDENTIAL_CWES.isdisjoint(self.cwes)


def cwes_in(words: list[str]) -> set[int]:
    """The weaknesses that words name: `CWE-79`, `external/cwe/cwe-079`."""
    return {int(match) for word in words for match in _CWE.findall(word)}


def _is_cwe(relationship: dict[str, Any]) -> bool:
    return text(relationship, "target", "toolComponent", "name").upper() == "CWE"


@dataclass(frozen=True)
class Location:
    file: str = ""
    line: int | None = None
    line_end: int | None = None
    logical: str = ""

    @property
    def sentence(self) -> str:
        line = f", line {self.line}" if self.line else ""
        inside = f" in `{self.logical}`" if self.logical else ""
        return f"`{self.file}`{line}{inside}" if self.file else inside.strip()

    @property
    def language(self) -> str:
        return language_of(self.file)


class Run:
    """A run without its results: they are read one by one."""

    def __init__(self) -> None:
        self.tool = ""
        self.tool_version = ""
        self.repository = ""
        self.branch = ""
        self.commit = ""
        self.image = ""
        self.files: dict[str | int, str] = {}  # by index in `artifacts`
        self.roots: list[str] = []  # what absolute addresses begin with, on this machine only
        self._components: list[Any] = []  # driver, then extensions

    def describe(self, part: str, value: Any) -> None:
        if part == "tool":
            driver = dig(value, "driver")
            self.tool = clip(text(driver, "name"), 100)
            self.tool_version = text(driver, "semanticVersion") or text(driver, "version")
            self._components = [driver, *objects(value, "extensions")]
        elif part == "versionControlProvenance":
            self.repository = repository_name(text(value, 0, "repositoryUri"))
            self.branch = text(value, 0, "branch")
            self.commit = text(value, 0, "revisionId")
        elif part == "originalUriBaseIds" and isinstance(value, dict):
            roots = (_address(text(base, "uri")) for base in value.values())
            self.roots = sorted((root for root in roots if root.startswith("/")), key=len)[::-1]
        elif part == "properties":
            self.image = text(value, "imageName")

    @property
    def lasting_image(self) -> str:
        return Holder(name=self.image, resource_type=CONTAINER_IMAGE).lasting_name

    @cached_property
    def _by_id(self) -> dict[str, Rule]:
        every = (rule for part in self._components for rule in objects(part, "rules"))
        return {text(rule, "id"): Rule(text(rule, "id"), rule) for rule in every}

    def rule(self, result: dict[str, Any]) -> Rule:
        """By id, by the id's parent ("CA1000/1" is a case of CA1000), or by index."""
        id_ = text(result, "ruleId") or text(result, "rule", "id")
        for name in (id_, id_.rpartition("/")[0]):
            if name and name in self._by_id:
                return self._by_id[name]
        extension = whole(result, "rule", "toolComponent", "index")
        component = dig(self._components, 0 if extension is None else extension + 1)
        index = whole(result, "ruleIndex")
        index = whole(result, "rule", "index") if index is None else index
        described = dig(component, "rules", -1 if index is None else index)
        if id_ or not isinstance(described, dict):
            return Rule(id_)
        return self._by_id.get(text(described, "id")) or Rule("", described)

    def type_of(self, rule: Rule, location: Location) -> tuple[FindingType, str]:
        """The finding type and the type of the resource."""
        place = "file" if location.file else "code"
        if self.image and (rule.name.startswith("OsPackage") or "vulnerability" in rule.words):
            is_library = rule.name.startswith("LanguageSpecific")
            kind = FindingType.LIBRARY if is_library else FindingType.HOST_AND_CONTAINER
            return kind, CONTAINER_IMAGE
        return self._type_by_words(rule) or self._type_by_tool(), place

    def _type_by_words(self, rule: Rule) -> FindingType | None:
        if rule.words & {"secret", "secrets"} or rule.id.startswith("CKV_SECRET"):
            return FindingType.SECRET
        if "misconfiguration" in rule.words:
            return FindingType.IAC
        return FindingType.LIBRARY if _ADVISORY.match(rule.id) else None

    def _type_by_tool(self) -> FindingType:
        tool = self.tool.lower()
        for finding_type, names in _TOOLS:
            if tool.startswith(names):
                return finding_type
        return FindingType.STATIC_CODE


def runs_of(report: BinaryIO) -> dict[str | int, Run]:
    """Every run by its index, in one pass over the report."""
    parts = ("tool", "versionControlProvenance", "properties", "originalUriBaseIds")
    patterns = [f"/runs/*/{part}" for part in parts]
    runs: dict[str | int, Run] = {}
    for found in records(report, *patterns, "/runs/*/artifacts/*/location/uri"):
        run = runs.setdefault(found.path[1], Run())
        if found.path[2] == "artifacts":
            run.files[found.path[3]] = _address(text(found.value))
        else:
            run.describe(str(found.path[2]), found.value)
    return runs


def location_of(result: dict[str, Any], run: Run) -> Location:
    """The first place of the result."""
    first = dig(result, "locations", 0)
    physical = dig(first, "physicalLocation")
    artifact = dig(physical, "artifactLocation")
    index = whole(artifact, "index")
    logical = dig(first, "logicalLocations", 0)
    address = _address(text(artifact, "uri")) or run.files.get(-1 if index is None else index, "")
    root = next((root for root in run.roots if address.startswith(root)), "")
    return Location(
        file=address.removeprefix(root).removeprefix("./") or address,
        line=whole(physical, "region", "startLine"),
        line_end=whole(physical, "region", "endLine"),
        logical=clip(text(logical, "fullyQualifiedName") or text(logical, "name"), 500),
    )


def message_of(result: dict[str, Any], rule: Rule) -> str:
    """The message with its arguments put in, from the result or from the rule's strings."""
    message = dig(result, "message")
    template = text(message, "markdown") or text(message, "text")
    if not template:
        strings = dig(rule.source, "messageStrings", text(message, "id"))
        template = text(strings, "markdown") or text(strings, "text")
    arguments = dig(message, "arguments")

    def argument(found: re.Match[str]) -> str:
        return text(arguments, int(found[1][:4])) or found[0]

    filled = _PLACEHOLDER.sub(argument, template) if arguments else template
    return plain_links(filled)


def _address(uri: str) -> str:
    return clip(unquote(uri.removeprefix("file://")), 1_000).replace("\0", "")
