"""One ticket per …: an extension of the public API, and of the rule file."""

from __future__ import annotations

import pytest

from automation.models import Rule
from automation.rule_file.parse import read_rules
from automation.rule_file.plan import plan_rules
from automation.rule_file.serialize import write_rules
from automation.rules import services
from tests.api.rules import refused, said
from tests.factories import ProjectFactory, ticket_rule

pytestmark = pytest.mark.django_db


def action(answer):
    return answer.json()["data"]["attributes"]["action"]


def test_it_shows_the_grouping_only_where_one_is_set(ask):
    created = ask("post", "", said({"group_by": ["package", "team"], "reopens_closed": True}))
    shown = action(created)
    assert (shown["group_by"], shown["reopens_closed"]) == (["package", "team"], True)
    alone = action(ask("post", "", said({"group_by": None, "reopens_closed": True}, name="Alone")))
    assert set(alone) == {"target", "project_id", "max_tickets_per_day"}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({}, (["package"], True)),
        ({"group_by": None}, (None, None)),
        ({"group_by": ["team"]}, (["team"], True)),
        ({"group_by": ["team"], "reopens_closed": False}, (["team"], None)),
    ],
)
def test_an_update_keeps_what_it_does_not_mention(ask, sent, kept):
    """A client of the public API knows nothing of groups, and so ends none."""
    created = ask("post", "", said({"group_by": ["package"], "reopens_closed": True}))
    pk = created.json()["data"]["id"]
    shown = action(ask("put", f"/{pk}", said(sent)))
    assert (shown.get("group_by"), shown.get("reopens_closed")) == kept


@pytest.mark.parametrize(
    ("group_by", "sentence"),
    [
        ([], "Pick at least one field."),
        (["team"] * 2, "The same field stands twice."),
        (["team", "service", "rule", "title"], "A ticket can be grouped by 3 fields at most."),
        (["cve"], "Findings cannot be grouped by “cve”."),
        (["@workflow.due_date.due_at"], "it changes or is a time."),
    ],
)
def test_it_refuses_a_grouping_that_is_none(ask, group_by, sentence):
    answer = ask("post", "", said({"group_by": group_by}))
    assert sentence in refused(answer, 422, "/data/attributes/action/group_by")


def test_a_rule_file_says_it_and_what_it_leaves_out_is_gone(editor):
    project = ProjectFactory(key="SEC")
    rule = {"name": "Libraries", "finding_types": ["library_vulnerability"]}
    data = ticket_rule(
        **rule,
        project_id=project.pk,
        max_tickets_per_day=10,
        group_by=["package", "tag:cost"],
        reopens_closed=True,
    )
    services.create_rule(data, actor=editor)
    text = write_rules(list(Rule.objects.all()))
    assert "group_by:\n  - package\n  - tag:cost\n  reopens_closed: true\n" in text
    assert plan_rules(read_rules(text)).is_empty
    without = text.replace("  group_by:\n  - package\n  - tag:cost\n  reopens_closed: true\n", "")
    plans = plan_rules(read_rules(without)).kinds
    changed = [field for plan in plans for each in plan.changes for field, *_ in each.fields]
    assert changed == ["group_by", "reopens_closed"]
