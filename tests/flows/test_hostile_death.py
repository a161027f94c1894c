"""A command that dies at any statement leaves nothing behind, and works when tried again."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from datetime import date

import pytest
from django.apps import apps
from django.db import OperationalError, connection, transaction

from automation import services
from automation.conservation import violations
from automation.models import Rule
from automation.pipeline import evaluate_chunk
from automation.rule_data import RuleData
from findings.facts import Status
from findings.models import Finding
from findings.services import change_status, mute, record
from tests.factories import (
    DestinationFactory,
    JiraAccountFactory,
    ProjectFactory,
    SourceFactory,
    reported,
)
from ticketing.asked import Asked, open_asked
from ticketing.attaching import promise_issue_at
from ticketing.commenting import delete_comment, edit_comment
from ticketing.destinations import Place, link
from ticketing.details import set_attributes, set_due_date
from ticketing.following import follow_findings
from ticketing.models import Case, Project
from ticketing.outbox import Promise
from ticketing.projects import delete_project
from ticketing.services import attach, change_case, comment, detach, move, open_manual_case

APPS = ("findings", "ticketing", "automation")
UNDO = ("SAVEPOINT", "RELEASE", "ROLLBACK")


class DatabaseGone(OperationalError):
    pass


@contextmanager
def dying_at(statement):
    """The connection fails at this statement (from 0); `left` says how many came before."""
    left = [statement]

    def execute(run, sql, params, many, context):
        if sql.startswith(UNDO):
            return run(sql, params, many, context)
        if left[0] == 0:
            raise DatabaseGone(sql)
        left[0] -= 1
        return run(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield


def everything():
    """Every row of the core, in words that a second try repeats (no ids, no counters)."""
    return {
        model._meta.label: sorted(map(repr, model.objects.values_list()))
        for name in APPS
        for model in apps.get_app_config(name).get_models()
    }


def shape():
    """What there is at the end, without random ids."""
    return {
        "findings": list(
            Finding.objects.order_by("pk").values_list(
                "status", "ticket", "ticket_key", "ticket_status", "unevaluated_since"
            )
        ),
        "cases": list(Case.objects.order_by("key").values_list("key", "status", "title")),
        "rules": list(Rule.objects.values_list("name", "position", "enabled")),
        **{
            model._meta.label: model.objects.count()
            for name in APPS
            for model in apps.get_app_config(name).get_models()
        },
    }


def pks():
    return list(Finding.objects.order_by("pk").values_list("pk", flat=True))


def rules():
    return list(Rule.objects.values_list("pk", flat=True))


def data(**said):
    return RuleData(
        **{
            "name": "New",
            "finding_types": ["secret"],
            "project_id": Project.objects.get(key="SEC").pk,
            "max_tickets_per_day": 3,
        }
        | said
    )


def follow_resolved():
    change_status(pks()[:2], status=Status.RESOLVED, actor=None)
    return follow_findings


def first_case():
    return Case.objects.order_by("number").first()


def ask_for_cases():
    project, (first, *rest) = Project.objects.get(key="OPS"), pks()
    wishes = [Asked(project=project, finding_pks=each) for each in ([first], rest)]
    return lambda: open_asked(wishes, actor=None)


def ask_for_issues():
    place = DestinationFactory(project=Project.objects.get(key="OPS"))
    promise = Promise({"labels": ["now"]})
    wish = Asked(project=place.project, finding_pks=pks(), promise=promise)
    return lambda: open_asked([wish], actor=None)


def comment_on(deed):
    entry = comment(first_case(), "Frist", actor=None)
    return lambda: deed(entry)


def link_ops():
    account, project = JiraAccountFactory(), Project.objects.get(key="OPS")
    place = Place("10000", "SEC", "Security", "10001", "Task")
    return lambda: link(project, account, place, actor=None)


def promise_elsewhere():
    account, case = JiraAccountFactory(), first_case()
    place = Place("10000", "SEC", "Security", "10001", "Task")
    return lambda: promise_issue_at(case, place.of_issue, {}, account=account)


COMMANDS = {
    "evaluate": lambda: evaluate_chunk,
    "record": lambda: (
        lambda: record(
            [*reported(4, prefix="w", severity="low"), *reported(2, prefix="n")],
            source=SourceFactory(),
        )
    ),
    "open a case": lambda: (
        lambda: open_manual_case(pks(), project=Project.objects.get(key="SEC"), actor=None)
    ),
    "attach": lambda: lambda: attach(first_case(), pks(), actor=None),
    "detach": lambda: lambda: detach(pks(), actor=None),
    "change a case": lambda: lambda: change_case(first_case(), actor=None, status="CLOSED"),
    "move": lambda: lambda: move(first_case(), Project.objects.get(key="OPS"), actor=None),
    "follow": follow_resolved,
    "ask for cases": ask_for_cases,
    "ask for issues": ask_for_issues,
    "set a due date": lambda: lambda: set_due_date(first_case(), date(2026, 12, 1), actor=None),
    "set attributes": lambda: lambda: set_attributes(first_case(), {"env": ["a"]}, actor=None),
    "edit a comment": lambda: comment_on(lambda entry: edit_comment(entry, "First", actor=None)),
    "delete a comment": lambda: comment_on(lambda entry: delete_comment(entry, actor=None)),
    "link a project": link_ops,
    "promise an issue elsewhere": promise_elsewhere,
    "delete a project": lambda: lambda: delete_project(Project.objects.get(key="OPS"), actor=None),
    "resolve": lambda: lambda: change_status(pks(), status=Status.RESOLVED, actor=None),
    "mute": lambda: lambda: mute(pks(), reason="OTHER", actor=None),
    "create a rule": lambda: lambda: services.create_rule(data(), actor=None),
    "edit a rule": lambda: lambda: services.edit_rule(rules()[0], data(name="Edited"), actor=None),
    "delete a rule": lambda: lambda: services.delete_rule(rules()[0], actor=None),
    "duplicate a rule": lambda: lambda: services.duplicate_rule(rules()[0], actor=None),
    "reorder": lambda: lambda: services.reorder(rules()[::-1], actor=None),
    "apply rules": lambda: (
        lambda: services.replace_rules(
            [(uuid.UUID(int=9), data()), (rules()[1], data(name="Kept"))],
            version=services.current_version(),
            actor=None,
        )
    ),
    "break a rule": lambda: lambda: services.break_rule(rules()[0], reason="Project gone"),
}


@pytest.fixture
def at_work(frozen, make_rule, report):
    """Two rules, one of which will break; findings with cases, over the limit and waiting."""
    ProjectFactory(key="OPS")
    make_rule("Two a day", limit=2)
    make_rule("Lost", types=["secret"], project_id="11111111-1111-1111-1111-111111111111")
    report(3)
    evaluate_chunk()
    report(2, prefix="w")
    report(1, prefix="s", finding_type="secret")


@pytest.mark.django_db
@pytest.mark.parametrize("name", COMMANDS)
def test_it_leaves_nothing_half_written_and_works_when_tried_again(name, at_work):
    with transaction.atomic():
        COMMANDS[name]()()
        undisturbed = shape()
        transaction.set_rollback(True)
    command = COMMANDS[name]()
    before, statement = everything(), 0
    while True:
        try:
            with dying_at(statement):
                command()
        except DatabaseGone:
            assert everything() == before, f"statement {statement}"
            statement += 1
        else:
            break
    assert statement > 1
    assert shape() == undisturbed
    assert list(violations()) == []
