from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import BadRequest
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from automation.destinations.check import require_destinations_of
from automation.kinds.registry import KINDS, ORDER
from automation.models import (
    DailyUsage,
    Decision,
    DefaultRule,
    DismissedAdvice,
    EvaluationAttempt,
    Recheck,
    Rule,
    RuleCheck,
    RuleSet,
    RuleSetVersion,
    TestRun,
)
from automation.rules.data import CANNOT_BE_READ, InvalidRule, known_action
from automation.rules.order import InvalidOrder, RulesChanged
from automation.rules.services import (
    current_version,
    disable_rules,
    enable_rules,
    reorder,
)
from config.accounts.access import signed_in
from config.lib.admin import BrowseAdmin, HistoryAdmin

_MAX_RULES = 1000


class KindFilter(admin.SimpleListFilter):
    """One kind at a time: each is a list with an order of its own."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.name, kind.label) for kind in ORDER]

    def choices(self, changelist: Any) -> Iterator[Any]:
        for name, label in self.lookup_choices:
            yield {
                "selected": name == self.kind,
                "query_string": changelist.get_query_string({self.parameter_name: name}),
                "display": label,
            }

    @property
    def kind(self) -> str:
        return _kind(str(self.value() or ""))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Rule]) -> QuerySet[Rule]:
        return queryset.filter(kind=self.kind)


class OfKind(admin.SimpleListFilter):
    """The kinds there are, and not those of each row."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.name, kind.label) for kind in ORDER]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


def _kind(name: str) -> str:
    return name if name in KINDS else ORDER[-1].name


@admin.register(Rule)
class RuleAdmin(HistoryAdmin):
    """Rules in their order, which can be dragged here too: within a page, and to any place by
    "Move". They are edited in the editor."""

    list_display = ("number", "name", "state", "does", "modified_by", "edit")
    list_filter = (KindFilter, "enabled")
    list_select_related = ("modified_by",)
    list_per_page = 25
    list_max_show_all = _MAX_RULES
    search_fields = ("name", "query")
    ordering_field = "position"
    hide_ordering_field = True
    actions_list = ("new_rule",)
    actions = ("enable", "disable")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return obj is None  # the order is changed in the list, nothing on a page of its own

    @display(description="Position")
    def number(self, rule: Rule) -> int:
        return rule.position + 1

    @display(description="State", label={"On": "success", "Off": "info", "Broken": "danger"})
    def state(self, rule: Rule) -> str:
        if rule.is_broken:
            return "Broken"
        return "On" if rule.enabled else "Off"

    @display(description="Action")
    def does(self, rule: Rule) -> str:
        action = known_action(rule)
        return CANNOT_BE_READ if action is None else KINDS[rule.kind].brief(action)

    @display(description="Editor")
    def edit(self, rule: Rule) -> SafeString:
        return format_html(
            '<a href="{}">Edit</a> · <a href="{}">Move</a>',
            reverse("automation:rule-edit", args=[rule.pk]),
            reverse("automation:rule-move", args=[rule.pk]),
        )

    @action(description="Add a New Rule", url_path="new")
    def new_rule(self, request: HttpRequest) -> HttpResponse:
        return redirect("automation:rule-create")

    @admin.action(description="Enable", permissions=["change"])
    def enable(self, request: HttpRequest, rules: QuerySet[Rule]) -> None:
        try:
            unknown = require_destinations_of(_ids(rules.filter(enabled=False)))
            enable_rules(_ids(rules), actor=signed_in(request))
        except InvalidRule as refusal:
            messages.error(request, f"The rules stay disabled. {refusal}")
        else:
            if unknown:
                messages.warning(request, unknown)

    @admin.action(description="Disable", permissions=["change"])
    def disable(self, request: HttpRequest, rules: QuerySet[Rule]) -> None:
        disable_rules(_ids(rules), actor=signed_in(request))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list. Saving it stores one thing, the order, as one change by the service."""
        if request.method == "POST" and "_save" in request.POST:
            self._store_order(request)
            return redirect(request.get_full_path())
        kind = _kind(request.GET.get(KindFilter.parameter_name, ""))
        context = (extra_context or {}) | {"rules_version": current_version(kind)}
        page: HttpResponse = super().changelist_view(request, context)
        return page

    def _store_order(self, request: HttpRequest) -> None:
        shown, version = _read_order(request.POST.dict())
        kind = _kind(request.GET.get(KindFilter.parameter_name, ""))
        of_kind = Rule.objects.filter(kind=kind).values_list("pk", flat=True)
        order = _with_shown_moved(list(of_kind), shown)
        try:
            reorder(kind, order, version=version, actor=signed_in(request))
        except RulesChanged as error:
            messages.warning(
                request, f"Order not saved. {error} The list now shows the current order."
            )
        except InvalidOrder as error:
            messages.error(request, f"Order not saved: {error}.")
        else:
            messages.success(request, "Order saved.")


def _ids(rules: QuerySet[Rule]) -> list[UUID]:
    return list(rules.values_list("pk", flat=True))


def _read_order(data: Mapping[str, Any]) -> tuple[list[UUID], int]:
    """The rules of the list as dragged, and the version whose order was dragged."""
    try:
        count = min(int(data["form-TOTAL_FORMS"]), _MAX_RULES)
        places = [
            (int(data[f"form-{n}-position"]), n, UUID(data[f"form-{n}-id"])) for n in range(count)
        ]
        version = int(data["version"])
    except (KeyError, ValueError) as error:
        raise BadRequest("The list came incomplete.") from error
    shown = [pk for _, _, pk in sorted(places)]
    if len(set(shown)) < len(shown):
        raise BadRequest("The list names a rule twice.")
    return shown, version


def _with_shown_moved(order: Sequence[UUID], shown: Sequence[UUID]) -> list[UUID]:
    """The whole order after moving the shown rules among the places they hold.

    A search or a filter shows some rules only: the others stay where they are.
    """
    there = set(shown)
    moved = iter(shown)
    return [next(moved, pk) if pk in there else pk for pk in order]


@admin.register(DefaultRule)
class DefaultRuleAdmin(HistoryAdmin):
    list_display = ("name", "id", "enabled", "modified_by", "modified_at")
    list_filter = ("enabled",)
    list_select_related = ("modified_by",)
    search_fields = ("name",)


@admin.register(RuleSet)
class RuleSetAdmin(BrowseAdmin):
    list_display = ("kind", "version")


@admin.register(RuleSetVersion)
class RuleSetVersionAdmin(BrowseAdmin):
    """The rules as they were, whole, at each change."""

    has_many_rows = True
    list_display = ("kind", "version", "created_by", "created_at")
    list_filter = ("kind",)
    list_select_related = ("created_by",)
    search_fields = ("version",)
    date_hierarchy = "created_at"


@admin.register(Decision)
class DecisionAdmin(BrowseAdmin):
    has_many_rows = True
    list_display = (
        "finding",
        "kind",
        "outcome",
        "rule_id",
        "rule_set_version",
        "case_id",
        "created_at",
    )
    list_filter = (OfKind, "outcome")
    list_select_related = ("finding",)
    search_fields = ("finding__title", "=rule_id", "=case_id")


@admin.register(DailyUsage)
class DailyUsageAdmin(BrowseAdmin):
    has_many_rows = True
    list_display = (
        "rule_id",
        "day",
        "ticketed",
        "grouped",
        "over_limit",
        "already_ticketed",
        "error",
        "notice_requested",
    )
    list_filter = ("notice_requested",)
    search_fields = ("=rule_id",)
    date_hierarchy = "day"


@admin.register(RuleCheck)
class RuleCheckAdmin(BrowseAdmin):
    list_display = ("rule", "warning", "field", "since", "seconds_per_finding", "checked_at")
    list_select_related = ("rule",)
    search_fields = ("warning",)


@admin.register(EvaluationAttempt)
class EvaluationAttemptAdmin(BrowseAdmin):
    list_display = ("started_at", "size", "finding", "tries")
    list_select_related = ("finding",)
    search_fields = ("=size",)


@admin.register(TestRun)
class TestRunAdmin(BrowseAdmin):
    list_display = ("created_at", "state", "finding", "reason", "created_by", "ended_at")
    list_filter = ("state",)
    list_select_related = ("finding", "created_by")
    search_fields = ("reason",)
    date_hierarchy = "created_at"


@admin.register(Recheck)
class RecheckAdmin(BrowseAdmin):
    """How far the rules have come through the findings that are there."""

    list_display = ("started_at", "done", "total", "finished_at")


@admin.register(DismissedAdvice)
class DismissedAdviceAdmin(BrowseAdmin):
    list_display = ("rule", "until")
    list_select_related = ("rule",)
    search_fields = ("rule__name",)
