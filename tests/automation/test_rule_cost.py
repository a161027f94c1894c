"""What a rule may cost, alone and with the others, at the doors where it is saved."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from automation.models import Rule, RuleSetVersion
from automation.rule_file.document import RuleFileError
from automation.rule_file.parse import read_rules
from automation.rules import services
from automation.rules.changes import MAX_WORDS_COST
from automation.rules.data import InvalidRule, data_of, spec_of, spec_to_json
from automation.rules.services import create_rule, edit_rule
from findings.query.cost import MAX_COST, WILD_WORD
from tests.api.rules import JSON_API, URL, said
from tests.factories import ProjectFactory, ticket_rule

pytestmark = pytest.mark.django_db
TOO_COSTLY = " OR ".join(f"*a{n}*b?c*" for n in range(900))
DEAREST = " OR ".join(f"*a{n}*" for n in range(MAX_COST // WILD_WORD))
FULL = MAX_WORDS_COST // MAX_COST  # so many of the dearest rules


def data(query="", **fields):
    fields = {
        "name": f"R {uuid.uuid4()}",
        "finding_types": ["secret"],
        "max_tickets_per_day": 1,
    } | fields
    return ticket_rule(project_id=uuid.UUID(int=1), query=query, **fields)


def test_it_refuses_a_rule_that_costs_too_much_and_takes_the_dearest_that_may_be():
    with pytest.raises(InvalidRule, match="too long") as refused:
        create_rule(data(TOO_COSTLY), actor=None)
    assert TOO_COSTLY[refused.value.position :].startswith("*a100*b?c*")
    assert create_rule(data(DEAREST), actor=None).query == DEAREST


def test_it_refuses_what_the_enabled_rules_cost_together():
    for _ in range(FULL):
        create_rule(data(DEAREST), actor=None)
    off = create_rule(data("word", enabled=False), actor=None)
    for change in (
        lambda: create_rule(data("word"), actor=None),
        lambda: services.enable_rule(off.pk, actor=None),
        lambda: edit_rule(off.pk, data("word"), actor=None),
    ):
        with pytest.raises(InvalidRule, match="together"):
            change()
    assert create_rule(data("env:prod"), actor=None).enabled
    assert not Rule.objects.get(pk=off.pk).enabled


def test_it_lets_rules_from_before_the_bound_be_mended():
    rules = [create_rule(data(DEAREST, enabled=False), actor=None) for _ in range(FULL + 3)]
    Rule.objects.update(enabled=True)
    latest = RuleSetVersion.objects.first()
    latest.rules = [spec_to_json(spec_of(rule)) for rule in Rule.objects.all()]
    latest.changes = latest.base = None
    latest.save(update_fields=("rules", "changes", "base"))
    edit_rule(rules[0].pk, replace(data_of(rules[0]), query="env:prod", enabled=True), actor=None)
    services.disable_rule(rules[1].pk, actor=None)
    with pytest.raises(InvalidRule):
        create_rule(data("word"), actor=None)


def test_it_says_so_in_the_form_the_api_and_the_file(client, editor):
    client.force_login(editor)
    form = {"name": "N", "types": ["secret"], "project": str(ProjectFactory().pk), "limit": "1"}
    page = client.post(
        "/settings/findings-automation/create_ticket/new", form | {"query": TOO_COSTLY}
    )
    assert page.status_code == 422
    assert "This search would take too long." in page.content.decode()
    sent = said(rule={"query": TOO_COSTLY})
    answer = client.post(URL, sent, content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (422, JSON_API)
    assert "too long" in answer.json()["errors"][0]["detail"]
    line = f"rules:\n  - name: R\n    finding_types: [secret]\n    query: '{TOO_COSTLY}'\n"
    with pytest.raises(RuleFileError):
        read_rules(line)


def test_it_says_at_the_query_that_the_rules_together_cost_too_much(client, editor):
    for _ in range(FULL):
        create_rule(data(DEAREST), actor=None)
    client.force_login(editor)
    form = {"name": "N", "types": ["secret"], "project": str(ProjectFactory().pk), "limit": "1"}
    new = "/settings/findings-automation/create_ticket/new"
    page = client.post(new, form | {"query": "word"})
    assert page.status_code == 422
    assert "The enabled rules together look for too many words" in page.content.decode()
