"""The forms of the language, one by one: what a query matches and what it does not."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from findings.facts import Facts
from findings.query.parse import parse
from findings.query.predicate import compile_predicate, values
from findings.query.scalars import Structure

FACTS = Facts(
    finding_type="library_vulnerability",
    severity="high",
    title="Remote code execution in log4j-core",
    description="CVE-2021-44228 affects payments_api, ÉCLAIR and more.",
    status="in-progress",
    resource_id="arn:aws:s3:::bucket",
    resource_name="payments api",
    resource_type="aws_s3_bucket",
    tags=(
        *("team:payments", "env:prod", "env:eu", "service:web-store", "repo:acme/ui", "port:443"),
        *("image:ghcr.io/acme/api:1.2", "note:two words", "critical", "path:/etc/passwd", "n:-1"),
    ),
    attributes={
        "advisory": {"cve": "CVE-2024-6387", "ids": ["a", "b"], "score": None, "empty": ""},
        "cvss": 7.5,
        "version": "7.10",
        "line": 15,
        "fixed": True,
        "host": {"ip": ["10.1.2.3", "fe80::1"]},
        "packages": [{"name": "a", "tags": ["x"]}, {"name": "b"}, [{"name": "deep"}]],
        "nothing": {},
        "none": [],
        "severity": "low",
    },
    workflow={
        "mute": {"is_muted": False},
        "automations": [{"rule_id": "r1"}],
        "integrations": {"jira": ["PLAT-912"]},
    },
    first_seen_at=datetime(2026, 11, 23, 12, 30, tzinfo=UTC),
    ticket="automated",
    ticket_key="SEC-1",
    ticket_rule_id=UUID("0d6f1c9e-7b1a-4f0e-9d52-3a5b8c7d6e5f"),
)
MATCH = [
    # tags
    *("team:payments", "env:prod", "env:eu", "env:(prod OR staging)", "env:(eu prod)"),
    *("image:ghcr.io/acme/api:1.2", 'note:"two words"', r"note:two\ words", "path:/etc/passwd"),
    *("service:web*", "repo:acme/?i", "repo:*/??", "port:443", "port:>=443", "port:[1 TO 443]"),
    *("critical:*", 'critical:""', "n:-1", "n:<0", "-env:staging", "team:*", "-owner:*"),
    # attributes
    *("@resource_type:aws_s3_bucket", "@severity:high", "@advisory.cve:CVE-2024-6387"),
    *("@resource_id:arn:aws:s3:::bucket", "@advisory.ids:b", "@packages.name:b", "@fixed:true"),
    *("@packages.tags:x", "@advisory:*", "@advisory.empty:*", '@advisory.empty:""', "-@nothing:*"),
    *("-@advisory.score:*", "-@none:*", "-@packages.name:deep", "-@severity:low", "@cvss:7.50"),
    *(
        "@cvss:7.5",
        "@cvss:>=7",
        "@cvss:<8",
        "@cvss:?.5",
        "@version:7.10",
        "@version:>7",
        "@line:15",
    ),
    *("@line:[10 TO 20]", "@line:{10 TO 20}", "@line:[15 TO 15]", "@line:{14 TO 15]", "@line:15.0"),
    *(
        "@line:[* TO 15]",
        "@line:{14 TO *}",
        "CIDR(@host.ip,10.0.0.0/8)",
        "CIDR(@host.ip, fe80::/10)",
    ),
    # names in any case, times, the ticket, the workflow
    *(
        "@severity:HIGH",
        "@severity:(critical OR High)",
        "@status:In-Progress",
        "@finding_type:LIB*",
    ),
    *(
        "@first_seen_at:2026-11-23",
        "@first_seen_at:>=2026-11-23T12:30:00Z",
        "@first_seen_at:<=2026-11-23",
    ),
    *("@first_seen_at:2026-11-23T13:30:00+01:00", "@first_seen_at:1795437000000"),
    *("@first_seen_at:[2026-11-01 TO 2026-11-23]", "@first_seen_at:{2026-11-22 TO *]"),
    *("-@last_seen_at:*", "@ticket.created_by:automated", "@ticket.key:SEC-1", "-@ticket.status:*"),
    *("@ticket.key:PLAT-912", "@ticket.key:PLAT*", "-@ticket.key:RISK-2"),
    *("@ticket.rule:0d6f1c9e-7b1a-4f0e-9d52-3a5b8c7d6e5f", "@ticket.over_limit:false"),
    *("@workflow.mute.is_muted:false", "@workflow.automations.rule_id:r1"),
    # free text
    *(
        "payments",
        "LOG4J",
        '"remote code"',
        "cve-2021-44228",
        "CVE-2021-*",
        "log*",
        "p?yments",
        "api",
    ),
    *("44228", "Éclair", 'title:"Remote code execution in log4j-core"', "title:Remote*core", "*4j"),
    # together
    *("", "*", "payments team:payments", "a OR payments", "NOT nowhere", "-(team:web OR env:dev)"),
]
NO_MATCH = [
    *(
        "team:Payments",
        "TEAM:payments",
        "team:pay",
        "env:staging",
        "env:(prod -eu)",
        "service:*web",
    ),
    *(
        'service:"web*"',
        "repo:acme/?",
        "note:two",
        "-env:prod",
        "critical:x",
        "port:>443",
        "port:0443",
    ),
    *("@advisory.cve:cve-2024-6387", "@advisory.score:null", '@advisory.score:""', "@nothing:*"),
    *(
        "@none:*",
        "@advisory:x",
        "@severity:low",
        "@fixed:True",
        "@fixed:1",
        "@version:7.1",
        "@cvss:>7.5",
    ),
    *("@line:{15 TO 20}", "@line:[16 TO *]", "@cvss:7", "@line:015", "@fixed:>=0", "@missing:<5"),
    *("CIDR(@host.ip,192.168.0.0/16)", "CIDR(@cvss,0.0.0.0/0)", "@first_seen_at:>2026-11-23"),
    *("@first_seen_at:<2026-11-23", "@first_seen_at:2026-11-22", "@ticket.over_limit:true"),
    *("@ticket.created_by:none", "@ticket.rule:0D6F1C9E-7B1A-4F0E-9D52-3A5B8C7D6E5F", "@ticket:*"),
    *(
        "payment",
        "log4",
        '"code remote"',
        "éclair",
        "pay?ments",
        "remote*core",
        "title:Remote",
        "-*",
    ),
    *('title:"remote code execution in log4j-core"', "nowhere", '@resource_name:""'),
]


@pytest.mark.parametrize("text", MATCH)
def test_it_matches(text):
    assert compile_predicate(parse(text).root)(FACTS)


@pytest.mark.parametrize("text", NO_MATCH)
def test_it_does_not_match(text):
    assert not compile_predicate(parse(text).root)(FACTS)


def test_it_misses_a_finding_without_a_ticket_only_through_minus():
    bare = FACTS._replace(ticket="none")
    for text, expected in {"created_by:none": False, "created_by:*": False}.items():
        assert compile_predicate(parse(f"@ticket.{text}").root)(bare) is expected
    assert compile_predicate(parse("-@ticket.created_by:*").root)(bare)
    keyless = FACTS._replace(ticket_key="")
    assert compile_predicate(parse("-@ticket.key:PLAT-912").root)(keyless)


@pytest.mark.parametrize("character", '+-=&|><!(){}[]^"~*?:\\# ')
def test_it_takes_an_escaped_character_for_itself(character):
    facts = (
        FACTS._replace(tags=(f"k{character}:v{character}w",))
        if character != ":"
        else (FACTS._replace(tags=("k:v:w",)))
    )
    key = f"k\\{character}" if character != ":" else "k"
    assert compile_predicate(parse(f"{key}:v\\{character}w").root)(facts)


def test_it_shows_the_values_that_a_field_holds():
    def seen(text: str) -> tuple[object, ...]:
        return values(FACTS, parse(text).root.field)

    assert seen("env:x") == ("prod", "eu")
    assert seen("@advisory:x") == (Structure.STRUCTURE,)
    assert seen("@advisory.score:x") == seen("@last_seen_at:*") == ()
    assert seen("@line:x") == (15,)
