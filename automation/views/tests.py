"""Test Rule: choosing a finding, watching the run, what to do with its ticket.

For htmx they are the content of a dialog above the editor, for others pages of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import reswap, retarget
from msgspec import structs

from automation.engine.rules import RuleSpec
from automation.forms import RuleForm
from automation.models import Rule, TestRun
from automation.rule_tests import requests
from automation.rule_tests.progress import case_of, destination_for, issue_of, spec_of
from automation.rules.selectors import rule_by_id
from config.accounts.access import require, signed_in
from config.accounts.models import User
from config.accounts.roles import Permission
from config.lib.concurrency import limit_searches
from config.lib.search_text import typed
from config.lib.statement_timeout import QueryTimeout, statement_timeout
from config.lib.toasts import toast
from config.lib.ui_tags import SUBMISSION_ID
from findings.columnar.pinned import pinned
from findings.grouping import label_of
from findings.selectors import finding_by_id
from ticketing.allowed_spaces import SpaceClosed
from ticketing.destinations import project_for
from ticketing.following import detach_note
from ticketing.outbox import left_out_of

OURS = ("csrfmiddlewaretoken", SUBMISSION_ID, "words", "finding", "run", "find")
"""What the dialog's own form says; all else in it is the rule's form, carried along."""


@require(Permission.RULES_WRITE)
@require(Permission.CASES_WRITE)
@require_POST
@limit_searches
def test_rule(request: HttpRequest) -> HttpResponse:
    """The form as it stands: choose a finding that matches it; with `run`, begin."""
    form = RuleForm(request.POST, rule=_edited(request))
    spec = form.preview_spec()
    # A name is nobody's business yet.
    wrong = [field for field in form if field.errors and field.name != "name"]
    if spec is None or wrong:
        return _show(request, "cannot", {"form": form, "wrong": wrong}, status=422)
    if "run" in request.POST:
        try:
            spec = _placed(form, spec, actor=signed_in(request))
        except SpaceClosed as closed:
            form.show_refusal(closed)
            wrong = [field for field in form if field.errors and field.name != "name"]
            return _show(request, "cannot", {"form": form, "wrong": wrong}, status=422)
    carried = [each for each in request.POST.lists() if each[0] not in OURS]
    action = reverse("automation:rule-test")
    makes = _makes(form)
    return _choose(request, spec, carried=carried, action=action, makes=makes)


@require(Permission.RULES_WRITE)
@require(Permission.CASES_WRITE)
@require_POST
@limit_searches
def test_again(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The same rule once more: with `run` and a finding at once, else choose another one."""
    run = _run(request, run_id)
    action = reverse("automation:test-again", args=[run.pk])
    spec = spec_of(run)
    place = destination_for(spec)
    makes = f"{place.type_name} in {place.space_key}" if place else "case"
    return _choose(request, spec, action=action, makes=makes)


@require(Permission.RULES_WRITE)
@require_GET
def show_test(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = _run(request, run_id)
    if run.state == TestRun.State.RUNNING:
        requests.look_after(run)
        return _show(request, "progress", _running(run))
    answer = _show(request, "result", _result(run))
    return reswap(retarget(answer, "#test-body"), "innerHTML")


@require(Permission.CASES_WRITE)
@require_POST
def detach_test(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = _run(request, run_id)
    context = _result(run)
    if requests.detach(run, actor=signed_in(request)):
        toast(request, f"{context['key']} detached", detach_note(context["case"]))
    if "HX-Request" in request.headers:
        return _show(request, "result", _result(run))
    return redirect("automation:test-show", run_id=run.pk)


def _choose(
    request: HttpRequest,
    spec: RuleSpec,
    *,
    action: str,
    makes: str,
    carried: Sequence[tuple[str, list[str]]] = (),
) -> HttpResponse:
    refused = ""
    if "run" in request.POST:
        try:
            return _begin(request, spec)
        except requests.NotTestable as refusal:
            refused = str(refusal)
    words = typed(request.POST.get("words", ""))
    try:
        with pinned(), statement_timeout():
            matches = requests.matches(spec, words=words)
    except QueryTimeout:
        matches = requests.Matches([], 0, 0)
        refused = "This search takes too long: use fewer wildcards and words, or narrower ones."
    context = {
        "matches": matches,
        "spec": spec,
        "words": words,
        "action": action,
        "carried": carried,
        "refused": refused,
        "makes": makes,
    }
    return _show(request, "choose", context, status=422 if refused else 200)


def _begin(request: HttpRequest, spec: RuleSpec) -> HttpResponse:
    finding = finding_by_id(request.POST.get("finding", "").replace("\0", ""))
    if finding is None:
        raise requests.NotTestable("Select a finding first.")
    actor, sent_as = signed_in(request), request.POST.get(SUBMISSION_ID)
    run_id = uuid5(actor.pk, f"{sent_as} {finding.pk}") if sent_as else None  # of two people two
    run = requests.start(spec, finding, actor=actor, run_id=run_id)
    if "HX-Request" in request.headers:
        return _show(request, "running", _running(run), status=202)
    return redirect("automation:test-show", run_id=run.pk)


def _show(
    request: HttpRequest, part: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    in_dialog = "HX-Request" in request.headers
    context |= {"in_dialog": in_dialog, "part": f"automation/_test_{part}.html"}
    if part == "progress" and not in_dialog:
        context["part"] = "automation/_test_running.html"
    template = context["part"] if in_dialog else "automation/test.html"
    answer = render(request, template, context, status=status)
    if part == "progress" and not in_dialog:
        answer["Refresh"] = "1"
    return answer


def _running(run: TestRun) -> dict[str, Any]:
    at = next((n for n, step in enumerate(run.steps, 1) if step["state"] != "done"), 0)
    return {"run": run, "at": at or len(run.steps), "waits": requests.waits_for(run)}


def _result(run: TestRun) -> dict[str, Any]:
    case, issue = case_of(run), issue_of(run)
    own_key = case.key if case and not case.archived_at else ""
    return {
        "run": run,
        "case": case,
        "issue": issue,
        "left_out": left_out_of(issue),
        "sharing": requests.sharing(run),
        "per": label_of(spec_of(run).action.grouping),
        "key": issue.issue_key if issue else own_key,
        "attached": bool(case and case.attachments.filter(finding=run.finding_id).exists()),
        "seconds": (run.ended_at - run.created_at).total_seconds() if run.ended_at else 0,
    }


def _placed(form: RuleForm, spec: RuleSpec, *, actor: User) -> RuleSpec:
    """The rule with the project of its place in Jira, which is made if there is none."""
    found = form.choices
    if form.linked_project() is not None or found.account is None or found.place is None:
        return spec
    project, _ = project_for(found.account, found.place, actor=actor)
    return replace(spec, action=structs.replace(spec.action, project_id=project.pk))


def _makes(form: RuleForm) -> str:
    """What a test creates, in words."""
    if form.is_jira and form.choices.place:
        return f"{form.choices.place.type_name} in {form.choices.place.space_key}"
    project = form.linked_project()
    return f"case in {project.name}" if project else "case"


def _edited(request: HttpRequest) -> Rule | None:
    try:
        return rule_by_id(UUID(request.POST.get("rule", "")))
    except ValueError:  # a new one
        return None


def _run(request: HttpRequest, run_id: UUID) -> TestRun:
    """A run is its tester's own."""
    mine = TestRun.objects.filter(created_by=signed_in(request)).select_related("finding")
    run = mine.filter(pk=run_id).first()
    if run is None:
        raise Http404
    return run
