from __future__ import annotations

import pytest
from django.db import connection

from findings.explorer.related import sharing
from findings.facts import Status
from tests.factories import FindingFactory


@pytest.fixture
def panel(as_user, viewer):
    """`panel(finding)`: the finding's page."""
    client = as_user(viewer)
    return lambda finding: client.get(f"/findings/{finding.finding_id}").content.decode()


def _reported_by(scanner, correlation_id, **fields):
    attributes = {"correlation_id": correlation_id, "scanner": {"name": scanner}}
    return FindingFactory(attributes=attributes, **fields)


def test_it_names_the_other_tools_that_report_the_same(panel):
    finding = _reported_by("Trivy", "0a1b")
    other = _reported_by("Grype", "0a1b")
    _reported_by("Snyk", "0a1b", status=Status.RESOLVED)
    _reported_by("Clair", "ffff")
    again = _reported_by("Trivy", "0a1b")

    page = panel(finding)

    assert "Also reported by" in page
    assert f'/findings/{other.finding_id}"' in page
    assert "Grype</a>" in page
    assert "Snyk" not in page
    assert "Clair" not in page
    assert again.finding_id not in page
    assert "Also reported by" not in panel(_reported_by("Trivy", "eeee"))


@pytest.mark.parametrize("correlation_id", [None, 7, "", ["a"], {"a": 1}, "*", '"', "x" * 9_000])
def test_it_bears_any_correlation_id(panel, correlation_id):
    finding = _reported_by(7, correlation_id)
    _reported_by("Clair", "x" * 64)
    _reported_by("Grype", "0a1b")

    assert "Also reported by" not in panel(finding)


def test_it_finds_the_other_tools_by_an_index(panel):
    sql = str(sharing("0a1b").query).replace("0a1b", "'0a1b'")
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        else:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {sql}")
        assert "finding_correlation" in str(cursor.fetchall())
