"""What others read of findings."""

from __future__ import annotations

import pytest

from findings.selectors import finding_by_id
from tests.factories import FindingFactory

pytestmark = pytest.mark.django_db


def test_it_finds_one_by_its_public_id_with_its_evaluation(django_assert_num_queries):
    finding = FindingFactory()
    with django_assert_num_queries(1):
        found = finding_by_id(finding.finding_id)
        assert found == finding
        assert found.last_seen_at == finding.last_seen_at
    assert finding_by_id("nothing") is None


def test_it_asks_nothing_for_no_id(django_assert_num_queries):
    FindingFactory(finding_id="")
    with django_assert_num_queries(0):
        assert finding_by_id("") is None
