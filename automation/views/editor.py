"""The rule editor and what it asks for while a person types."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    QueryDict,
)
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from automation import services
from automation.engine.rules import RuleSpec
from automation.engine.shadow import shadowed_by
from automation.forms import RuleForm
from automation.models import Rule
from automation.preview import DAYS, preview
from automation.rulebook import current_rulebook
from automation.selectors import rule_by_id
from automation.views.gone import gone_is_404
from config.accounts.access import require, signed_in
from config.accounts.models import User
from config.accounts.roles import Permission
from config.lib.toasts import toast
from findings.query.ast import QueryError
from findings.query.terms import split_terms
from findings.suggest import suggest, types_seen
from ticketing import projects
from ticketing.models import Project


@require(Permission.RULES_WRITE)
@require_http_methods(["GET", "POST"])
def create_rule(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        return _page(request, RuleForm(initial=_typed(request.GET)))
    form = RuleForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    return _saved(request, services.create_rule(form.rule_data(), actor=signed_in(request)))


@require(Permission.RULES_READ)
@require_http_methods(["GET", "POST"])
@gone_is_404
def edit_rule(request: HttpRequest, rule_id: UUID) -> HttpResponseBase:
    rule = _rule(rule_id)
    if request.method == "POST":
        return _save(request, rule)
    if signed_in(request).may(Permission.RULES_WRITE):
        return _page(request, RuleForm(rule=rule))
    return _read_only(request, rule)


@require(Permission.RULES_WRITE)
def _save(request: HttpRequest, rule: Rule) -> HttpResponse:
    form = RuleForm(request.POST, rule=rule)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        rule = services.edit_rule(
            rule.pk, form.rule_data(), actor=signed_in(request), seen=form.seen_at
        )
    except services.RulesChanged as change:
        form.show_conflict(by=change.by.name if change.by else "The system", at=change.at)
        return _page(request, form, status=409)
    return _saved(request, rule)


@require(Permission.RULES_READ)
@require_POST
def preview_rule(request: HttpRequest) -> HttpResponse:
    """The preview alone for htmx; without scripts the whole editor, as it was typed."""
    rule = rule_by_id(rule_id_of(request))
    context = _preview(RuleForm(request.POST, rule=rule))
    if "HX-Request" in request.headers:
        return render(request, "automation/_preview.html", context)
    return _page(request, RuleForm(rule=rule, initial=_typed(request.POST)), **context)


@require(Permission.PROJECTS_WRITE)
@require_POST
def create_project(request: HttpRequest) -> HttpResponse:
    """A project made on the way: the editor comes back as it was typed, with it selected."""
    typed = _typed(request.POST)
    new = {name: request.POST.get(f"project_{name}", "").strip() for name in ("key", "name")}
    context: dict[str, Any] = {"may_create_project": True}
    try:
        project = projects.create_project(**new, actor=signed_in(request))
    except ValidationError as error:
        context |= {"project_typed": new, "project_errors": error.message_dict}
    else:
        typed["project"] = project.pk
        toast(request, f"Project {project.name} created")
    form = RuleForm(rule=rule_by_id(rule_id_of(request)), initial=typed)
    status = 422 if "project_errors" in context else 200
    if "HX-Request" in request.headers:
        context["form"] = form
        return render(request, "automation/_project_created.html", context, status=status)
    return _page(request, form, status=status, **context)


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


def _page(request: HttpRequest, form: RuleForm, *, status: int = 200, **more: Any) -> HttpResponse:
    person = signed_in(request)
    context = {
        "form": form,
        "rule": form.rule,
        "types": form.type_options(types_seen(timezone.now() - timedelta(days=DAYS))),
        "may_write": person.may(Permission.RULES_WRITE),
        "may_create_project": person.may(Permission.PROJECTS_WRITE),
        "projects": Project.objects.count(),
        **more,
    }
    return render(request, "automation/editor.html", context, status=status)


def _preview(form: RuleForm) -> dict[str, Any]:
    spec = form.preview_spec()
    if spec is None:
        return {"wrong": bool({"query", "limit"} & set(form.errors)) and "types" not in form.errors}
    said = form.cleaned_data
    return _preview_of(spec, project=said.get("project"), assignee=said.get("assignee"))


def _preview_of(
    spec: RuleSpec, *, project: Project | None, assignee: User | None
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
        "explorer_query": urlencode({"q": matches}),
        "shadow_number": None if shadow is None else shadow + 1,
        "shadow_id": None if shadow is None else specs[shadow].id,
    }


def _grouped(query: str) -> str:
    return f"({query})" if query.strip() else ""


def _saved(request: HttpRequest, rule: Rule) -> HttpResponse:
    toast(
        request,
        f"Rule {rule.name} saved",
        "Applies to new findings from now on.",
        by_rule=True,
        link=("View rule", reverse("automation:rule-edit", args=[rule.pk])),
    )
    return redirect(f"{reverse('automation:rule-list')}#rule-{rule.pk}")


def _read_only(request: HttpRequest, rule: Rule) -> HttpResponse:
    """For those who may not write: a closed form sends nothing, so the preview comes with it."""
    shown = _preview_of(
        rule.spec,
        project=Project.objects.filter(pk=rule.project_id).first(),
        assignee=User.objects.filter(pk=rule.assignee_id).first() if rule.assignee_id else None,
    )
    return _page(request, RuleForm(rule=rule), **shown)


def _rule(rule_id: UUID) -> Rule:
    rule = rule_by_id(rule_id)
    if rule is None:
        raise Http404
    return rule


def rule_id_of(request: HttpRequest) -> UUID:
    """The id of the rule being edited; of none while it is being created."""
    try:
        return UUID(request.POST.get("rule", ""))
    except ValueError:
        return UUID(int=0)


def _typed(source: QueryDict) -> dict[str, Any]:
    """What a person typed, or a link brings, as the form's initial values."""
    many = ("types", "severities")
    one = ("name", "query", "project", "assignee", "limit", "seen")
    return {name: source.getlist(name) for name in many if name in source} | {
        name: source[name] for name in one if name in source
    }
