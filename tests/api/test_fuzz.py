"""Requests made up from the OpenAPI document: whatever is sent, nothing breaks."""

from __future__ import annotations

import uuid

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
)

from automation.kinds.registry import ORDER
from automation.rules.data import RuleData
from automation.rules.services import create_rule
from config.accounts.roles import Permission
from config.wsgi import application
from tests.api.kinds import KINDS
from tests.api.promises import our_document
from tests.factories import (
    FindingFactory,
    JiraAccountFactory,
    JiraIssueTemplateFactory,
    ProjectFactory,
    opened_case,
    ticket_rule,
)

EXAMPLES = 5  # an operation, beside those that schemathesis makes of each limit
SAID = (503,)  # Jira is away


def nothing_breaks(ctx, response, case):
    """An operation beside those of the document may be one that is not built."""
    if response.status_code not in SAID:
        not_a_server_error(ctx, response, case)


CHECKS = [nothing_breaks, response_schema_conformance, content_type_conformance]


def _without_keys(document):
    """Made-up keys would be refused before anything is looked at; ours are sent instead."""
    del document["components"]["securitySchemes"]
    for methods in document["paths"].values():
        for operation in methods.values():
            operation.pop("security", None)
    return document


schema = schemathesis.openapi.from_dict(_without_keys(our_document()))
schema.app = application


@pytest.fixture(autouse=True)
def _one_connection():
    """A request ends without closing the connection that holds the test's transaction."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


AUTOMATION = "/api/v2/security/findings/automation/"


def _rule(kind, admin):
    actions = {each.type: each.action for each in KINDS}
    action = kind.read(actions[kind.resource_type])
    return create_rule(RuleData(name="R", finding_types=["secret"], action=action), actor=admin)


@pytest.fixture
def there(admin):
    """An id that exists, for each parameter of a path."""
    project = ProjectFactory()
    rule = create_rule(
        ticket_rule(
            name="There",
            finding_types=["secret"],
            project_id=project.pk,
            max_tickets_per_day=1,
        ),
        actor=admin,
    )
    return {
        f"{AUTOMATION}{kind.resource_type}": str(_rule(kind, admin).pk)
        for kind in ORDER
        if kind.acts_on_existing
    } | {
        f"{AUTOMATION}default_inbox_rules": "secret_default_rule",
        "rule_id": str(rule.pk),
        "finding_id": FindingFactory().finding_id,
        "project_id": str(project.pk),
        "case_id": str(opened_case(project).pk),
        "account_id": str(JiraAccountFactory().pk),
        "issue_template_id": str(JiraIssueTemplateFactory().pk),
        "import_id": str(uuid.uuid4()),
    }


@pytest.mark.django_db
@schema.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_it_answers_as_documented_and_never_breaks(case, make_key, there):
    family, _, _ = case.path.partition("/{")
    for name in case.path_parameters or ():
        known = there.get(family, there.get(name))
        case.path_parameters[name] = known or case.path_parameters[name]
    headers = {"DD-API-KEY": make_key(*Permission, name=str(uuid.uuid4()))}
    headers["Accept-Encoding"] = "identity"  # it reads bodies as they come
    case.call_and_validate(headers=headers, checks=CHECKS)
