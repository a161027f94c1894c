"""A finding about a resource of a cloud account, a cluster or a network: the record that
posture checks and detections have in common.

One that found a credential is of type `secret`, whoever looked: by its sentences, and by the names
that its reader gives for what was found. The name of its rule does not tell: "Root account has
active access keys" found none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from findings.facts import FindingType, Severity
from findings.formats.shapes.evidence import Evidence
from findings.formats.values.credential_words import finds_credentials
from findings.formats.values.fields import one_line, tags, texts, without_empty
from findings.formats.values.identity import fingerprint
from findings.formats.values.sentences import advice_line, plain, title_from, title_word


@dataclass(frozen=True, kw_only=True)
class Resource:
    """What is affected, and the account it belongs to."""

    id: str  # an ARN, a path, a URL; the account where a report names no resource
    name: str = ""
    type: str = ""
    provider: str = ""  # "aws", "azure", "gcp", …
    account: str = ""
    region: str = ""
    namespace: str = ""  # of Kubernetes


@dataclass(frozen=True, kw_only=True)
class ResourceFinding:
    scanner: str
    finding_type: FindingType
    title: str
    severity: Severity
    resource: Resource
    fingerprint: str
    rule: str = ""  # its id
    rule_name: str = ""
    called: Sequence[str] = ()  # names of what was found
    says: str = ""  # what the check says of it, in a sentence
    opening: str = ""  # what the rule is about
    seen: str = ""  # what was found at this resource
    risk: str = ""
    remediation: str = ""
    urls: Sequence[str] = ()
    compliance: Sequence[str] = ()  # "CIS-1.4: 1.20"
    others: Sequence[str] = ()  # further resources that the report names
    cwes: Sequence[str] = ()
    cves: Sequence[str] = ()
    scanner_version: str = ""
    service: str = ""  # of the provider: "iam"
    first_seen_at: str | None = None
    more_tags: Iterable[str] = ()
    more: Mapping[str, Any] = field(default_factory=dict)  # attributes of this format

    @cached_property
    def type(self) -> FindingType:
        if self.finding_type not in _MAY_FIND_CREDENTIALS:
            return self.finding_type
        sentences = (self.title, self.rule_name, self.says)
        finds = finds_credentials(called=self.called, sentences=sentences, cwes=self.cwes)
        return FindingType.SECRET if finds else self.finding_type

    def record(self) -> dict[str, Any]:
        """The fields of `Normalised`, for `normalise`."""
        resource = self.resource
        return {
            "finding_type": self.type.value,
            "title": one_line(self._title(), 300),
            "severity": self.severity.value,
            "resource_id": one_line(resource.id, 1_000),
            "resource_name": one_line(resource.name or resource.id, 500),
            "resource_type": one_line(resource.type, 100),
            "fingerprint": self.fingerprint,
            "description": self._description(),
            "tags": [*self._tags(), *self.more_tags][:_TAGS],
            "attributes": self._attributes(),
            "first_seen_at": self.first_seen_at,
        }

    def _title(self) -> str:
        said = (self.title, self.opening, self.rule_name)
        return title_from(said) or title_word(said)

    def _description(self) -> str:
        evidence = Evidence(plain(self.opening or self.seen))
        if self.opening and self.seen != self.opening:
            evidence.section("Seen", plain(self.seen))
        resource = self.resource
        place = f" ({resource.name})" if resource.name not in ("", resource.id) else ""
        lines = [f"`{resource.id}`{place}", *(f"`{other}`" for other in self.others[:_OTHERS])]
        evidence.section("Where", lines[0] if len(lines) == 1 else _bullets(lines))
        evidence.section("Risk", plain(self.risk))
        evidence.section("Remediation", plain(self.remediation))
        evidence.section("Compliance", _bullets(self.compliance[:_COMPLIANCE]))
        evidence.links(self.urls)
        return evidence.markdown

    def _tags(self) -> list[str]:
        resource = self.resource
        return tags(
            scanner=self.scanner.lower(),
            rule=self.rule,
            cloud_provider=resource.provider,
            account=resource.account,
            region=resource.region,
            cloud_service=self.service,
            kube_namespace=resource.namespace,
            cve=self.cves[:20],
            cwe=self.cwes[:20],
        )

    def _attributes(self) -> dict[str, Any]:
        resource = self.resource
        url = next(iter(self.urls), "")
        return without_empty(
            {
                **self.more,
                "rule": {
                    "id": one_line(self.rule, 500),
                    "name": one_line(self.rule_name, 300),
                    "url": one_line(url, 1_000),
                },
                "cloud_resource": {
                    "provider": one_line(resource.provider, 100),
                    "account": one_line(resource.account, 200),
                    "region": one_line(resource.region, 100),
                    "service": one_line(self.service, 100),
                    "others": [one_line(each, 500) for each in self.others[:_OTHERS]],
                },
                "advisory": {"cve": list(self.cves)[:20], "cwe": list(self.cwes)[:20]},
                "compliance": [one_line(each, 300) for each in self.compliance[:_COMPLIANCE]],
                "remediation": {"recommended": advice_line(plain(self.remediation))},
                "scanner": {"name": self.scanner, "version": self.scanner_version},
            }
        )


_MAY_FIND_CREDENTIALS = frozenset(
    {FindingType.MISCONFIGURATION, FindingType.STATIC_CODE, FindingType.RUNTIME_CODE}
)
_OTHERS = 20
_COMPLIANCE = 50
_TAGS = 150


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def check_identity(tool: str, rule: str, resource: Resource) -> str:
    """The fingerprint of a check that failed at a resource: there is one answer at a time.

    Tools write the same check in several formats; this way it is one finding in all of them.
    """
    return fingerprint(tool.lower(), rule, resource.account, resource.region, resource.id)


def compliance_lines(value: Any) -> list[str]:
    """`{"CIS-1.4": ["1.20", "1.21"]}` as "CIS-1.4: 1.20, 1.21" for each standard."""
    standards = value if isinstance(value, dict) else {}
    return [f"{standard}: {', '.join(texts(standards, standard))}" for standard in standards]
