"""The public API's own client against a live server, and what Terraform relies on."""

from __future__ import annotations

import uuid

import pytest
from datadog_api_client.exceptions import ApiException, ForbiddenException, NotFoundException
from datadog_api_client.v2 import models as dd
from datadog_api_client.v2.api.security_monitoring_api import SecurityMonitoringApi

from automation.models import Rule
from config.accounts.roles import Permission
from tests.api.rules import NOBODY

pytestmark = pytest.mark.django_db(transaction=True)
TYPE = dd.TicketCreationRuleType.TICKET_CREATION_RULES
_CALL = "{}_security_findings_automation_ticket_creation_rule{}"


class Rules:
    """The six operations by their short names."""

    def __init__(self, client) -> None:
        api = SecurityMonitoringApi(client)
        self.list = getattr(api, _CALL.format("list", "s"))
        self.get = getattr(api, _CALL.format("get", ""))
        self.create = getattr(api, _CALL.format("create", ""))
        self.update = getattr(api, _CALL.format("update", ""))
        self.delete = getattr(api, _CALL.format("delete", ""))
        self.reorder = getattr(api, _CALL.format("reorder", "s"))

    def order(self) -> list[uuid.UUID]:
        return [rule.id for rule in self.list().data]


@pytest.fixture
def rules(public_client, rules_key):
    return Rules(public_client(rules_key))


def attributes(name="Libraries", *, scope=None, **action):
    return dd.TicketCreationRuleAttributesCreate(
        name=name,
        rule=scope or dd.AutomationRuleScope(finding_types=[_type("library_vulnerability")]),
        action=dd.TicketCreationRuleAction(
            **{
                "target": dd.TicketCreationTarget.JIRA,
                "project_id": uuid.UUID(NOBODY),
                "max_tickets_per_day": 10,
            }
            | action
        ),
    )


def _type(value):
    [model] = dd.AutomationRuleScope.openapi_types["finding_types"][0]
    return model(value)


def new(*args, **kwargs):
    data = dd.TicketCreationRuleDataCreate(type=TYPE, attributes=attributes(*args, **kwargs))
    return dd.TicketCreationRuleCreateRequest(data=data)


def changed(rule_id, *args, **kwargs):
    said = attributes(*args, **kwargs)
    data = dd.TicketCreationRuleDataUpdate(type=TYPE, id=rule_id, attributes=said)
    return dd.TicketCreationRuleUpdateRequest(data=data)


def ordered(*ids):
    items = [dd.TicketCreationRuleReorderItem(type=TYPE, id=each) for each in ids]
    return dd.TicketCreationRuleReorderRequest(data=items)


def test_it_creates_and_gets(rules, editor):
    scope = dd.AutomationRuleScope(finding_types=[_type("secret")], query="@severity:critical")
    fields = {"labels": ["x"], "customfield_10010": {"id": "1"}}
    made = rules.create(new("Secrets", scope=scope, fields=fields)).data
    assert not made._unparsed
    assert rules.get(made.id).data.to_dict() == made.to_dict()
    assert made.attributes.rule.query == "@severity:critical"
    assert made.attributes.action.fields == fields
    assert made.attributes.created_by.name == editor.name
    assert made.attributes.created_at == made.attributes.modified_at


def test_it_updates(rules):
    made = rules.create(new()).data
    shown = rules.update(made.id, changed(made.id, "Renamed", max_tickets_per_day=500)).data
    assert not shown._unparsed
    assert (shown.attributes.name, shown.attributes.action.max_tickets_per_day) == ("Renamed", 500)


def test_it_deletes(rules):
    made = rules.create(new()).data
    assert rules.delete(made.id) is None
    assert rules.list().data == []


def test_it_lists_and_reorders(rules):
    a, b = (rules.create(new(name)).data.id for name in "AB")
    assert [item.id for item in rules.reorder(ordered(b, a)).data] == [b, a]
    c = rules.create(new("C")).data.id
    assert rules.order() == [b, a, c]
    page = rules.list(page_size=2, page_number=1)
    assert [rule.id for rule in page.data] == [c]
    assert page.meta.page.total_filtered_count == 3
    assert page.links.prev.endswith("?page[size]=2&page[number]=0")


def test_it_reads_every_rule_whatever_it_is(rules, editor):
    """A broken rule, one of the system, every target and type: nothing is left unparsed."""
    every = dd.AutomationRuleScope.openapi_types["finding_types"][0][0].allowed_values
    scope = dd.AutomationRuleScope(finding_types=[_type(value) for value in sorted(every)])
    made = rules.create(new(scope=scope, target=dd.TicketCreationTarget.CASE_MANAGEMENT)).data
    Rule.objects.update(enabled=False, auto_disabled_reason="Gone.", modified_by=None)
    shown = rules.get(made.id)
    assert not shown._unparsed
    assert not shown.data._unparsed
    assert shown.data.attributes.action.auto_disabled_reason == "Gone."
    assert str(shown.data.attributes.modified_by.type) == "system"


# --- What Terraform relies on ---------------------------------------------------------------


def test_terraform_takes_404_for_a_rule_that_is_gone(rules):
    for call in (rules.get, rules.delete):
        with pytest.raises(NotFoundException) as raised:
            call(uuid.UUID(NOBODY))
        assert raised.value.body["errors"][0]["detail"] == "rule does not exist"


def test_terraform_replaces_the_whole_rule(rules):
    fields = {"labels": ["x"]}
    assignee = uuid.UUID(NOBODY)
    made = rules.create(new(fields=fields, assignee_id=assignee)).data
    shown = rules.update(made.id, changed(made.id)).data
    left = set(shown.attributes.action.to_dict())
    assert left == {"target", "project_id", "max_tickets_per_day"}


def test_terraform_finds_the_order_it_wrote_and_what_others_added(rules):
    a, b = (rules.create(new(name)).data.id for name in "AB")
    rules.reorder(ordered(b, a))
    others = rules.create(new("by hand")).data.id
    assert rules.order() == [b, a, others]
    with pytest.raises(ApiException) as raised:
        rules.reorder(ordered(a, b))
    assert raised.value.status == 422
    assert raised.value.body["errors"][0]["detail"] == "reorder must include all 3 rules, got 2"


# --- Errors the client reads -----------------------------------------------------------------


def test_the_client_reads_what_is_refused(rules):
    scope = dd.AutomationRuleScope(finding_types=[_type("secret")], query="@status:open")
    with pytest.raises(ApiException) as raised:
        rules.create(new(scope=scope))
    assert raised.value.status == 422
    [error] = raised.value.body["errors"]
    assert error["source"]["pointer"] == "/data/attributes/rule/query"


def test_the_client_reads_forbidden(public_client, make_key):
    rules = Rules(public_client(make_key(Permission.RULES_READ)))
    with pytest.raises(ForbiddenException) as raised:
        rules.create(new())
    assert raised.value.body["errors"][0] == "Forbidden"
