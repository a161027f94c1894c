"""Which rule it is that makes evaluation slow."""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import UUID

from automation.engine.compile import compile_rules
from automation.engine.rules import RuleSpec
from findings.facts import Facts

SLOW = 0.05  # seconds for a finding: a thousand of them take most of a minute
SECONDS = 5.0  # for all that is measured


def slowness(seconds: float | None) -> str:
    """As the list of rules says it; empty for a rule that was not found to be slow."""
    return f"{seconds:.2f} s" if seconds else ""


def measure(specs: Sequence[RuleSpec], findings: Sequence[Facts]) -> dict[UUID, float]:
    """Seconds that each slow rule takes for one of these, as far as there is time to look."""
    ends = time.monotonic() + SECONDS
    slow: dict[UUID, float] = {}
    for spec in specs:
        if time.monotonic() > ends:
            break
        compiled = compile_rules([spec])
        for facts in findings:
            began = time.monotonic()
            compiled.first_match(facts)
            if (seconds := time.monotonic() - began) > max(SLOW, slow.get(UUID(spec.id), 0)):
                slow[UUID(spec.id)] = seconds
    return slow
