"""The first rows in an order, also of very many, where a sample tells where about they end."""

from __future__ import annotations

import numpy as np
import pytest

from findings.columnar.selection import first_in_order

MANY = 50_000
ORDERS = {
    "all different": lambda numbers: numbers.permutation(MANY),
    "ascending": lambda _: np.arange(MANY),
    "descending": lambda _: -np.arange(MANY),
    "few values": lambda numbers: numbers.integers(-4, 1, MANY).astype(np.int8),
    "one value": lambda _: np.zeros(MANY, np.int8),
    "few of the first, all together": lambda _: np.repeat([5, 1, 9], [40_000, 30, 9_970]),
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("most", [1, 2, 51, 101, 300, MANY, MANY + 1])
def test_the_first_are_those_that_sorting_all_of_them_puts_first(order, most):
    numbers = np.random.default_rng(most)
    first, ties = order(numbers), numbers.permutation(MANY)
    found = first_in_order(MANY, [first, ties], most)
    assert found.tolist() == np.lexsort([ties, first])[:most].tolist()
