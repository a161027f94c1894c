"""The rule editor and what it asks for while a person types."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
)
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from automation import services
from automation.engine.rules import RuleSpec
from automation.engine.shadow import shadowed_by
from automation.forms import RuleForm
from automation.models import Rule
from automation.preview import Preview, preview
from automation.rule_data import RuleData
from automation.rulebook import current_rulebook
from automation.selectors import rule_by_id
from automation.tickets import filled_fields
from automation.views.editor_page import editor_page, rule_id_of, sync_form
from automation.views.gone import gone_is_404
from config.accounts.access import require, signed_in
from config.accounts.models import User
from config.accounts.roles import Permission
from config.lib.toasts import toast
from findings.query.ast import QueryError
from findings.query.terms import split_terms
from findings.suggest import suggest
from ticketing import projects
from ticketing.destinations import project_for, save_sync
from ticketing.forms.sync import SyncForm
from ticketing.models import Project


@require(Permission.RULES_WRITE)
@require_http_methods(["GET", "POST"])
def create_rule(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        return editor_page(request, RuleForm(typed=request.GET))
    form = RuleForm(request.POST)
    if not _is_valid(request, form):
        return editor_page(request, form, status=422)
    with transaction.atomic():
        data, created = _place(request, form)
        rule = services.create_rule(data, actor=signed_in(request))
    return _saved(request, rule, created)


@require(Permission.RULES_READ)
@require_http_methods(["GET", "POST"])
@gone_is_404
def edit_rule(request: HttpRequest, rule_id: UUID) -> HttpResponseBase:
    rule = _rule(rule_id)
    if request.method == "POST":
        return _save(request, rule)
    if signed_in(request).may(Permission.RULES_WRITE):
        return editor_page(request, RuleForm(rule=rule))
    return _read_only(request, rule)


@require(Permission.RULES_WRITE)
def _save(request: HttpRequest, rule: Rule) -> HttpResponse:
    form = RuleForm(request.POST, rule=rule)
    if not _is_valid(request, form):
        return editor_page(request, form, status=422)
    try:
        with transaction.atomic():
            data, created = _place(request, form)
            rule = services.edit_rule(rule.pk, data, actor=signed_in(request), seen=form.seen_at)
    except services.RulesChanged as change:
        form.show_conflict(by=change.by.name if change.by else "The system", at=change.at)
        return editor_page(request, form, status=409)
    return _saved(request, rule, created)


def _is_valid(request: HttpRequest, form: RuleForm) -> bool:
    """The form, and the settings of its project where it shows them."""
    is_valid = form.is_valid()
    return (not form.is_jira or _sync(request, form) is not None) and is_valid


def _sync(request: HttpRequest, form: RuleForm) -> SyncForm | None:
    """The settings of the project as they are sent; none if they are wrong."""
    sync = sync_form(form, request.POST if "sync-no_way_back" in request.POST else None)
    return sync if not sync.is_bound or sync.is_valid() else None


def _place(request: HttpRequest, form: RuleForm) -> tuple[RuleData, Project | None]:
    """What the form says, and the project that had to be created for its place in Jira."""
    found, actor = form.choices, signed_in(request)
    project, is_new = form.linked_project(), False
    if form.is_jira and not form.is_same_place and found.account and found.place:
        project, is_new = project_for(found.account, found.place, actor=actor)
    sync = _sync(request, form) if form.is_jira else None
    if sync is not None and project is not None and sync.is_bound and sync.has_changed():
        save_sync(project.destination, sync.settings, actor=actor)
    return form.rule_data(project), project if is_new else None


@require(Permission.RULES_READ)
@require_POST
def preview_rule(request: HttpRequest) -> HttpResponse:
    """The preview alone for htmx; without scripts the whole editor, as it was typed."""
    rule = rule_by_id(rule_id_of(request))
    context = _preview(RuleForm(request.POST, rule=rule))
    if "HX-Request" in request.headers:
        return render(request, "automation/_preview.html", context)
    return editor_page(request, RuleForm(rule=rule, typed=request.POST), **context)


@require(Permission.PROJECTS_WRITE)
@require_POST
def create_project(request: HttpRequest) -> HttpResponse:
    """A project made on the way: the editor comes back as it was typed, with it selected."""
    typed = request.POST.copy()
    new = {name: request.POST.get(f"project_{name}", "").strip() for name in ("key", "name")}
    context: dict[str, Any] = {"may_create_project": True}
    try:
        project = projects.create_project(**new, actor=signed_in(request))
    except ValidationError as error:
        context |= {"project_typed": new, "project_errors": error.message_dict}
    else:
        typed["project"] = str(project.pk)
        toast(request, f"Project {project.name} created")
    form = RuleForm(rule=rule_by_id(rule_id_of(request)), typed=typed)
    status = 422 if "project_errors" in context else 200
    if "HX-Request" in request.headers:
        context["form"] = form
        return render(request, "automation/_project_created.html", context, status=status)
    return editor_page(request, form, status=status, **context)


@require(Permission.FINDINGS_READ)
@require_GET
def suggest_terms(request: HttpRequest) -> HttpResponse:
    found = suggest(request.GET.get("typed", "").strip()[:200])
    return JsonResponse({"suggestions": [each._asdict() for each in found]})


@require(Permission.RULES_READ)
@require_GET
def list_terms(request: HttpRequest) -> HttpResponse:
    """The terms of a query, or null when it is more than a list of terms."""
    try:
        terms = split_terms(request.GET.get("query", ""))
    except QueryError:
        terms = None
    return JsonResponse({"terms": terms})


def _preview(form: RuleForm) -> dict[str, Any]:
    spec = form.preview_spec()
    if spec is None:
        return {"wrong": bool({"query", "limit"} & set(form.errors)) and "types" not in form.errors}
    said = form.cleaned_data
    return _preview_of(form, spec, project=said.get("project"), assignee=said.get("assignee"))


def _preview_of(
    form: RuleForm, spec: RuleSpec, *, project: Project | None, assignee: User | None
) -> dict[str, Any]:
    specs = current_rulebook().specs
    own = next((at for at, each in enumerate(specs) if each.id == spec.id), len(specs))
    before = specs[:own]
    shadow = shadowed_by([*before, spec]).get(own)
    types = " OR ".join(spec.finding_types)
    matches = f"@finding_type:({types}) {_grouped(spec.query)}".strip()
    found = preview(spec, before=before)
    return {
        "preview": found,
        "taken": [(at, number, specs[at - 1].id) for at, number in found.taken.items()],
        "spec": spec,
        "project": project,
        "assignee": assignee,
        **_ticket(form, spec, found),
        "explorer_query": urlencode({"q": matches}),
        "shadow_number": None if shadow is None else shadow + 1,
        "shadow_id": None if shadow is None else specs[shadow].id,
    }


def _ticket(form: RuleForm, spec: RuleSpec, found: Preview) -> dict[str, Any]:
    """The ticket for the first of the sample, where it is an issue in Jira."""
    if not form.is_jira or not found.sample:
        return {"in_jira": form.is_jira}
    filled = filled_fields(spec, found.sample[0].facts)
    return {
        "in_jira": True,
        "place": form.choices,
        "assignee_name": form.jira_assignee_name,
        "ticket_words": form.ticket_words(filled),
    }


def _grouped(query: str) -> str:
    return f"({query})" if query.strip() else ""


def _saved(request: HttpRequest, rule: Rule, created: Project | None) -> HttpResponse:
    text = "Applies to new findings from now on."
    if created is not None:
        text = f"{text} The case project {created.name} was created for its tickets."
    elif rule.target == Rule.Target.JIRA:
        text = f"{text} Its cases are in {Project.objects.get(pk=rule.project_id).name}."
    toast(
        request,
        f"Rule {rule.name} saved",
        text,
        by_rule=True,
        link=("View rule", reverse("automation:rule-edit", args=[rule.pk])),
    )
    return redirect(f"{reverse('automation:rule-list')}#rule-{rule.pk}")


def _read_only(request: HttpRequest, rule: Rule) -> HttpResponse:
    """For those who may not write: a closed form sends nothing, so the preview comes with it."""
    form = RuleForm(rule=rule)
    shown = _preview_of(
        form,
        rule.spec,
        project=Project.objects.filter(pk=rule.project_id).first(),
        assignee=User.objects.filter(pk=rule.assignee_id).first() if rule.assignee_id else None,
    )
    return editor_page(request, form, **shown)


def _rule(rule_id: UUID) -> Rule:
    rule = rule_by_id(rule_id)
    if rule is None:
        raise Http404
    return rule
