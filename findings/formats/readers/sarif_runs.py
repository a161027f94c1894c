"""What stands around SARIF results: the runs they are of, and the places in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO

from findings.facts import CONTAINER_IMAGE, FindingType
from findings.formats.readers.sarif_places import Places
from findings.formats.readers.sarif_rules import Rule
from findings.formats.readers.sarif_types import (
    type_by_tool,
    type_by_tool_words,
    type_in_image,
    type_in_own_format,
)
from findings.formats.shapes.packages import ECOSYSTEMS, Holder
from findings.formats.streams.records import records
from findings.formats.values.credential_words import is_secret_scanner
from findings.formats.values.fields import clip, dig, objects, repository_name, text, whole
from findings.formats.values.languages import language_of
from findings.formats.values.platforms import is_compose_file, platform_of

_REFINED = frozenset({FindingType.STATIC_CODE, FindingType.IAC, FindingType.MISCONFIGURATION})


@dataclass(frozen=True)
class Location:
    file: str = ""
    former_file: str = ""  # of recipe 1
    line: int | None = None
    line_end: int | None = None
    logical: str = ""

    @cached_property
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
        self.places = Places()
        self._components: list[Any] = []  # driver, then extensions
        self._overrides: list[tuple[int | str, Any]] = []  # by index of their invocation

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
        elif part == "originalUriBaseIds":
            self.places.set_bases(value)
        elif part == "properties":
            self.image = text(value, "imageName")

    def override(self, invocation: int | str, value: Any) -> None:
        """A `configurationOverride` of the invocation."""
        self._overrides.append((invocation, value))

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

    @cached_property
    def _overriding(self) -> list[tuple[int | str, Rule, str]]:
        return [
            (invocation, self.rule({"rule": dig(value, "descriptor")}), level)
            for invocation, value in self._overrides
            if (level := text(value, "configuration", "level"))
        ]

    def level_of(self, result: dict[str, Any], rule: Rule) -> str:
        """What a result without a level has (SARIF 3.27.10): as its invocation was configured."""
        named = whole(result, "provenance", "invocationIndex")
        is_named = named is not None and named >= 0
        levels = (
            level
            for invocation, overridden, level in self._overriding
            if overridden == rule and (not is_named or invocation == named)
        )
        return next(levels, rule.level)

    def type_of(self, rule: Rule, location: Location) -> tuple[FindingType, str]:
        """The finding type and the type of the resource."""
        place = "file" if location.file else "code"
        if self.image and (rule.name.startswith("OsPackage") or "vulnerability" in rule.words):
            is_library = rule.name.startswith("LanguageSpecific")
            kind = FindingType.LIBRARY if is_library else FindingType.HOST_AND_CONTAINER
            return kind, CONTAINER_IMAGE
        if self.tool.lower().startswith("snyk container"):
            return type_in_image(rule.words), CONTAINER_IMAGE
        by_words = self._type_by_words(rule)
        if by_words is FindingType.SECRET:
            return by_words, place
        own = type_in_own_format(self.tool, rule.id, location.file, rule.cwes)
        return own or by_words or type_by_tool(self.tool), place

    def former_type_of(self, rule: Rule) -> FindingType:
        """By recipe 1, whatever the tool's own formats say."""
        if self.image and (rule.name.startswith("OsPackage") or "vulnerability" in rule.words):
            is_library = rule.name.startswith("LanguageSpecific")
            return FindingType.LIBRARY if is_library else FindingType.HOST_AND_CONTAINER
        return self._type_by_words(rule) or type_by_tool(self.tool)

    def _type_by_words(self, rule: Rule) -> FindingType | None:
        if rule.words & {"secret", "secrets"} or rule.id.startswith("CKV_SECRET"):
            return FindingType.SECRET
        if "misconfiguration" in rule.words:
            return FindingType.IAC
        return FindingType.LIBRARY if rule.is_of_an_advisory else None

    def refined_type(self, known: FindingType, rule: Rule, location: Location) -> FindingType:
        """The type by what the result is about, where the name of the tool tells too little."""
        if known not in _REFINED:
            return known
        tool = self.tool.lower()
        if is_secret_scanner(tool) or rule.finds_credentials:
            return FindingType.SECRET
        if by_words := type_by_tool_words(tool):
            return by_words
        if known is FindingType.MISCONFIGURATION:
            return known
        is_platform = platform_of(rule.id, location.file, rule.words)
        return FindingType.IAC if is_platform or is_compose_file(location.file) else known


def runs_of(report: BinaryIO) -> dict[str | int, Run]:
    """Every run by its index, in one pass over the report."""
    parts = ("tool", "versionControlProvenance", "properties", "originalUriBaseIds")
    patterns = [f"/runs/*/{part}" for part in parts]
    runs: dict[str | int, Run] = {}
    patterns += [
        "/runs/*/artifacts/*/location",
        "/runs/*/invocations/*/ruleConfigurationOverrides/*",
        "/runs/*/invocations/*/workingDirectory",
    ]
    for found in records(report, *patterns):
        run = runs.setdefault(found.path[1], Run())
        if found.path[2] == "artifacts":
            run.places.add_artifact(found.path[3], found.value)
        elif found.path[-1] == "workingDirectory":
            run.places.add_working_directory(found.value)
        elif found.path[2] == "invocations":
            run.override(found.path[3], found.value)
        else:
            run.describe(str(found.path[2]), found.value)
    return runs


def location_of(result: dict[str, Any], run: Run) -> Location:
    """The first place of the result."""
    first = dig(result, "locations", 0)
    physical = dig(first, "physicalLocation")
    logical = dig(first, "logicalLocations", 0)
    artifact = dig(physical, "artifactLocation")
    is_kind = run.tool == "Trivy" and text(artifact, "uri") in ECOSYSTEMS
    return Location(
        file=run.places.file_at({**artifact, "uri": ""} if is_kind else artifact),
        former_file=run.places.former_file_at(artifact),
        line=whole(physical, "region", "startLine"),
        line_end=whole(physical, "region", "endLine"),
        logical=clip(text(logical, "fullyQualifiedName") or text(logical, "name"), 500),
    )
