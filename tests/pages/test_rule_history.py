"""The history of a rule, and the deleted rules: both lead back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from msgspec.structs import replace as replace_struct

from automation.models import Rule
from automation.rules import services
from automation.rules.data import action_of, data_of
from automation.undo import EDIT, recorded
from tests.factories import ProjectFactory
from tests.pages.test_undo import toasts
from ticketing.models import Project

LIST = "/settings/findings-automation"


@pytest.fixture
def deleted(as_user, editor, make_rule):
    make_rule("First")
    rule = make_rule()
    make_rule("Last")
    answer = as_user(editor).post(f"{LIST}/{rule.pk}/delete")
    return rule, toasts(answer)[0]


def test_its_toast_brings_a_deleted_rule_back(as_user, editor, deleted):
    rule, told = deleted
    assert told["title"] == "Rule Exposed secrets deleted"
    assert told["text"] == "It had created no tickets. It ran at position 2 of 3."

    [back] = toasts(as_user(editor).post(told["undo_url"]))

    assert back["title"] == "Rule Exposed secrets restored"
    assert back["text"].startswith("At position 2 of 3, enabled. ")
    assert Rule.objects.get(pk=rule.pk).position == rule.position


def test_a_rule_that_was_deleted_long_ago_is_restored_from_the_list(as_user, editor, deleted):
    rule, _ = deleted
    client = as_user(editor)
    assert f"href={LIST}/deleted>" in client.get(LIST).content.decode()
    body = client.get(f"{LIST}/deleted").content.decode()
    assert "Exposed secrets" in body
    assert f'action="{LIST}/{rule.pk}/restore"' in body
    assert "Restore rule" in client.get(f"{LIST}/{rule.pk}/history").content.decode()

    answer = client.post(f"{LIST}/{rule.pk}/restore")

    assert answer.url == f"{LIST}?rule={rule.pk}#rule-{rule.pk}"
    assert "No deleted rules" in client.get(f"{LIST}/deleted").content.decode()
    assert "is not deleted" in str(
        client.post(f"{LIST}/{rule.pk}/restore", follow=True).content.decode()
    )


def test_it_says_why_a_rule_is_not_restored(as_user, editor, deleted, make_rule):
    rule, _ = deleted
    make_rule()
    page = as_user(editor).post(f"{LIST}/{rule.pk}/restore", follow=True).content.decode()
    assert "Another rule is already called “Exposed secrets”. Rename that one first." in page
    assert not Rule.objects.filter(pk=rule.pk).exists()


def test_a_version_is_restored_from_the_history(as_user, editor, make_rule):
    rule = make_rule()
    first = Rule.history.get(id=rule.pk).history_id
    rule = services.disable_rule(rule.pk, actor=editor)
    Rule.objects.filter(pk=rule.pk).update(query="team:web")
    client, address = as_user(editor), f"{LIST}/{rule.pk}/history"
    with CaptureQueriesContext(connection) as queries:
        body = client.get(address).content.decode()
    assert len(queries) <= 8
    assert f'action="{address}/{first}/restore"' in body
    assert "Restore this version" in body

    [told] = toasts(client.post(f"{address}/{first}/restore"))

    assert (told["title"], told["text"]) == ("Rule Exposed secrets restored", "It stays off.")
    assert not Rule.objects.get(pk=rule.pk).query


def test_the_history_offers_undo_of_an_edit_for_an_hour(as_user, editor, viewer, make_rule):
    rule = make_rule()
    with recorded(EDIT, rule, actor=editor) as recording:
        services.disable_rule(rule.pk, actor=editor)
    offered = f'action="/undo/{recording.act.pk}"'
    address = f"{LIST}/{rule.pk}/history"

    assert offered in as_user(editor).get(address).content.decode()
    seen = as_user(viewer).get(address).content.decode()
    assert offered not in seen
    assert "Restore this version" not in seen


@pytest.mark.parametrize("part", ["history", "restore", "history/1/restore"])
def test_it_knows_no_other_rule(as_user, editor, part):
    client = as_user(editor)
    ask = client.get if part == "history" else client.post
    assert ask(f"{LIST}/99999999-9999-4999-8999-999999999999/{part}").status_code == 404


def test_it_names_projects_and_people_and_nothing_that_stayed(as_user, editor, make_rule):
    rule = make_rule("Leaks")
    first = Project.objects.get(pk=action_of(rule).project_id)
    second = ProjectFactory(key="OPS", name="Operations")
    said = data_of(rule)
    action = replace_struct(said.action, project_id=second.pk, assignee_id=editor.pk, fields={})
    services.edit_rule(rule.pk, replace(said, action=action), actor=editor)
    page = as_user(editor).get(f"{LIST}/{rule.pk}/history").content.decode()
    assert f"{first.key} {first.name}" in page
    assert "OPS Operations" in page
    assert page.count(editor.name) > page.count("Edited")
    for unsaid in (str(first.pk), str(second.pk), str(editor.pk), "Project id", "Fields"):
        assert unsaid not in page
