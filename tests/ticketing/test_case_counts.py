"""How the tabs over the cases are counted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from tests.factories import ProjectFactory, UserFactory
from ticketing.case_lists import CaseQuery
from ticketing.models import Case

INDEXES = {"overdue": "case_overdue", "archived": "case_archived"}


@pytest.mark.django_db
def test_those_that_find_few_of_many_cases_have_an_index():
    project, now = ProjectFactory(), timezone.now()
    due, archived = now.date() - timedelta(days=1), {"archived_at": now}
    Case.objects.bulk_create(
        Case(
            project=project,
            number=number,
            key=f"{project.key}-{number}",
            title="Odd",
            origin="manual",
            due_date=due if number % 50 == 0 else None,
            **(archived if number % 50 == 1 else {}),
        )
        for number in range(1, 2_001)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE ticketing_case")
    for view, index in INDEXES.items():
        found = Case.objects.filter(CaseQuery(view=view).condition(UserFactory()))
        assert found.count() == 40
        assert index in found.order_by().values("pk").explain()
