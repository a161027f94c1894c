"""One moment, handed down."""

from __future__ import annotations

from django.conf import settings

from config.lib.deadline import TASK_SECONDS, Deadline


def test_it_counts_down_and_a_part_ends_no_later_than_the_whole():
    now = [100.0]
    whole = Deadline(10, clock=lambda: now[0])
    part, longer = whole.within(4), whole.within(60)
    assert (whole.left, part.left, longer.left) == (10, 4, 10)
    now[0] += 6
    assert (whole.left, part.left, part.is_over, whole.is_over) == (4, 0, True, False)
    now[0] += 60
    assert (whole.left, whole.is_over, whole.within(5).left) == (0, True, 0)


def test_a_task_ends_well_before_the_queue_kills_it():
    assert settings.Q_CLUSTER["timeout"] >= TASK_SECONDS + 15
