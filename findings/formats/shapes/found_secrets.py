"""A secret found in a file: the record that scanners for secrets have in common.

Severity, where the scanner gives none: a secret that it tried and that works, and a key of a
cloud account or of the place where the code lives, open everything behind them: critical. Any
other secret: high.

Identity: rule, repository, file and a one-way digest of the secret: the same secret in the same
file is one finding, whatever the commit or line. Where a report is redacted, there is no secret
to tell by; then it is rule, repository, file, commit and line.

The raw secret leaves this module only inside that digest. A reader masks its record with
`masked_within` before it takes any other field: one of them may quote the secret. Lines of code
and messages of commits are not taken at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, ClassVar

from findings.facts import CONTAINER_IMAGE, FindingType, Severity
from findings.formats.credentials import mask
from findings.formats.shapes.evidence import Evidence
from findings.formats.shapes.packages import Holder
from findings.formats.values.fields import clip, one_line, tags, without_empty
from findings.formats.values.identity import fingerprint

_OPENS_EVERYTHING = re.compile(
    r"(?<![a-z])(aws|azure|gcp|google-cloud|digitalocean|github|gitlab|bitbucket|heroku)(?![a-z])",
    re.IGNORECASE,
)
_LABELS = 20
_DETAILS = 20
ADVICE = (
    "Revoke the secret and issue a new one: whoever can read the repository has it. "
    "Removing it from the history comes second."
)


def severity_of_secret(*words: str) -> Severity:
    """Of a secret whose scanner gives none: by its rule and labels."""
    return Severity.CRITICAL if _OPENS_EVERYTHING.search(" ".join(words)) else Severity.HIGH


@dataclass(frozen=True, kw_only=True)
class FoundSecret:
    COUNTS_REPEATS: ClassVar = False

    scanner: str
    rule: str
    secret: str = field(default="", repr=False)  # empty where the report does not show it
    known_by: Any = None  # a digest of the secret, from a report that has only that
    name: str = ""
    kind: str = ""  # of secret, where the rule's id does not tell: "AWS Access Key"
    severity: Severity | None = None  # where the scanner gives one
    file: str = ""
    former_file: str | None = None  # of recipe 1, where it differs
    repository: str = ""
    image: str = ""
    line: int | None = None
    commit: str = ""
    author: str = ""
    date: str = ""
    branch: str = ""
    url: str = ""
    entropy: str = ""
    labels: Sequence[str] = ()
    is_verified: bool | None = None  # None: nobody tried
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def _outer(self) -> str:
        """What the file is in, by its lasting name."""
        image = Holder(name=self.image, resource_type=CONTAINER_IMAGE)
        return self.repository or image.lasting_name

    @property
    def place(self) -> str:
        file = self.file.lstrip("/") if self._outer else self.file
        return "/".join(filter(None, (self._outer, file)))

    def record(self) -> dict[str, Any]:
        """The fields of `Normalised`, for `normalise`."""
        return {
            "finding_type": FindingType.SECRET.value,
            "title": one_line(f"{self._name()} in {self.file or 'a commit'}", 300),
            "severity": self._severity().value,
            "resource_id": clip(self.place or self.commit or "repository", 1_000),
            "resource_name": clip(self.place, 1_000),
            "resource_type": "file",
            "fingerprint": self._fingerprint(self.file),
            "former_fingerprints": self._former_fingerprints(),
            "description": self._description(),
            "tags": self._tags(),
            "attributes": self._attributes(),
        }

    def _name(self) -> str:
        return one_line(self.name or self.rule, 200)

    def _severity(self) -> Severity:
        if self.severity:
            return self.severity
        if self.is_verified:
            return Severity.CRITICAL
        return severity_of_secret(self.rule, self.kind, *self.labels)

    def _former_fingerprints(self) -> tuple[str, ...]:
        return () if self.former_file is None else (self._fingerprint(self.former_file),)

    def _fingerprint(self, file: str) -> str:
        which = self.known_by or [self.commit, self.line]
        if self.secret:
            which = [blake2b(self.secret.encode(errors="replace"), digest_size=16).hexdigest()]
        return fingerprint("secret", self.rule, self._outer, file, which)

    def _description(self) -> str:
        evidence = Evidence(f"{self._name()}.")
        line = f", line {self.line}" if self.line else ""
        commit = f", commit `{self.commit}`" if self.commit else ""
        evidence.section("Where", f"`{self.file}`{line}{commit}")
        if self.is_verified:
            evidence.section("Verified", f"{self.scanner} tried the secret: it works.")
        evidence.section("Remediation", ADVICE)
        evidence.links([self.url])
        return evidence.markdown

    def _tags(self) -> list[str]:
        verified = "" if self.is_verified is None else str(bool(self.is_verified)).lower()
        return tags(
            scanner=self.scanner.lower(),
            rule=self.rule,
            repo=self.repository,
            image=self.image,
            branch=self.branch,
            label=self.labels[:_LABELS],
            verified=verified,
        )

    def _attributes(self) -> dict[str, Any]:
        return without_empty(
            {
                "secret": {
                    "type": one_line(self.kind, 200) or self.rule,
                    "masked": mask(self.secret),
                    "entropy": one_line(self.entropy, 50),
                    "is_verified": self.is_verified,
                    "details": {
                        one_line(key, 100): one_line(value, 300)
                        for key, value in list(self.details.items())[:_DETAILS]
                    },
                },
                "rule": {"id": self.rule, "name": self._name()},
                "code_location": {"file": self.file, "line": self.line},
                "container_image": {"name": self.image},
                "git": {
                    "repository": self.repository,
                    "branch": self.branch,
                    "commit": self.commit,
                    "author": self.author,
                    "committed_at": self.date,
                },
                "remediation": {"recommended": ADVICE},
                "scanner": {"name": self.scanner},
            }
        )
