"""The rules that SARIF results refer to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from findings.formats.readers.sarif_details import plain_links
from findings.formats.values.advisories import cwes_in
from findings.formats.values.credential_words import (
    finds_credentials,
    may_quote_credentials,
)
from findings.formats.values.fields import (
    dig,
    number,
    objects,
    text,
    texts,
)
from findings.formats.values.sentences import advice_in, is_sentence, plain

_CVE = re.compile(r"CVE-\d{4}-\d{4,}", re.IGNORECASE)
_ADVISORY = re.compile(r"^(CVE-\d|GHSA-|PYSEC-|RUSTSEC-|GO-\d{4}-|OSV-|SNYK-|BDSA-)", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\{(\d+)\}")


@dataclass(frozen=True)
class Rule:
    """A reportingDescriptor; of a rule that the tool does not describe, only the id."""

    id: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return text(self.source, "name") or text(self.properties, "name")  # Ruff's

    @cached_property
    def sentence(self) -> str:
        """The short description, where it is a sentence."""
        short = self.short
        return short if is_sentence(short, self.id, self.name) else ""

    @cached_property
    def short(self) -> str:
        return plain(text(self.source, "shortDescription", "text"))

    @cached_property
    def description(self) -> str:
        return text(self.source, "fullDescription", "markdown") or text(
            self.source, "fullDescription", "text"
        )

    @cached_property
    def help(self) -> str:
        """What else the rule says; empty where a tool repeats its sentence there.

        Checkov adds the resource of its first result, which for a secret is the secret's SHA-1.
        """
        found = text(self.source, "help", "markdown") or text(self.source, "help", "text")
        kept = "\n".join(line for line in found.splitlines() if not line.startswith("Resource: "))
        return "" if kept.strip() in (self.short, self.name) else kept.strip()

    @cached_property
    def advice(self) -> str:
        """How to fix it: the part of the help under a heading that says so."""
        texts_of_help = (text(self.source, "help", name) for name in ("markdown", "text"))
        return next(filter(None, map(advice_in, texts_of_help)), "")

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
        return cwes_in(places)

    @property
    def is_of_an_advisory(self) -> bool:
        return bool(_ADVISORY.match(self.id))

    @cached_property
    def finds_credentials(self) -> bool:
        sentences = (self.short, self.description.partition("\n")[0])
        return not self.is_of_an_advisory and (
            finds_credentials(called=(self.id, self.name), sentences=sentences, cwes=self.cwes)
            or any(finds_credentials(called=(word,)) for word in self.words)
        )

    @cached_property
    def may_quote_credentials(self) -> bool:
        words = (self.id, self.name, self.short)
        return may_quote_credentials(words, cwes=self.cwes)


def _is_cwe(relationship: dict[str, Any]) -> bool:
    return text(relationship, "target", "toolComponent", "name").upper() == "CWE"


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
