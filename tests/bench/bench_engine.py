"""The engine against the loop that it must agree with, in one run on one machine."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from math import log
from time import process_time

from automation.engine.compile import compile_rules
from findings.facts import Facts
from tests.automation.engine.naive import FirstMatch, naive
from tests.bench import engine_workload as workload
from tests.bench.rows import Options, Row

ROUNDS = 9
SAMPLE = 200
RULES = (10, 100, 1_000, 5_000)


def run(options: Options) -> Iterator[Row]:
    warm_costs: dict[int, float] = {}
    for count in RULES:
        specs = workload.rules(count)
        engine, loop = compile_rules(specs).first_match, naive(specs)

        seen = [workload.findings(SAMPLE, "seen")] * ROUNDS
        _check_agreement(engine, loop, seen[0])
        for facts in workload.findings(20_000, "before"):
            engine(facts)
        warm_costs[count], slow = _costs(engine, loop, seen)
        yield _ratio(f"engine ÷ naive, {count:,} rules, warm", slow, warm_costs[count])

        unseen = [
            workload.findings(SAMPLE, f"unseen{number}", unseen=True) for number in range(ROUNDS)
        ]
        fast, slow = _costs(engine, loop, unseen)
        _check_agreement(engine, loop, unseen[0])
        yield _ratio(f"engine ÷ naive, {count:,} rules, all unseen", slow, fast)
    exponent = log(warm_costs[5_000] / warm_costs[10]) / log(5_000 / 10)
    yield Row("engine, exponent of growth from 10 to 5,000 rules", exponent, "")


def _costs(
    engine: FirstMatch, loop: FirstMatch, batches: Sequence[Sequence[Facts]]
) -> tuple[float, float]:
    """CPU seconds for one finding of each, taking turns on the same findings; best of all."""
    turns = [(_seconds_each(engine, batch), _seconds_each(loop, batch)) for batch in batches]
    fast, slow = zip(*turns, strict=True)
    return min(fast), min(slow)


def _ratio(what: str, slow: float, fast: float) -> Row:
    return Row(what, slow / fast, "×", f"{1 / fast:,.0f}/s against {1 / slow:,.0f}/s")


def _seconds_each(first_match: FirstMatch, findings: Sequence[Facts]) -> float:
    gc.collect()
    gc.disable()
    started = process_time()
    for facts in findings:
        first_match(facts)
    spent = process_time() - started
    gc.enable()
    return spent / len(findings)


def _check_agreement(engine: FirstMatch, loop: FirstMatch, findings: Sequence[Facts]) -> None:
    """A ratio between two programs that disagree would mean nothing."""
    for facts in findings:
        if engine(facts) != loop(facts):
            raise AssertionError(f"engine and loop disagree about {facts}")
