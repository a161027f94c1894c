"""Values that each new issue of a project has in fields that only Jira knows."""

from __future__ import annotations

import pytest

from tests.factories import JiraAccountFactory
from ticketing.delivery import compose
from ticketing.models import Destination

FIELD = "customfield_7"


@pytest.mark.parametrize(
    ("mode", "fields", "sent"),
    [
        ("once", {}, {"id": "10001"}),
        ("off", {}, None),
        ("once", {FIELD: "said by the rule"}, "said by the rule"),
    ],
)
def test_a_new_issue_has_them_unless_its_rule_says_its_own(
    destination, make_issue, mode, fields, sent
):
    said = {"sync_type": mode, "value": {"id": "10001"}}
    Destination.objects.update(custom_fields={FIELD: said})
    issue = make_issue(synced=False)
    issue.fields = fields
    draft = compose(issue)
    assert draft.fields.get(FIELD) == sent
    assert (FIELD in draft.optional) is (sent == {"id": "10001"})


def test_an_issue_in_another_account_has_none(destination, make_issue):
    Destination.objects.update(custom_fields={FIELD: {"sync_type": "once", "value": "x"}})
    issue = make_issue(synced=False)
    issue.account = JiraAccountFactory()
    assert FIELD not in compose(issue).fields
