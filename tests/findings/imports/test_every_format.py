"""The small report of every format, into the database and again."""

from __future__ import annotations

import pytest

from findings.formats.normalised import Rejected
from findings.imports.run import ImportOptions, import_report
from findings.models import Finding
from tests.findings.formats.conftest import SAMPLES, outcomes

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", sorted(SAMPLES.iterdir()), ids=lambda path: path.name)
def test_it_stores_a_report_and_knows_it_again(path):
    report = path.read_bytes()
    found = outcomes(report)
    rejected = sum(isinstance(each, Rejected) for each in found)
    first = import_report([report], ImportOptions(source="ci"))
    assert (first.new, first.rejected) == (len(found) - rejected, rejected)
    stored = set(Finding.objects.values_list("finding_id", "title", "severity"))
    again = import_report([report], ImportOptions(source="ci"))
    assert (again.new, again.seen_again, again.reopened) == (0, first.new, 0)
    assert set(Finding.objects.values_list("finding_id", "title", "severity")) == stored
