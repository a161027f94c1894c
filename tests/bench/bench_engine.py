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
from tests.bench.rows import Row

ROUNDS = 5
GOALS = {  # rules → engine ÷ naive: values seen before, no value seen before
    10: (None, None),
    100: (None, None),
    1_000: (70, 12),
    5_000: (300, None),
}
GROWTH = 0.25


def run() -> Iterator[Row]:
    warm_costs: dict[int, float] = {}
    for count, (warm_goal, unseen_goal) in GOALS.items():
        specs = workload.rules(count)
        loop, engine = naive(specs), compile_rules(specs).first_match
        seen = workload.findings(20_000, "seen")
        _check_agreement(engine, loop, seen[:300])

        _seconds_each(engine, seen)  # warms
        warm_costs[count] = min(_seconds_each(engine, seen) for _ in range(ROUNDS))
        slow = min(_seconds_each(loop, seen[:300]) for _ in range(ROUNDS))
        yield _ratio(f"engine ÷ naive, {count:,} rules, warm", slow, warm_costs[count], warm_goal)

        batches = [
            workload.findings(2_000, f"unseen{number}", unseen=True) for number in range(ROUNDS)
        ]
        _check_agreement(engine, loop, batches[0][:100])
        fast = min(_seconds_each(engine, batch) for batch in batches[1:])
        slow = min(_seconds_each(loop, batch[:300]) for batch in batches[1:])
        yield _ratio(f"engine ÷ naive, {count:,} rules, all unseen", slow, fast, unseen_goal)
    exponent = log(warm_costs[5_000] / warm_costs[10]) / log(5_000 / 10)
    yield Row(
        "engine, growth of cost from 10 to 5,000 rules",
        f"N^{exponent:.2f}",
        f"≤ N^{GROWTH}",
        exponent <= GROWTH,
    )


def _ratio(what: str, slow: float, fast: float, goal: int | None) -> Row:
    ratio = slow / fast
    return Row(
        what,
        f"{ratio:.0f}× ({1 / fast:,.0f}/s against {1 / slow:,.0f}/s)",
        f"≥ {goal}×" if goal else "",
        ratio >= goal if goal else None,
    )


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
