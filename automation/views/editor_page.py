"""The page of the rule editor, which several views show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from automation.engine.rules import RuleSpec
from automation.engine.shadow import shadowed_by
from automation.forms import RuleForm
from automation.forms.from_search import SearchedCriteria, criteria_of_search
from automation.forms.position import END
from automation.kinds.base import RuleKind
from automation.models import Rule
from automation.no_match import count_criteria
from automation.preview import DAYS
from automation.rules.active import active_rules
from automation.rules.order import RulesChanged
from automation.rules.templates import template_named
from automation.views.grouping_card import grouping_card
from config.accounts.access import signed_in
from config.accounts.roles import Permission
from config.lib.statement_timeout import QueryTimeout, statement_timeout
from findings.columnar.current import is_getting_ready
from findings.models import Finding
from findings.suggest import types_seen
from ticketing.fields.priorities import options_of
from ticketing.forms.sync import Choice, SyncForm
from ticketing.models import Destination, Project
from ticketing.placeholders import GROUP_NAMES, NAMES, OPEN_NAMES

RECHECKING = "Re-checking open findings."
SYNCED = ("status", "assignee", "priority", "comments", "title", "description")


def editor_page(
    request: HttpRequest, form: RuleForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    person = signed_in(request)
    context = {
        "rule": form.rule,
        "types": form.type_options(types_seen(timezone.now() - timedelta(days=DAYS))),
        "may_write": person.may(Permission.RULES_WRITE),
        "grouping": grouping_card(form),
        **destination_context(request, form),
        **more,
    }
    return render(request, "automation/editor.html", context, status=status)


def destination_context(request: HttpRequest, form: RuleForm) -> dict[str, Any]:
    found = form.choices
    account = str(found.account.pk) if found.account else ""
    asked = {"account": account, "space": found.space_key}
    return {
        "form": form,
        "destination": found,
        "projects": Project.objects.count(),
        **_sync(request, form),
        "fault": _fault(request, form.rule),
        "may_create_project": signed_in(request).may(Permission.PROJECTS_WRITE),
        "spaces_url": f"{reverse('automation:space-list')}?{urlencode({'account': account})}",
        "people_url": f"{reverse('automation:people-list')}?{urlencode(asked)}",
        "teams_url": f"{reverse('automation:team-list')}?{urlencode({'account': account})}",
        "placeholders": [
            f"{{{{{name}}}}}"
            for name in [*(each.name for each in NAMES), *(each.name for each in GROUP_NAMES)]
        ],
        "open_placeholders": [what for _, what in OPEN_NAMES],
    }


def _sync(request: HttpRequest, form: RuleForm) -> dict[str, Any]:
    """Data Sync Settings of the project that the place is, or will be, linked to."""
    if form.choices.place is None:
        return {}
    linked = form.destination
    return {
        "linked": linked,
        "two_way": [
            word for word in SYNCED if getattr(linked or Destination(), f"sync_{word}") == "two_way"
        ],
        "sync": sync_form(form, request.POST if "sync-no_way_back" in request.POST else None),
    }


def sync_form(form: RuleForm, data: QueryDict | None) -> SyncForm:
    found = form.choices
    return SyncForm(
        data,
        prefix="sync",
        destination=form.destination or Destination(),
        statuses=[Choice(each.id, each.name) for each in found.statuses],
        priorities=[Choice(each.id, each.name) for each in found.priorities],
        offered=None if found.fields is None else options_of(found.fields),
    )


def _fault(request: HttpRequest, rule: Rule | None) -> dict[str, str]:
    """The external field that a broken rule, or a warning, is about: it gets the focus."""
    field = request.GET.get("field", "") if rule else ""
    return {"field": {"project": "space", "issuetype": "type"}.get(field, field)}


def searched_criteria(request: HttpRequest, kind: RuleKind) -> SearchedCriteria | None:
    """What a link from the explorer asks a new rule for."""
    if "search" not in request.GET:
        return None
    name = request.GET.get("name", "")
    return criteria_of_search(request.GET["search"], kind=kind, name=name)


def new_from(request: HttpRequest, searched: SearchedCriteria | None) -> dict[str, Any]:
    """What the form of a new rule begins with."""
    if searched:
        return {"initial": searched.values}
    template = template_named(request.GET.get("template", ""))
    return {"typed": template.values if template else request.GET}


def name_of_actor(change: RulesChanged) -> str:
    return change.by.name if change.by else "The system"


def rule_id_of(request: HttpRequest) -> UUID:
    """The id of the rule being edited; of none while it is being created."""
    try:
        return UUID(request.POST.get("rule", ""))
    except ValueError:
        return UUID(int=0)


class Found(Protocol):
    """A preview of any kind."""

    @property
    def taken(self) -> Mapping[int, int]: ...


def preview_context(
    kind: RuleKind,
    spec: RuleSpec,
    look: Callable[[Sequence[RuleSpec]], Found],
    *,
    position: str = "",
) -> dict[str, Any]:
    """What `look` found, given the rules that are asked before this one, at the place chosen.

    The numbers of rules are those of the list as it is.
    """
    specs = [each for each in active_rules(kind.name).specs if not each.is_default]
    number_of = {each.id: number for number, each in enumerate(specs, start=1)}
    before = _before(specs, spec, position)
    try:
        found = look(before)
    except QueryTimeout:
        return {"took_too_long": True, "is_loading": is_getting_ready()}
    shadow = None if kind.passes_over else shadowed_by([*before, spec]).get(len(before))
    shadow_id = None if shadow is None else before[shadow].id
    taken = [(before[at - 1].id, findings) for at, findings in sorted(found.taken.items())]
    return {
        "preview": found,
        "taken": [(number_of[pk], findings, pk) for pk, findings in taken],
        "shadow_number": number_of.get(shadow_id or ""),
        "shadow_id": shadow_id,
    }


def why_nothing(
    kind: RuleKind,
    spec: RuleSpec,
    findings: QuerySet[Finding],
    scope: Sequence[tuple[str, str]],
) -> dict[str, Any]:
    """What the preview of a rule that matches nothing says besides: its criteria, counted.

    `scope` is what the explorer's address says to find only these findings.
    """
    try:
        with statement_timeout():
            found = count_criteria(spec, findings, severity_path=kind.severity_path)
    except QueryTimeout:
        return {}
    return {"criteria": found, "scope": urlencode(scope)}


def _before(specs: Sequence[RuleSpec], spec: RuleSpec, position: str) -> Sequence[RuleSpec]:
    """The rules above a place: the one chosen, or where the rule is; a new one is the last."""
    marks = {END: None, "": spec.id}
    above = marks.get(position, position)
    at = next((nth for nth, each in enumerate(specs) if each.id == above), len(specs))
    return [each for each in specs[:at] if each.id != spec.id]


def search_for(spec: RuleSpec, *filters: tuple[str, str]) -> str:
    """The explorer's address for what the rule matches."""
    types = " OR ".join(spec.finding_types)
    query = f"({spec.query})" if spec.query.strip() else ""
    return urlencode([("q", f"@finding_type:({types}) {query}".strip()), *filters])
