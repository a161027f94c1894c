"""Which rules cannot be evaluated, whatever the finding: faults of theirs, not of the findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import structlog

from automation.engine.compile import compile_rules
from automation.engine.rules import RuleSpec
from findings.facts import Facts

log = structlog.stdlib.get_logger(__name__)


def raising(specs: Sequence[RuleSpec], findings: Sequence[Facts]) -> dict[UUID, str]:
    """The rules that raise for each of these findings, and do not without their query: what
    raises without it, too, is the engine's fault. With the reason."""
    faults: dict[UUID, str] = {}
    for spec in specs:
        errors = [_error_of(spec, facts) for facts in findings]
        without_query = replace(spec, query="")
        if (
            errors
            and (first := errors[0])
            and all(errors)
            and not any(_error_of(without_query, facts) for facts in findings)
        ):
            log.error("rule cannot be evaluated", rule=spec.name, exc_info=first)
            faults[UUID(spec.id)] = f"Evaluating its query failed ({type(first).__name__})."
    return faults


def without_faulty(specs: Sequence[RuleSpec]) -> tuple[list[RuleSpec], dict[UUID, str]]:
    """The rules with those switched off that cannot be compiled, and why not."""
    sound: list[RuleSpec] = []
    faults: dict[UUID, str] = {}
    for spec in specs:
        if (error := _error_of(spec)) is None:
            sound.append(spec)
            continue
        log.error("rule cannot be compiled", rule=spec.name, exc_info=error)
        reason = f"Its query cannot be evaluated ({type(error).__name__})."
        if not spec.is_default:
            faults[UUID(spec.id)] = reason
        sound.append(replace(spec, query="", enabled=False, auto_disabled_reason=reason))
    return sound, faults


def _error_of(spec: RuleSpec, facts: Facts | None = None) -> Exception | None:
    try:
        compiled = compile_rules([spec])
        if facts is not None:
            compiled.first_match(facts)
    except Exception as error:  # noqa: BLE001  whatever it is, it is an answer
        return error
    return None
