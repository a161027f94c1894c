from __future__ import annotations

from django.urls import path

from automation.views import (
    default_rules,
    destination,
    editor,
    effect_editor,
    evaluations,
    history,
    rules,
    tests,
)

app_name = "automation"

_LIST = "settings/findings-automation"

urlpatterns = [
    path(_LIST, rules.list_rules, name="rule-list"),
    path(f"{_LIST}/create_ticket/new", editor.create_rule, name="rule-create"),
    path(f"{_LIST}/<slug:slug>/new", effect_editor.create_rule_of, name="rule-create-of"),
    path(f"{_LIST}/deleted", history.list_deleted, name="rule-deleted"),
    path(f"{_LIST}/evaluations", evaluations.list_evaluations, name="evaluation-log"),
    path(f"{_LIST}/<uuid:rule_id>/history", history.show_history, name="rule-history"),
    path(
        f"{_LIST}/<uuid:rule_id>/history/<int:history_id>/restore",
        history.restore_version_of,
        name="rule-version-restore",
    ),
    path(f"{_LIST}/<uuid:rule_id>/restore", history.restore_rule, name="rule-restore"),
    path(f"{_LIST}/<uuid:rule_id>/edit", editor.edit_rule, name="rule-edit"),
    path(f"{_LIST}/<uuid:rule_id>/move", rules.move_rule, name="rule-move"),
    path(f"{_LIST}/<uuid:rule_id>/delete", rules.delete_rule, name="rule-delete"),
    path("rules/reorder", rules.reorder_rules, name="rule-reorder"),
    path("rules/<slug:kind>/rows", rules.more_rules, name="rule-rows"),
    path("rules/<uuid:rule_id>/menu", rules.show_menu, name="rule-menu"),
    path("rules/live", rules.live_rules, name="rule-live"),
    path("rules/<slug:kind>/change", rules.change_in_list, name="rule-change"),
    path("rules/<slug:kind>/defaults", default_rules.show_defaults, name="default-rules"),
    path(
        "rules/<slug:kind>/defaults/<str:rule_id>/toggle",
        default_rules.toggle_default,
        name="default-rule-toggle",
    ),
    path("rules/<uuid:rule_id>/toggle", rules.toggle_rule, name="rule-toggle"),
    path("rules/<uuid:rule_id>/duplicate", rules.duplicate_rule, name="rule-duplicate"),
    path("rules/<uuid:rule_id>/deliver", rules.deliver_waiting, name="rule-deliver"),
    path("rules/<slug:slug>/preview", effect_editor.preview_rule_of, name="rule-preview-of"),
    path("rules/preview", editor.preview_rule, name="rule-preview"),
    path("rules/destination", destination.choose_destination, name="destination"),
    path("rules/spaces", destination.find_spaces, name="space-list"),
    path("rules/people", destination.find_people, name="people-list"),
    path("rules/teams", destination.find_teams, name="team-list"),
    path("rules/projects", editor.create_project, name="project-create"),
    path("rules/test", tests.test_rule, name="rule-test"),
    path("tests/<uuid:run_id>", tests.show_test, name="test-show"),
    path("tests/<uuid:run_id>/again", tests.test_again, name="test-again"),
    path("tests/<uuid:run_id>/detach", tests.detach_test, name="test-detach"),
    path("rules/suggest", editor.suggest_terms, name="term-suggest"),
    path("rules/terms", editor.list_terms, name="term-list"),
]
