"""A command that dies at any statement leaves nothing behind, and works when tried again."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from datetime import UTC, date, datetime
from unittest.mock import ANY

import pytest
from django.apps import apps
from django.db import OperationalError, connection, transaction

from automation.decisions.conservation import violations
from automation.kinds.ticket_creation.action import NAME
from automation.models import EvaluationAttempt, Rule
from automation.pipeline import evaluate_all, evaluate_chunk
from automation.rules import services
from config.accounts.models import User
from findings.facts import Severity, Status
from findings.models import ChangedDay, Finding, FindingChange
from findings.overrides import clear_severity, set_severity
from findings.services import change_status, mute, record
from tests.factories import (
    DestinationFactory,
    JiraAccountFactory,
    ProjectFactory,
    SourceFactory,
    reported,
    ticket_rule,
)
from ticketing import bulk
from ticketing.accounts import delete_account
from ticketing.asked import Asked, open_asked
from ticketing.attaching import promise_issue_at
from ticketing.commenting import delete_comment, edit_comment
from ticketing.destinations import Place, link
from ticketing.details import set_attributes, set_due_date
from ticketing.following import follow_findings
from ticketing.issue_templates import create_template
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
                "status", "ticket", "ticket_key", "ticket_status", "evaluation__unevaluated_since"
            )
        ),
        "cases": list(Case.objects.order_by("key").values_list("key", "status", "title")),
        "rules": list(Rule.objects.values_list("name", "position", "enabled")),
        **{
            model._meta.label: model.objects.count()
            for name in APPS
            for model in apps.get_app_config(name).get_models()
            if model not in (ChangedDay, FindingChange)  # as many as statements changed something
        },
    }


def pks():
    return list(Finding.objects.order_by("pk").values_list("pk", flat=True))


def rules():
    return list(Rule.objects.values_list("pk", flat=True))


def data(**said):
    return ticket_rule(
        **{
            "name": "New",
            "finding_types": ["secret"],
            "project_id": Project.objects.get(key="SEC").pk,
            "max_tickets_per_day": 3,
        }
        | said
    )


def clear_overridden():
    set_severity(pks()[:2], severity=Severity.CRITICAL, actor=None)
    return lambda: clear_severity(pks(), actor=None)


def issue_template(account_id):
    create_template(account_id, name="Mine", space_id="1", type_id="2", fields={"a": 1}, actor=None)


def create_a_template():
    account = JiraAccountFactory()
    return lambda: issue_template(account.pk)


def delete_with_templates():
    account = JiraAccountFactory()
    issue_template(account.pk)
    issue_template(account.pk)
    return lambda: delete_account(account, actor=None)


def follow_resolved():
    change_status(pks()[:2], status=Status.RESOLVED, actor=None)
    return follow_findings


def ask_for_bulk_run():
    said = {"assignee": None}
    bulk.start(
        uuid.uuid4(),
        deed="assign",
        said=said,
        finding_pks=pks(),
        search="",
        actor=User.objects.get(),
    )


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


@transaction.atomic  # its own makes no savepoint, and would undo the test's with it
def record_some():
    record(
        [*reported(4, prefix="w", severity="low"), *reported(2, prefix="n")],
        source=SourceFactory(),
    )


COMMANDS = {
    "evaluate": lambda: evaluate_chunk,
    "record": lambda: record_some,
    "set a severity": lambda: (
        lambda: set_severity(pks(), severity=Severity.LOW, description="Why", actor=None)
    ),
    "clear a severity": clear_overridden,
    "create an issue template": create_a_template,
    "delete a Jira account": delete_with_templates,
    "open a case": lambda: (
        lambda: open_manual_case(pks(), project=Project.objects.get(key="SEC"), actor=None)
    ),
    "ask for a bulk run": lambda: ask_for_bulk_run,
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
    "reorder": lambda: lambda: services.reorder(NAME, rules()[::-1], actor=None),
    "apply rules": lambda: (
        lambda: services.replace_rules(
            NAME,
            [(uuid.UUID(int=9), data()), (rules()[1], data(name="Kept"))],
            version=services.current_version(NAME),
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


LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize("size", [1_000, 64, 32])
def test_it_evaluates_all_wherever_a_worker_is_killed(size, at_work):
    """Also one that goes on with less, after a worker that was killed with so much at hand.

    The row of an attempt may stay until there is work again.
    """
    EvaluationAttempt.objects.create(size=size, started_at=LONG_AGO)
    with transaction.atomic():
        evaluate_all()
        undisturbed = shape() | {"automation.EvaluationAttempt": ANY}
        transaction.set_rollback(True)
    statement, is_killed = 0, True
    while is_killed:
        with transaction.atomic():
            try:
                with dying_at(statement):
                    is_killed = not evaluate_all()
            except DatabaseGone:
                statement += 1
                transaction.set_rollback(False)  # the statement never reached the database
            EvaluationAttempt.objects.update(started_at=LONG_AGO)
            evaluate_all()
            assert shape() == undisturbed, f"statement {statement}"
            assert list(violations()) == []
            transaction.set_rollback(True)
    assert statement > 20
