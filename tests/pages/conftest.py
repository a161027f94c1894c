from __future__ import annotations

import pytest

from automation.rules import services
from tests.factories import ProjectFactory, ticket_rule


@pytest.fixture
def project(db):
    return ProjectFactory(key="RISK", name="Cloud Risk")


@pytest.fixture
def make_rule(project):
    def make(name="Exposed secrets", *, actor=None, **said):
        data = {
            "finding_types": ["secret"],
            "query": "",
            "project_id": project.pk,
            "max_tickets_per_day": 10,
            **said,
        }
        return services.create_rule(ticket_rule(name=name, **data), actor=actor)

    return make
