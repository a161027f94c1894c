"""The editor of the rules that act on findings themselves, whatever their kind."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from automation.effect_preview import EffectPreview, preview_effect
from automation.engine.rules import RuleSpec
from automation.forms import EffectForm, form_of
from automation.kinds.base import EffectKind
from automation.kinds.registry import ORDER
from automation.models import Rule
from automation.preview import DAYS
from automation.rules import services
from automation.rules.addresses import address_in_list
from automation.rules.data import InvalidRule, spec_of
from automation.rules.order import OrderChanged, RulesChanged
from automation.rules.selectors import rule_by_id
from automation.undo import EDIT, recorded
from automation.views.editor_page import (
    RECHECKING,
    name_of_actor,
    new_from,
    preview_context,
    rule_id_of,
    search_for,
    searched_criteria,
    why_nothing,
)
from config.accounts.access import require, signed_in
from config.accounts.form_submissions import sent_before, submit_once
from config.accounts.roles import Permission
from config.accounts.undo.acts import undo_url
from config.lib.concurrency import limit_searches
from config.lib.toasts import toast
from config.lib.ui_tags import MAX_COUNTED
from findings.facts import GONE_STATUSES
from findings.models import Finding
from findings.rule_effects import recheck_count
from findings.suggest import types_seen

_OPEN = (("status", "open"), ("status", "in-progress"))
_MUTED = ("status", "muted")
_TICKETED = (
    *(("ticket", each) for each in ("automated", "manual", "test")),
    *(("case_status", each) for each in ("open", "in_progress")),
)
_KINDS = {kind.slug: kind for kind in ORDER if isinstance(kind, EffectKind)}


@require(Permission.RULES_WRITE)
@require_http_methods(["GET", "POST"])
def create_rule_of(request: HttpRequest, slug: str) -> HttpResponse:
    kind = _kind(slug)
    if request.method == "GET":
        searched = searched_criteria(request, kind)
        return _page(request, form_of(kind)(**new_from(request, searched)), searched=searched)
    form = form_of(kind)(request.POST)
    if not form.is_valid():
        return sent_before(request) or _page(request, form, status=422)
    try:
        return submit_once(request, lambda: _create(request, form))
    except OrderChanged as change:
        form.show_order_conflict(by=name_of_actor(change), at=change.at)
        return _page(request, form, status=409)
    except InvalidRule as refusal:
        return _refused(request, form, refusal)


def _create(request: HttpRequest, form: EffectForm) -> HttpResponse:
    actor = signed_in(request)
    rule = services.create_rule(form.rule_data(), actor=actor, placement=form.placement)
    return _saved(request, rule)


def edit_rule_of(request: HttpRequest, kind: EffectKind, rule: Rule) -> HttpResponseBase:
    """The page of a rule that is there, for those who may read rules."""
    may_write = signed_in(request).may(Permission.RULES_WRITE)
    if request.method == "POST":
        return _save(request, kind, rule)
    form = form_of(kind)(rule=rule, may_write=may_write)
    form.focus(request.GET.get("field", ""))
    # A closed form sends nothing, so the preview comes with it.
    shown = {} if may_write or form.was is None else _preview_of(kind, spec_of(rule))
    return _page(request, form, **shown)


@require(Permission.RULES_WRITE)
def _save(request: HttpRequest, kind: EffectKind, rule: Rule) -> HttpResponse:
    form = form_of(kind)(request.POST, rule=rule)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        return submit_once(request, lambda: _edit(request, form, rule))
    except OrderChanged as change:
        form.show_order_conflict(by=name_of_actor(change), at=change.at)
        return _page(request, form, status=409)
    except RulesChanged as change:
        form.show_conflict(by=name_of_actor(change), at=change.at)
        return _page(request, form, status=409)
    except InvalidRule as refusal:
        return _refused(request, form, refusal)


def _edit(request: HttpRequest, form: EffectForm, rule: Rule) -> HttpResponse:
    actor = signed_in(request)
    with recorded(EDIT, rule, actor=actor) as recording:
        rule = services.edit_rule(
            rule.pk, form.rule_data(), actor=actor, seen=form.seen_at, placement=form.placement
        )
    return _saved(request, rule, undone_at=undo_url(recording.act))


def _refused(request: HttpRequest, form: EffectForm, refusal: InvalidRule) -> HttpResponse:
    form.show_refusal(refusal)
    return _page(request, form, status=422)


def _saved(request: HttpRequest, rule: Rule, *, undone_at: str = "") -> HttpResponse:
    toast(
        request,
        f"{rule.name} saved.",
        RECHECKING,
        by_rule=True,
        link=("View rule", reverse("automation:rule-edit", args=[rule.pk])),
        undo_url=undone_at,
    )
    return redirect(address_in_list(rule.pk))


@require(Permission.RULES_WRITE)
@require_POST
@limit_searches
def preview_rule_of(request: HttpRequest, slug: str) -> HttpResponse:
    """The preview alone for htmx; without scripts the whole editor, as it was typed."""
    kind = _kind(slug)
    rule = rule_by_id(rule_id_of(request))
    if rule is not None and rule.kind != kind.name:
        raise Http404
    form = form_of(kind)(request.POST, rule=rule)
    context = _preview(form)
    if "HX-Request" in request.headers:
        context |= {"kind": kind, "form": form, "is_part": True}
        return render(request, "automation/_effect_preview.html", context)
    return _page(request, form_of(kind)(rule=rule, typed=request.POST), **context)


def _kind(slug: str) -> EffectKind:
    if slug not in _KINDS:
        raise Http404
    return _KINDS[slug]


def _page(
    request: HttpRequest, form: EffectForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    context = {
        "kind": form.kind,
        "form": form,
        "rule": form.rule,
        "types": form.type_options(types_seen(timezone.now() - timedelta(days=DAYS))),
        "may_write": signed_in(request).may(Permission.RULES_WRITE),
        "rechecks": recheck_count(most=MAX_COUNTED + 1),
        **more,
    }
    return render(request, "automation/effect_editor.html", context, status=status)


def _preview(form: EffectForm) -> dict[str, Any]:
    spec = form.preview_spec()
    if spec is None:
        return {"wrong": "" if "types" in form.errors else form.first_error}
    return _preview_of(form.kind, spec, position=form.place_shown)


def _preview_of(kind: EffectKind, spec: RuleSpec, *, position: str = "") -> dict[str, Any]:
    spec = replace(spec, enabled=True)  # as if it were on
    shown = preview_context(
        kind, spec, lambda before: preview_effect(kind, spec, before=before), position=position
    )
    found: EffectPreview | None = shown.get("preview")
    if found is None:
        return shown
    if not found.matched:
        there = Finding.objects.exclude(status__in=GONE_STATUSES)
        shown |= why_nothing(kind, spec, there, (*_OPEN, _MUTED))
    return {
        **shown,
        "breakdown": found.breakdown(),
        "after_save": kind.preview.after_save(found.number),
        "explorer_query": search_for(spec, *_OPEN, _MUTED),
        "tickets_query": search_for(spec, *_OPEN, *_TICKETED),
    }
