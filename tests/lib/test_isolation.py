"""One bad item never stops the others."""

import pytest
from django.db import OperationalError

from config.lib.isolation import run_batch, run_each


def test_it_does_the_others_and_raises_at_the_end():
    done = []

    def work(number):
        done.append(1 / number)

    with pytest.raises(ExceptionGroup, match="2 failed") as raised:
        run_each([1, 0, 2, 0, 4], work)
    assert done == [1, 0.5, 0.25]
    assert [type(error) for error in raised.value.exceptions] == [ZeroDivisionError] * 2


def test_it_does_a_batch_at_once_and_one_by_one_only_if_that_raises():
    seen = []

    def work(numbers):
        seen.append(list(numbers))
        assert 0 not in numbers

    run_batch([1, 2], work)
    with pytest.raises(ExceptionGroup, match="1 failed"):
        run_batch([1, 0, 2], work)
    assert seen == [[1, 2], [1, 0, 2], [1], [0], [2]]


def test_no_item_is_to_blame_for_the_database():
    seen = []

    def work(numbers):
        seen.append(numbers)
        raise OperationalError

    with pytest.raises(OperationalError):
        run_batch([1, 2], work)
    assert seen == [[1, 2]]
