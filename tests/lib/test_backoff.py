"""How long to wait before the next try."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.lib.backoff import doubled

FIRST, LONGEST = timedelta(seconds=2), timedelta(seconds=30)


@pytest.mark.parametrize(
    ("times", "seconds"),
    [(-1, 2), (0, 2), (1, 4), (2, 8), (3, 16), (4, 30), (16, 30), (10**9, 30)],
)
def test_it_doubles_until_the_longest(times, seconds):
    assert doubled(FIRST, times, longest=LONGEST) == timedelta(seconds=seconds)


def test_it_never_waits_longer_than_the_longest_even_at_first():
    assert doubled(LONGEST, 0, longest=FIRST) == FIRST
