"""Numbers of rows."""

from __future__ import annotations

import pytest

from config.lib.counting import numbers_of
from findings.models import Finding
from tests.factories import FindingFactory

pytestmark = pytest.mark.django_db


def test_it_counts_each_by_itself_in_one_statement(django_assert_num_queries):
    FindingFactory.create_batch(3, severity="critical")
    FindingFactory.create_batch(2, severity="low")
    everything = Finding.objects.all()
    with django_assert_num_queries(1):
        assert numbers_of(
            [
                everything,
                everything.filter(severity="critical"),
                everything.order_by()[:4],
                everything.filter(pk__in=[]),
            ]
        ) == [5, 3, 4, 0]


def test_it_asks_nothing_for_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert numbers_of([]) == []
