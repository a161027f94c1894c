"""Rules and findings as a large organisation has them: many narrow rules, a few broad ones.

Per finding about 12 tags and attributes, one tag key often twice; 11 types, 6 severities.
One rule in ten is a free boolean of several fields, one in twenty has a condition that no
index answers.
"""

from __future__ import annotations

from random import Random

from automation.engine.rules import RuleSpec
from findings.facts import Facts, FindingType

SEED = 20261123
TYPES = [kind.value for kind in FindingType]
SEVERITIES = ("critical", "high", "medium", "low", "info", "unknown")
SERVICES, TEAMS, REPOS, PACKAGES = 2_000, 200, 1_500, 3_000
REGIONS, CLOUDS, ENVS = 12, ("aws", "azure", "gcp"), ("prod", "staging", "dev", "test")
RESOURCES = ("aws_s3_bucket", "container_image", "host", "aws_iam_role", "repository", "k8s_pod")


def rules(count: int) -> list[RuleSpec]:
    random = Random(SEED + count)
    return [
        RuleSpec(
            id=f"rule-{number}",
            name=f"Rule {number}",
            enabled=random.random() > 0.03,
            finding_types=tuple(random.sample(TYPES, random.choice((1, 1, 2, 3)))),
            query=_query(random),
        )
        for number in range(count)
    ]


def _query(random: Random) -> str:
    parts = [_narrow(random), *(_broad(random) for _ in range(random.choice((0, 1, 2))))]
    if random.random() < 0.1:
        parts.append(f"({_narrow(random)} {_broad(random)}) OR ({_broad(random)} {_broad(random)})")
        parts[-1] = f"({parts[-1]})"
    if random.random() < 0.05:
        parts.append(random.choice(("overflow", "service:*-api", "-injection")))
    if random.random() < 0.8:
        chosen = random.sample(SEVERITIES[:4], random.choice((1, 2)))
        parts.append(f"@severity:({' OR '.join(chosen)})")
    return " ".join(parts)


def _narrow(random: Random) -> str:
    return random.choice(
        (
            f"service:svc-{random.randrange(SERVICES)}",
            f"service:svc-{random.randrange(SERVICES)}",
            f"repo:acme/repo-{random.randrange(REPOS)}",
            f"repo:acme/repo-{random.randrange(REPOS)}*",
            f"@package.name:pkg-{random.randrange(PACKAGES)}",
            f"team:(team-{random.randrange(TEAMS)} OR team-{random.randrange(TEAMS)})",
        )
    )


def _broad(random: Random) -> str:
    return random.choice(
        (
            "env:(prod OR staging)",
            f"-env:{random.choice(ENVS)}",
            f"cloud:{random.choice(CLOUDS)}",
            f"-region:region-{random.randrange(REGIONS)}",
            f"@cvss:>={random.randrange(20, 95) / 10}",
            f"@cvss:[{random.randrange(0, 50) / 10} TO {random.randrange(50, 100) / 10}]",
            f"@resource_type:{random.choice(RESOURCES)}",
            f"-@resource_type:{random.choice(RESOURCES)}",
            "-@package.fixed_in:*",
        )
    )


def findings(count: int, seed: str, *, unseen: bool = False) -> list[Facts]:
    """`unseen`: no value of a tag or attribute occurs twice, nor in a rule."""
    random = Random(f"{SEED} {seed}")
    return [_finding(random, f"-{seed}-{number}" if unseen else "") for number in range(count)]


def _finding(random: Random, mark: str) -> Facts:
    services = random.sample(range(SERVICES), random.choice((1, 1, 2)))
    tags = [
        *(
            f"service:svc-{service}{'-api' if service % 9 == 0 else ''}{mark}"
            for service in services
        ),
        f"team:team-{random.randrange(TEAMS)}{mark}",
        f"repo:acme/repo-{random.randrange(REPOS)}{mark}",
        f"env:{random.choice(ENVS)}{mark}",
        f"cloud:{random.choice(CLOUDS)}{mark}",
        f"region:region-{random.randrange(REGIONS)}{mark}",
        f"source:scanner{mark}",
    ]
    attributes = {
        "cvss": random.random() * 10 if mark else random.randrange(0, 100) / 10,
        "package": {"name": f"pkg-{random.randrange(PACKAGES)}{mark}", "version": f"1.2.3{mark}"},
        "advisory": {"cve": f"CVE-2026-{random.randrange(9999)}{mark}"},
        "line": random.randrange(2000),
    }
    return Facts(
        finding_type=random.choice(TYPES),
        severity=random.choice(SEVERITIES),
        title=f"{random.choice(('Buffer overflow', 'SQL injection', 'Open port'))} in the service",
        resource_type=random.choice(RESOURCES),
        tags=sorted(tags),
        attributes=attributes,
    )
