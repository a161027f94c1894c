"""Made-up problems, and places that have them: what findings of a large house are made of. Pure.

A finding is a problem at a place. Both are skewed: few problems and few services have most.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from random import Random
from typing import Any, NamedTuple

from findings.facts import FindingType

PROBLEMS, DESCRIPTIONS, CVES, PACKAGES = 60_000, 20_000, 20_000, 3_000
TEAMS, SERVICES, REPOSITORIES = 40, 400, 2_000
ENVIRONMENTS = ("prod", "staging", "dev")

TYPE_WEIGHTS = {
    FindingType.LIBRARY: 30,
    FindingType.HOST_AND_CONTAINER: 25,
    FindingType.STATIC_CODE: 12,
    FindingType.MISCONFIGURATION: 10,
    FindingType.IAC: 7,
    FindingType.SECRET: 4,
    FindingType.IDENTITY_RISK: 4,
    FindingType.RUNTIME_CODE: 3,
    FindingType.API_SECURITY: 2,
    FindingType.ATTACK_PATH: 1.5,
    FindingType.WORKLOAD_ACTIVITY: 1.5,
}
SEVERITY_WEIGHTS = {
    "critical": 4,
    "high": 17,
    "medium": 40,
    "low": 28,
    "info": 8,
    "none": 1,
    "unknown": 2,
}
_SCORES = {
    "critical": (90, 100),
    "high": (70, 89),
    "medium": (40, 69),
    "low": (1, 39),
    "info": (0, 0),
    "none": (0, 0),
    "unknown": (0, 100),
}
_OF_PACKAGES = (FindingType.LIBRARY, FindingType.HOST_AND_CONTAINER, FindingType.RUNTIME_CODE)
OF_CODE = (FindingType.LIBRARY, FindingType.STATIC_CODE, FindingType.IAC, FindingType.SECRET)
"""Types whose resource is a file of a repository; of all others it is something that runs."""
_SCANNERS = {
    FindingType.LIBRARY: "grype",
    FindingType.HOST_AND_CONTAINER: "trivy",
    FindingType.STATIC_CODE: "semgrep",
    FindingType.MISCONFIGURATION: "prowler",
    FindingType.IAC: "checkov",
    FindingType.SECRET: "gitleaks",
}
_ECOSYSTEMS = ("npm", "pypi", "maven", "golang", "gem", "nuget")
_WEAKNESSES = (
    *("SQL injection", "Cross-site scripting", "Path traversal", "Open redirect"),
    *("Deserialization of untrusted data", "Buffer overflow", "Use after free"),
    *("Denial of service", "Privilege escalation", "Missing authorization", "Weak cipher"),
    *("Public bucket", "Server-side request forgery", "Hard-coded credentials", "Race condition"),
)
_PARTS = ("auth", "log", "http", "json", "core", "net", "crypto", "data", "parse", "web", "cloud")
_ENDS = ("kit", "lib", "er", "js", "py", "ly", "base", "flow", "hub", "wise", "forge")
_COMMON = (
    *("the", "a", "of", "to", "in", "and", "is", "an", "attacker", "may", "allows", "remote"),
    *("when", "input", "user", "request", "version", "before", "code", "data", "access", "by"),
)
_SYLLABLES = ("ba", "co", "di", "fe", "gu", "ha", "ki", "lo", "mu", "ne", "pra", "sto", "tri", "ve")


class Problem(NamedTuple):
    """What is wrong, wherever it is found."""

    finding_type: FindingType
    title: str
    description: str
    severity: str
    attributes: dict[str, Any]


class Place(NamedTuple):
    """Where it is found: the tags of what is scanned."""

    service: str
    repository: str
    env: str
    tags: Sequence[str]


class MadeUp:
    """Everything there is to choose from, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    @classmethod
    def team(cls, number: int) -> str:
        return cls._name(number)

    @cached_property
    def places(self) -> list[Place]:
        random = self._random
        found = []
        for number in range(REPOSITORIES):
            service = number % SERVICES
            team = service % TEAMS
            repository = f"acme/{self._name(number)}-{number}"
            tags = [
                f"team:{self._name(team)}",
                f"service:{self._name(service)}-{service}",
                f"repo:github.com/{repository}",
                f"cost-center:{1000 + team}",
                f"owner:{self._name(team)}@example.com",
            ]
            tags += [f"tier:{service % 4}"] * (random.random() < 0.6)
            tags += [f"region:eu-{random.randrange(1, 4)}"] * (random.random() < 0.4)
            for env in ENVIRONMENTS:
                texts = tuple(sorted([*tags[random.random() < 0.2 :], f"env:{env}"]))
                found.append(Place(tags[1].partition(":")[2], repository, env, texts))
        return found

    @cached_property
    def problems(self) -> list[Problem]:
        kinds = self._random.choices(list(TYPE_WEIGHTS), [*TYPE_WEIGHTS.values()], k=PROBLEMS)
        return [self._problem(number, kind) for number, kind in enumerate(kinds)]

    @cached_property
    def _words(self) -> list[str]:
        """3,000, of which the last are in few descriptions."""
        random = self._random
        return ["".join(random.choices(_SYLLABLES, k=random.randint(2, 4))) for _ in range(3_000)]

    @cached_property
    def _descriptions(self) -> list[str]:
        random, words = self._random, [*_COMMON, *self._words]
        weights = [60] * len(_COMMON) + [400 / (rank + 10) for rank in range(len(self._words))]
        cumulated = list(accumulate(weights))
        texts = []
        for number in range(DESCRIPTIONS):
            length = int(150 + 2_250 * random.random() ** 2.5)
            text = " ".join(random.choices(words, cum_weights=cumulated, k=length // 4))
            weakness = _WEAKNESSES[number % len(_WEAKNESSES)]
            texts.append(f"{weakness}: {text}"[: length - 1].rstrip() + ".")
        return texts

    def _problem(self, number: int, kind: FindingType) -> Problem:
        random = self._random
        severity = random.choices(list(SEVERITY_WEIGHTS), [*SEVERITY_WEIGHTS.values()])[0]
        weakness = _WEAKNESSES[number % len(_WEAKNESSES)]
        scanner = _SCANNERS.get(kind, "cloud-scanner")
        low, high = _SCORES[severity]
        attributes: dict[str, Any] = {
            "cvss": {"score": random.randint(low, high) / 10, "version": "3.1"},
            "scanner": {"name": scanner, "version": f"1.{number % 7}.0"},
            "rule": {"id": f"{scanner.upper()}-{number % 4_000}"},
            "cwe": f"CWE-{20 + number % 400}",
        }
        if kind in _OF_PACKAGES:
            cve = f"CVE-{2015 + number % 11}-{1000 + number % CVES}"
            index = int(PACKAGES * random.random() ** 2)
            package = f"{self._name(index)}-{index}"
            version = f"{index % 9}.{number % 30}.{number % 4}"
            attributes |= {
                "advisory": {"cve": cve, "url": f"https://nvd.nist.gov/vuln/detail/{cve}"},
                "package": {
                    "name": package,
                    "version": version,
                    "ecosystem": _ECOSYSTEMS[index % len(_ECOSYSTEMS)],
                },
                "remediation": {"fixed_version": f"{index % 9}.{number % 30}.9"},
            }
            del attributes["rule"]
            title = f"{cve} in {package} {version}: {weakness}"
        else:
            name = self._name(number % 997)
            title = f"{weakness} in {name} {number % 9_973} of the {self._name(number % 89)}"
        description = self._descriptions[number % DESCRIPTIONS]
        return Problem(kind, title, description, severity, attributes)

    @staticmethod
    def _name(number: int) -> str:
        return _PARTS[number % len(_PARTS)] + _ENDS[number // len(_PARTS) % len(_ENDS)]
