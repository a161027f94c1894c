"""What a person meets when somebody else was faster."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from automation.rules import services
from findings.imports.run import ImportOptions, import_report
from findings.models import Import
from tests.factories import ProjectFactory
from ticketing.models import Project
from ticketing.projects import create_project

pytestmark = pytest.mark.django_db


def somebody_else_was_faster():
    """The check sees nothing yet; the database knows better."""
    return patch.object(Project, "full_clean", autospec=True, side_effect=[None, _clean])


_clean = ValidationError({"key": "Project with this Key already exists."})


def test_it_says_at_the_field_that_a_key_was_taken_meanwhile():
    ProjectFactory(key="SEC")
    with somebody_else_was_faster(), pytest.raises(ValidationError) as refused:
        create_project(key="SEC", name="Security", actor=None)
    assert "key" in refused.value.message_dict
    assert Project.objects.count() == 1


def test_it_keeps_an_import_whose_file_name_has_a_nul():
    import_report([b"[]"], ImportOptions(file_name="a\0b.json"))
    assert Import.objects.get().file_name == "ab.json"


@pytest.mark.parametrize("name", ["rule-toggle", "rule-move", "rule-delete", "rule-duplicate"])
def test_it_answers_404_for_a_rule_deleted_meanwhile(name, make_rule, as_user, editor):
    rule = make_rule()
    browser = as_user(editor)
    deleting = patch(
        "automation.views.rules._rule",
        side_effect=lambda _: (services.delete_rule(rule.pk, actor=None), rule)[1],
    )
    with deleting:
        answer = browser.post(
            reverse(f"automation:{name}", args=[rule.pk]),
            {"enabled": "on", "position": 1, "version": 1},
        )
    assert answer.status_code == 404


def test_it_answers_404_when_a_rule_is_saved_that_was_deleted_meanwhile(
    make_rule, as_user, editor, project
):
    rule = make_rule()
    browser = as_user(editor)
    form = {
        "name": "x", "types": ["secret"], "query": "", "project": project.pk, "limit": 5,
        "severities": [], "assignee": "", "seen": "",
    }  # fmt: skip
    with patch(
        "automation.views.editor._rule",
        side_effect=lambda _: (services.delete_rule(rule.pk, actor=None), rule)[1],
    ):
        answer = browser.post(reverse("automation:rule-edit", args=[rule.pk]), form)
    assert answer.status_code in (404, 409)


def test_it_refuses_to_move_a_rule_by_an_order_that_never_was(make_rule, as_user, editor):
    rule = make_rule()
    answer = as_user(editor).post(
        reverse("automation:rule-move", args=[rule.pk]), {"position": 1, "version": 9999}
    )
    assert answer.status_code == 422
