"""The rule editor and what it asks for while a person types."""

from __future__ import annotations

from typing import Any
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
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from automation.destinations.check import require_destinations, require_place
from automation.engine.rules import RuleSpec
from automation.forms import RuleForm
from automation.forms.grouping import linked_grouping
from automation.kinds.base import EffectKind
from automation.kinds.registry import KINDS
from automation.kinds.ticket_creation.action import NAME, CreateTicket
from automation.kinds.ticket_creation.tickets import filled_fields
from automation.models import Rule
from automation.preview import Preview, first_day, preview
from automation.rules import services
from automation.rules.addresses import address_in_list
from automation.rules.data import InvalidRule, RuleData, action_of, known_action, spec_of
from automation.rules.order import OrderChanged, RulesChanged
from automation.rules.selectors import rule_by_id
from automation.undo import EDIT, recorded
from automation.views.editor_page import (
    editor_page,
    name_of_actor,
    new_from,
    preview_context,
    rule_id_of,
    search_for,
    searched_criteria,
    sync_form,
    why_nothing,
)
from automation.views.effect_editor import edit_rule_of
from automation.views.gone import gone_is_404
from automation.views.grouping_card import grouping_card
from config.accounts.access import require, signed_in
from config.accounts.form_submissions import sent_before, submit_once
from config.accounts.models import User
from config.accounts.roles import Permission
from config.accounts.undo.acts import undo_url
from config.lib.concurrency import limit_searches
from config.lib.search_text import typed
from config.lib.toasts import toast
from findings.forms import iso
from findings.models import Finding
from findings.query.ast import QueryError
from findings.query.terms import split_terms
from findings.suggest import suggest
from ticketing import projects
from ticketing.allowed_spaces import SpaceClosed
from ticketing.catalogue.options import evict_place
from ticketing.destinations import project_for, save_sync
from ticketing.forms.sync import SyncForm
from ticketing.models import Project


@require(Permission.RULES_WRITE)
@require_http_methods(["GET", "POST"])
def create_rule(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        searched = searched_criteria(request, RuleForm.kind)
        return editor_page(request, RuleForm(**new_from(request, searched)), searched=searched)
    form = RuleForm(request.POST)
    if not _is_valid(request, form):
        return sent_before(request) or editor_page(request, form, status=422)
    try:
        unknown = _check(form)
        return submit_once(request, lambda: _create(request, form, unknown=unknown))
    except OrderChanged as change:
        form.show_order_conflict(by=name_of_actor(change), at=change.at)
        return editor_page(request, form, status=409)
    except (SpaceClosed, InvalidRule) as refusal:
        return _refused(request, form, refusal)


@transaction.atomic
def _create(request: HttpRequest, form: RuleForm, *, unknown: str) -> HttpResponse:
    data, created = _place(request, form)
    rule = services.create_rule(data, actor=signed_in(request), placement=form.placement)
    return _saved(request, rule, created, unknown=unknown)


@require(Permission.RULES_READ)
@require_http_methods(["GET", "POST"])
@gone_is_404
def edit_rule(request: HttpRequest, rule_id: UUID) -> HttpResponseBase:
    if request.method == "POST":
        return _post(request, rule_id)
    rule = _rule(rule_id)
    kind = KINDS[rule.kind]
    if isinstance(kind, EffectKind):
        return edit_rule_of(request, kind, rule)
    if signed_in(request).may(Permission.RULES_WRITE):
        return editor_page(request, RuleForm(rule=rule, initial=linked_grouping(request.GET)))
    return _read_only(request, rule)


@require(Permission.RULES_WRITE)
def _post(request: HttpRequest, rule_id: UUID) -> HttpResponseBase:
    rule = _rule(rule_id)
    kind = KINDS[rule.kind]
    if isinstance(kind, EffectKind):
        return edit_rule_of(request, kind, rule)
    return _save(request, rule)


def _save(request: HttpRequest, rule: Rule) -> HttpResponse:
    form = RuleForm(request.POST, rule=rule)
    if not _is_valid(request, form):
        return editor_page(request, form, status=422)
    try:
        unknown = _check(form)
        return submit_once(request, lambda: _edit(request, form, rule, unknown=unknown))
    except OrderChanged as change:
        form.show_order_conflict(by=name_of_actor(change), at=change.at)
        return editor_page(request, form, status=409)
    except RulesChanged as change:
        form.show_conflict(by=name_of_actor(change), at=change.at)
        return editor_page(request, form, status=409)
    except (SpaceClosed, InvalidRule) as refusal:
        return _refused(request, form, refusal)


@transaction.atomic
def _edit(request: HttpRequest, form: RuleForm, rule: Rule, *, unknown: str) -> HttpResponse:
    data, created = _place(request, form)
    actor = signed_in(request)
    with recorded(EDIT, rule, actor=actor) as recording:
        rule = services.edit_rule(
            rule.pk, data, actor=actor, seen=form.seen_at, placement=form.placement
        )
    return _saved(request, rule, created, unknown=unknown, undone_at=undo_url(recording.act))


def _check(form: RuleForm) -> str:
    """Whether tickets would be accepted; why that is not known. Raises InvalidRule."""
    if not form.will_be_enabled:
        return ""
    if project := form.linked_project():
        rule_id = form.rule.pk if form.rule else UUID(int=0)
        return require_destinations({rule_id: form.rule_data(project)})
    found = form.choices
    if found.account is None or found.place is None:
        return ""
    return require_place(found.account, found.place, form.jira_fields())


def _refused(
    request: HttpRequest, form: RuleForm, refusal: SpaceClosed | InvalidRule
) -> HttpResponse:
    if form.is_jira and form.choices.account:
        evict_place(form.choices.account, form.selection)
    if form.lacks_control(refusal):
        form = RuleForm(request.POST, rule=form.rule)
        form.full_clean()
    form.show_refusal(refusal)
    return editor_page(request, form, status=422)


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


@require(Permission.RULES_WRITE)
@require_POST
@limit_searches
def preview_rule(request: HttpRequest) -> HttpResponse:
    """The preview alone for htmx; without scripts the whole editor, as it was typed.

    For those who may write rules: what is typed is looked at with Jira's help.
    """
    rule = rule_by_id(rule_id_of(request))
    context = _preview(RuleForm(request.POST, rule=rule))
    if "HX-Request" in request.headers:
        return render(request, "automation/_preview.html", {**context, "is_part": True})
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
    found = suggest(typed(request.GET.get("typed", "")))
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
    shown = preview_context(
        KINDS[NAME], spec, lambda before: preview(spec, before=before), position=form.place_shown
    )
    if "preview" not in shown:
        return shown
    since = first_day(timezone.now())
    in_time = ("from", iso(since))
    if not shown["preview"].matched:
        recent = Finding.objects.filter(opened_at__gte=since)
        shown |= why_nothing(KINDS[NAME], spec, recent, [in_time])
    return {
        **shown,
        "spec": spec,
        "project": project,
        "assignee": assignee,
        **_ticket(form, spec, shown["preview"]),
        "explorer_query": search_for(spec, in_time),
        "groups_query": search_for(spec, in_time, ("group", ",".join(spec.action.grouping))),
        "grouping": grouping_card(form, spec, shown["preview"]),
    }


def _ticket(form: RuleForm, spec: RuleSpec, found: Preview) -> dict[str, Any]:
    """The ticket for the first of the sample, where it is an issue in Jira."""
    if not form.is_jira or not found.sample:
        return {"in_jira": form.is_jira}
    facts = found.sample[0].facts
    filled = form.with_priority(filled_fields(spec, facts), facts)
    return {
        "in_jira": True,
        "place": form.choices,
        "assignee_name": form.jira_assignee_name,
        "ticket_words": form.ticket_words(filled),
    }


def _saved(
    request: HttpRequest,
    rule: Rule,
    created: Project | None,
    *,
    unknown: str,
    undone_at: str = "",
) -> HttpResponse:
    text = "Applies to new findings from now on."
    if created is not None:
        text = f"{text} The case project {created.name} was created for its tickets."
    elif (action := action_of(rule)).is_jira:
        text = f"{text} Its cases are in {Project.objects.get(pk=action.project_id).name}."
    toast(
        request,
        f"Rule {rule.name} saved",
        f"{text} {unknown}".strip(),
        by_rule=True,
        link=("View rule", reverse("automation:rule-edit", args=[rule.pk])),
        undo_url=undone_at,
    )
    return redirect(address_in_list(rule.pk))


def _read_only(request: HttpRequest, rule: Rule) -> HttpResponse:
    """For those who may not write: a closed form sends nothing, so the preview comes with it."""
    form = RuleForm(rule=rule, may_write=False)
    action: CreateTicket | None = known_action(rule)
    if action is None:
        return editor_page(request, form)
    assignee = User.objects.filter(pk=action.assignee_id).first() if action.assignee_id else None
    shown = _preview_of(
        form,
        spec_of(rule),
        project=Project.objects.filter(pk=action.project_id).first(),
        assignee=assignee,
    )
    return editor_page(request, form, **shown)


def _rule(rule_id: UUID) -> Rule:
    rule = rule_by_id(rule_id)
    if rule is None:
        raise Http404
    return rule
