"""Gitleaks JSON of version 8 (`RuleID`, `Secret`) and of 7 and before (`rule`, `offender`).

Severity: Gitleaks gives none. A key of a cloud account or of the place where the code lives opens
everything behind it: critical. Any other secret: high.

Identity: rule, file and a one-way digest of the secret: the same secret in the same file is one
finding, whatever the commit or line. A redacted report has no secret to tell by: there it is
rule, file, commit and line.

The raw secret leaves this module only inside that digest. The line it stands in and the commit's
message are not taken at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from hashlib import blake2b
from typing import Any, BinaryIO

from findings.facts import FindingType, Severity
from findings.formats.evidence import Evidence
from findings.formats.identity import fingerprint
from findings.formats.masking import mask, mask_in
from findings.formats.normalised import Normalised, Rejected, normalise
from findings.formats.stream import Outline, records
from findings.formats.values import clip, one_line, tags, text, texts, whole, without_empty

NAME = "gitleaks"
LABEL = "Gitleaks JSON"

_OPENS_EVERYTHING = re.compile(
    r"(?<![a-z])(aws|azure|gcp|google-cloud|digitalocean|github|gitlab|bitbucket|heroku)(?![a-z])",
    re.IGNORECASE,
)
_REDACTED = re.compile(r"REDACTED|\*{3}|\.{3}$")


def recognises(outline: Outline) -> bool:
    first = outline.first.get("", frozenset()) if outline.root == "list" else frozenset()
    return first >= {"RuleID", "Secret"} or first >= {"rule", "offender"}


def scanner(_report: BinaryIO) -> str:
    return "Gitleaks"


def target(report: BinaryIO) -> str:
    """The repository that version 7 names with each leak."""
    names = {_Leak(found.value).repository for found in records(report, "/*")}
    return names.pop() if len(names) == 1 else ""


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    for position, found in enumerate(records(report, "/*")):
        leak = _Leak(found.value)
        if not leak.rule:
            detail = "`RuleID` (`rule` before version 8) is required."
            yield Rejected(position, found.pointer, "Missing field", detail)
        else:
            yield normalise(leak.record(), position=position, at=found.pointer, latest=latest)


class _Leak:
    def __init__(self, raw: Any) -> None:
        self._secret = text(raw, "Secret") or text(raw, "offender")
        leak = raw if self.is_redacted else _mask_within(raw, self._secret)
        self.rule = one_line(text(leak, "RuleID") or text(leak, "rule"), 200)
        self.name = one_line(text(leak, "Description") or self.rule, 200)
        self.file = clip(text(leak, "File") or text(leak, "file"), 1_000)
        self.line = whole(leak, "StartLine") or whole(leak, "lineNumber")
        self.commit = one_line(text(leak, "Commit") or text(leak, "commit"), 100)
        self.author = one_line(text(leak, "Author") or text(leak, "author"), 200)
        self.date = one_line(text(leak, "Date") or text(leak, "date"), 50)
        self.url = text(leak, "Link") or text(leak, "leakURL")
        self.repository = _repository(text(leak, "repoURL") or text(leak, "repo"))
        self.labels = texts(leak, "Tags") or text(leak, "tags").split(",")
        self.entropy = text(leak, "Entropy")

    @property
    def is_redacted(self) -> bool:
        return not self._secret or bool(_REDACTED.search(self._secret))

    def record(self) -> dict[str, Any]:
        place = "/".join(filter(None, (self.repository, self.file)))
        return {
            "finding_type": FindingType.SECRET.value,
            "title": one_line(f"{self.name} in {self.file or 'a commit'}", 300),
            "severity": self._severity().value,
            "resource_id": place or self.commit or "repository",
            "resource_name": place,
            "resource_type": "file",
            "fingerprint": self._fingerprint(),
            "description": self._description(),
            "tags": tags(
                scanner="gitleaks", rule=self.rule, repo=self.repository, label=self.labels
            ),
            "attributes": self._attributes(),
        }

    def _severity(self) -> Severity:
        opens_everything = _OPENS_EVERYTHING.search(f"{self.rule} {' '.join(self.labels)}")
        return Severity.CRITICAL if opens_everything else Severity.HIGH

    def _fingerprint(self) -> str:
        if self.is_redacted:
            which = [self.commit, self.line]
        else:
            which = [blake2b(self._secret.encode(errors="replace"), digest_size=16).hexdigest()]
        return fingerprint("secret", self.rule, self.repository, self.file, which)

    def _description(self) -> str:
        evidence = Evidence(f"{self.name}.")
        line = f", line {self.line}" if self.line else ""
        commit = f", commit `{self.commit}`" if self.commit else ""
        evidence.section("Where", f"`{self.file}`{line}{commit}")
        evidence.section(
            "Remediation",
            "Revoke the secret and issue a new one: whoever can read the repository has it. "
            "Removing it from the history comes second.",
        )
        evidence.links([self.url])
        return evidence.markdown

    def _attributes(self) -> dict[str, Any]:
        shown = "" if self.is_redacted else mask(self._secret)
        return without_empty(
            {
                "secret": {"type": self.rule, "masked": shown, "entropy": self.entropy},
                "rule": {"id": self.rule, "name": self.name},
                "code_location": {"file": self.file, "line": self.line},
                "git": {
                    "repository": self.repository,
                    "commit": self.commit,
                    "author": self.author,
                    "committed_at": self.date,
                },
                "scanner": {"name": "Gitleaks"},
            }
        )


def _mask_within(value: Any, secret: str) -> Any:
    """The value with the secret masked in every field that quotes it."""
    if isinstance(value, str):
        return mask_in(value, secret)
    if isinstance(value, dict):
        return {key: _mask_within(item, secret) for key, item in value.items()}
    if isinstance(value, list):
        return [_mask_within(item, secret) for item in value]
    return value


def _repository(repo: str) -> str:
    """Without scheme, user and `.git`; "." is where Gitleaks ran and says nothing."""
    place = (repo.partition("://")[2] or repo).rpartition("@")[2]
    return "" if place == "." else one_line(place.removesuffix(".git"), 300)
