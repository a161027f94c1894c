"""The public API's own client, over every operation on rules of the kinds beside tickets."""

from __future__ import annotations

import uuid

import pytest
from datadog_api_client.exceptions import ApiException, NotFoundException
from datadog_api_client.model_utils import validate_and_convert_types
from datadog_api_client.v2 import models as dd
from datadog_api_client.v2.api.security_monitoring_api import SecurityMonitoringApi

from tests.api.kinds import DUE, INBOX, MUTE, SEVERITY
from tests.api.rules import NOBODY

pytestmark = pytest.mark.django_db(transaction=True)
KINDS = (SEVERITY, MUTE, INBOX, DUE)
CALL = "{}_security_findings_automation_{}"


class Rules:
    """The operations on one kind of rules; documents go in and models come out."""

    def __init__(self, client, kind):
        self._api, self._kind = SecurityMonitoringApi(client), kind

    def _call(self, verb, *args, plural="", **kwargs):
        name = CALL.format(verb, self._kind.type.removesuffix("s") + plural)
        return getattr(self._api, name)(*args, **kwargs)

    def _body(self, of, document):
        name = self._kind.type.removesuffix("s").title().replace("_", "")
        model = getattr(dd, f"{name}{of}Request")
        return validate_and_convert_types(
            document, (model,), ["body"], True, True, self._api.api_client.configuration
        )

    def create(self, document):
        return self._call("create", body=self._body("Create", document)).data

    def update(self, pk, document):
        document["data"]["id"] = str(pk)
        return self._call("update", pk, body=self._body("Update", document)).data

    def get(self, pk):
        return self._call("get", pk).data

    def delete(self, pk):
        return self._call("delete", pk)

    def list(self, **page):
        return self._call("list", plural="s", **page)

    def reorder(self, *ids):
        body = self._body("Reorder", self._kind.order(*map(str, ids)))
        return self._call("reorder", plural="s", body=body).data


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type)
def test_it_speaks_with_the_client(public_client, rules_key, kind):
    rules = Rules(public_client(rules_key), kind)
    made = rules.create(kind.said(kind.other, name="A", query="env:staging"))
    assert made.attributes.action.to_dict() == kind.other
    assert not made._unparsed
    assert rules.get(made.id).to_dict() == made.to_dict()
    changed = rules.update(made.id, kind.said(name="B", enabled=False))
    assert changed.attributes.action.to_dict() == kind.action
    assert (changed.attributes.name, changed.attributes.enabled) == ("B", False)
    last = rules.create(kind.said(name="C")).id
    assert [item.id for item in rules.reorder(last, made.id)] == [last, made.id]
    page = rules.list(page_size=1, page_number=1)
    assert ([rule.id for rule in page.data], page._unparsed) == ([made.id], False)
    assert page.meta.page.total_filtered_count == 2
    assert rules.delete(made.id) is None
    for call in (rules.get, rules.delete):
        with pytest.raises(NotFoundException) as refused:
            call(made.id)
        assert refused.value.body["errors"][0]["detail"] == "rule does not exist"


def test_the_client_reads_a_refused_order(public_client, rules_key):
    rules = Rules(public_client(rules_key), MUTE)
    rules.create(MUTE.said())
    with pytest.raises(ApiException) as refused:
        rules.reorder(uuid.UUID(NOBODY), uuid.UUID(int=2))
    assert refused.value.status == 422
    assert refused.value.body["errors"][0]["detail"] == "reorder must include all 1 rules, got 2"


def test_the_client_switches_default_rules(public_client, rules_key):
    api = SecurityMonitoringApi(public_client(rules_key))

    def call(verb, *args, plural=""):
        return getattr(api, CALL.format(verb, f"default_inbox_rule{plural}"))(*args)

    listed = call("list", plural="s")
    assert (len(listed.data), listed._unparsed) == (8, False)
    for verb, enabled in (("enable", True), ("disable", False)):
        switched = call(verb, "secret_default_rule").data
        assert (switched.attributes.enabled, switched._unparsed) == (enabled, False)
        assert call("get", "secret_default_rule").data.to_dict() == switched.to_dict()
    with pytest.raises(NotFoundException):
        call("get", "nope")
