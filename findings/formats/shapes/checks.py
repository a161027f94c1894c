"""A check that failed at a place in a file: the record that scanners of code and of
infrastructure as code have in common.

Identity: type, check, repository, file, and what the tool itself knows the problem by, else the
resource in the file, else the code there (without its spaces), else the message; equal ones are
counted (`identity.Occurrences`). No line number is in it, so it survives moved lines.

Of a check for credentials neither the code nor what a message quotes is stored. One that finds
them is of type `secret`, whatever the tool; its identity is of the type that the reader gave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from findings.facts import FindingType, Severity
from findings.formats.credentials import mask
from findings.formats.shapes.evidence import Evidence
from findings.formats.shapes.found_secrets import ADVICE
from findings.formats.values.credential_words import finds_credentials, may_quote_credentials
from findings.formats.values.fields import clip, one_line, tags, without_empty
from findings.formats.values.identity import fingerprint
from findings.formats.values.languages import language_of
from findings.formats.values.masking import mask_from, masked_within, secrets_in
from findings.formats.values.platforms import is_compose_file
from findings.formats.values.sentences import advice_line, plain, title_from, title_word


@dataclass(frozen=True, kw_only=True)
class FailedCheck:
    COUNTS_REPEATS: ClassVar = True

    finding_type: FindingType
    scanner: str
    check: str  # its id
    severity: Severity
    file: str
    title: str
    name: str = ""  # of the check
    url: str = ""  # that documents the check
    line: int | None = None
    line_end: int | None = None
    message: str = ""  # what is wrong here
    about: str = ""  # the check
    code: str = ""
    remediation: str = ""
    resource: str = ""  # in the file: "aws_s3_bucket.logs"
    platform: str = ""  # of infrastructure as code: "terraform"
    provider: str = ""
    repository: str = ""
    cwes: Sequence[str] = ()
    urls: Sequence[str] = ()
    confidence: str = ""
    category: str = ""
    known_by: str = ""  # what the tool itself tells the problem by, in any version of the file
    former_file: str | None = None  # of recipe 1, where it differs

    @cached_property
    def type(self) -> FindingType:
        if self.finding_type not in (FindingType.STATIC_CODE, FindingType.IAC):
            return self.finding_type
        called, said = (self.check, self.name), (self.title, self.message)
        finds = finds_credentials(called=called, sentences=said, cwes=self.cwes)
        if finds:
            return FindingType.SECRET
        return FindingType.IAC if is_compose_file(self.file) else self.finding_type

    @cached_property
    def is_about_credentials(self) -> bool:
        """Then the code at its place may hold one."""
        words = (self.check, self.name, self.title, self.message)
        return self.type is FindingType.SECRET or may_quote_credentials(words, cwes=self.cwes)

    @property
    def place(self) -> str:
        return clip("/".join(filter(None, (self.repository, self.file))), 1_000)

    def record(self) -> dict[str, Any]:
        """The fields of `Normalised`, for `normalise`."""
        record = self._record()
        if self.is_about_credentials:  # any field may quote it
            record = masked_within(record, *secrets_in(self.code))
        return record | {
            "fingerprint": self._fingerprint(self.file),
            "former_fingerprints": self._former_fingerprints(),
        }

    def _record(self) -> dict[str, Any]:
        return {
            "finding_type": self.type.value,
            "title": one_line(self._masked(self._title()), 300),
            "severity": self.severity.value,
            "resource_id": self.place,
            "resource_name": self.place,
            "resource_type": "file",
            "description": self._description(),
            "tags": self._tags(),
            "attributes": self._attributes(),
        }

    def _title(self) -> str:
        said = (self.title, self.message, self.name)
        return title_from(said) or title_word((*said, self.check))

    def _masked(self, words: str) -> str:
        return plain(mask_from(words, self.code) if self.is_about_credentials else words)

    def _former_fingerprints(self) -> tuple[str, ...]:
        return () if self.former_file is None else (self._fingerprint(self.former_file),)

    def _fingerprint(self, file: str) -> str:
        code = " ".join(self.code.split())
        what = self.known_by or self.resource or code or self.message
        return fingerprint(self.finding_type.value, self.check, self.repository, file, what)

    def _description(self) -> str:
        message = self._masked(self.message)
        evidence = Evidence(message)
        if self.about not in (self.message, self.title):
            evidence.section("About this check", self._masked(self.about))
        evidence.section("Where", self._where())
        if self.code and not self.is_about_credentials:
            evidence.code("Code", self.code)
        evidence.section("Remediation", self._remediation())
        evidence.links([self.url, *self.urls])
        return evidence.markdown

    def _remediation(self) -> str:
        if not self.remediation and self.type is FindingType.SECRET:
            return ADVICE
        return self._masked(self.remediation)

    def _where(self) -> str:
        line = f", line {self.line}" if self.line else ""
        inside = f" in `{one_line(self.resource, 500)}`" if self.resource else ""
        return f"`{self.file}`{line}{inside}" if self.file else inside.strip()

    def _tags(self) -> list[str]:
        is_code = self.finding_type is not FindingType.IAC
        return tags(
            scanner=self.scanner.lower(),
            rule=self.check,
            repo=self.repository,
            language=language_of(self.file) if is_code else "",
            iac=self.platform.lower(),
            cwe=self.cwes,
            category=self.category,
        )

    def _attributes(self) -> dict[str, Any]:
        found = next(iter(secrets_in(self.code)), "") if self.type is FindingType.SECRET else ""
        return without_empty(
            {
                "secret": {"masked": mask(found)},
                "rule": {
                    "id": self.check,
                    "name": one_line(self._masked(self.name), 300),
                    "url": one_line(self.url, 1_000),
                },
                "confidence": one_line(self.confidence.lower(), 50),
                "code_location": {
                    "file": self.file,
                    "line": self.line,
                    "line_end": self.line_end,
                },
                "iac_resource": {
                    "type": one_line(self.platform, 100),
                    "provider": one_line(self.provider, 100),
                    "name": one_line(self.resource, 500),
                },
                "advisory": {"cwe": list(self.cwes)[:20]},
                "git": {"repository": self.repository},
                "remediation": {"recommended": advice_line(self._remediation())},
                "scanner": {"name": self.scanner},
            }
        )


def first_sentence(words: str) -> str:
    """A title made of a message."""
    line = words.strip().partition("\n\n")[0]
    sentence, stop, _ = " ".join(line.split()).partition(". ")
    return sentence + stop.strip()
