from __future__ import annotations

import gc
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

from automation.engine.compile import compile_rules
from automation.engine.fields import MAX_CACHED
from automation.engine.memo import Memo
from tests.automation.engine.naive import naive
from tests.automation.engine.strategies import misconfiguration, rule


def test_it_answers_once_while_it_remembers():
    asked = []
    memo = Memo(lambda key: asked.append(key) or key * 2, most=2)

    assert [memo["a"], memo["a"], memo["b"]] == ["aa", "aa", "bb"]
    assert asked == ["a", "b"]


def test_it_never_holds_more_than_its_bound():
    memo = Memo(str, most=3)

    assert [memo[n] for n in range(100)] == [str(n) for n in range(100)]
    assert len(memo) <= 3


def test_it_stays_small_whatever_it_sees():
    rules = [rule(f"service:svc-{n}* @score:>={n}") for n in range(200)]
    compiled = compile_rules(rules)
    tracemalloc.start()
    for n in range(2 * MAX_CACHED):
        tags = [f"service:svc-{n % 200}-{n}", f"noise:{n}"]
        compiled.first_match(misconfiguration(tags=tags, attributes={"score": n + 0.5}))
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert held < 20_000_000


def test_it_may_be_shared_by_threads(monkeypatch):
    monkeypatch.setattr("automation.engine.fields.MAX_CACHED", 5)  # forgets all the time
    rules = [rule(f"service:svc-{n}* -env:e{n % 7}") for n in range(50)]
    compiled, loop = compile_rules(rules), naive(rules)
    findings = [
        misconfiguration(tags=[f"service:svc-{n % 50}-{n}", f"env:e{n % 11}", f"env:e{n % 5}"])
        for n in range(400)
    ]
    expected = [loop(facts) for facts in findings]

    with ThreadPoolExecutor(8) as threads:
        runs = [
            threads.submit(lambda: [compiled.first_match(facts) for facts in findings])
            for _ in range(16)
        ]
    assert all(run.result() == expected for run in runs)
