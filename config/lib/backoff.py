"""How long to wait before the next try."""

from __future__ import annotations

from datetime import timedelta

_MAX_DOUBLINGS = 16  # `longest` is reached before: it only keeps the number small


def doubled(first: timedelta, times: int, *, longest: timedelta) -> timedelta:
    """`first`, doubled so many times, and never more than `longest`."""
    wait: timedelta = first * 2 ** min(max(times, 0), _MAX_DOUBLINGS)
    return min(wait, longest)
