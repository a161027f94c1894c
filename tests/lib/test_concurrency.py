from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from config.lib.concurrency import SEARCHES, Limiter, TooManyAtOnce
from config.runtime.web.limits import Limits


def test_it_lets_each_client_have_some_and_all_of_them_more():
    limiter = Limiter("searches", each=2, total=3)
    first, _ = limiter.acquire("a"), limiter.acquire("a")
    with pytest.raises(TooManyAtOnce, match="searches of yours are running"):
        limiter.acquire("a")
    limiter.acquire("b")
    with pytest.raises(TooManyAtOnce, match="searches are running"):
        limiter.acquire("c")
    first()
    first()  # gives nothing back that it does not have
    limiter.acquire("c")
    with pytest.raises(TooManyAtOnce):
        limiter.acquire("d")


def test_it_has_a_few_wait_for_their_turn_and_refuses_the_others_at_once():
    limiter = Limiter("searches", each=1, total=9, waiting=1, seconds=20)
    release = limiter.acquire("a")
    with ThreadPoolExecutor(2) as pool:
        one, other = (pool.submit(limiter.acquire, "a") for _ in range(2))
        refused = wait_for_either(one, other)
        assert isinstance(refused.exception(), TooManyAtOnce)
        release()
        assert callable(({one, other} - {refused}).pop().result(timeout=10))


def wait_for_either(*futures):
    done = threading.Event()
    for future in futures:
        future.add_done_callback(lambda _: done.set())
    assert done.wait(10)
    return next(future for future in futures if future.done())


def test_it_leaves_a_thread_to_the_others_whatever_one_client_does():
    threads = Limits().threads["search"]
    assert SEARCHES._each + SEARCHES._most_waiting < threads
