"""The steps of the pipeline, as the list of rules shows them."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest

from automation.decisions.explain import last_day
from automation.forms import RuleCriteria, RuleFilter
from automation.kinds.base import EffectKind, RuleKind
from automation.kinds.registry import ORDER
from automation.recheck import progress
from automation.rules import services
from automation.rules.default_rows import DefaultRow, default_rows
from automation.rules.effect_rows import EffectRow, effect_rows
from automation.rules.selectors import RuleRow, rule_rows, ticket_counts
from config.accounts.access import signed_in
from config.accounts.roles import Permission

PAGE = 25
MAX_ROWS = 50

Rows = Sequence[RuleRow | EffectRow]


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of rules on the page."""

    kind: RuleKind
    number: int  # from 1
    version: int
    all_rows: Rows
    found: Rows  # those that the filter shows
    start: int  # how many of these stand above the window
    rows: Rows  # those in the window
    holding_types: Set[UUID]
    """The rules whose rows hold a list of more types: others with the same types open it."""
    first: int  # from 1: the first of those that the page shows already
    is_open: bool
    is_seen: bool  # the page that asks has this version
    defaults: Sequence[DefaultRow]
    shows_defaults: bool
    toggled: str  # which steps are open after this one was folded or opened

    @property
    def defaults_on(self) -> int:
        return sum(row.spec.enabled for row in self.defaults)

    @property
    def has_rows(self) -> bool:
        return bool(self.all_rows or self.shows_defaults)

    @property
    def end(self) -> int:
        return self.start + len(self.rows)

    @property
    def is_cut(self) -> bool:
        return len(self.rows) < len(self.found)

    @property
    def earlier(self) -> UUID | None:
        """The rule with which the window above begins."""
        return self.found[max(self.start - PAGE, 0)].rule.pk if self.start else None

    @property
    def later(self) -> UUID | None:
        return self.found[self.end].rule.pk if self.end < len(self.found) else None

    @property
    def last(self) -> UUID:
        return self.found[-1].rule.pk

    @property
    def seen_as(self) -> str:
        """What a request says so that `is_seen`."""
        return f"{self.kind.name}:{self.version}"

    @property
    def next_number(self) -> int:
        return min(PAGE, len(self.found) - self.end)

    @property
    def done(self) -> int:
        """How many findings its rules acted on in the last 24 hours."""
        return sum(row.acts.number for row in self.all_rows if isinstance(row, EffectRow))


def page_of_steps(request: HttpRequest) -> dict[str, Any]:
    """What the page and its parts show."""
    # The versions before the rows: an order read too late must look outdated, not the reverse.
    versions = services.versions()
    rows: dict[str, Rows] = {}
    rows |= effect_rows([kind for kind in ORDER if isinstance(kind, EffectKind)])
    rows |= {kind.name: rule_rows() for kind in ORDER if kind.name not in rows}
    chosen = RuleFilter(request.GET.get("q", "").strip(), request.GET.get("state", ""))
    opened = _opened(request, rows)
    windows = Windows(request)
    seen = set(request.GET.get("versions", "").split(","))
    steps = [
        _step(
            windows,
            chosen.chosen(rows[kind.name]),
            kind=kind,
            number=number,
            version=(version := versions.get(kind.name, 0)),
            all_rows=rows[kind.name],
            is_open=kind.slug in opened,
            is_seen=f"{kind.name}:{version}" in seen,
            defaults=(defaults := default_rows(kind)),
            shows_defaults=_has_enabled(defaults) or kind.name == request.GET.get("defaults"),
            toggled=_toggled(opened, kind.slug),
        )
        for number, kind in enumerate(ORDER, start=1)
    ]
    everything = [row for step in steps for row in step.all_rows]
    return {
        "steps": steps,
        "has_rules": bool(everything),
        "filter": chosen,
        "opened": ",".join(opened) or "none",
        "is_folded": "opened-sections" in request.GET,
        "states": chosen.choices(everything),
        "day": last_day(),
        "tickets": ticket_counts(),
        "recheck": progress(),
        "may_write": signed_in(request).may(Permission.RULES_WRITE),
    }


def page_of_step(request: HttpRequest, kind: str) -> dict[str, Any]:
    """The same, with the `step` of a kind of rules. Raises Http404 for a kind that is none."""
    page = page_of_steps(request)
    for step in page["steps"]:
        if step.kind.name == kind:
            return page | {"step": step}
    raise Http404


def _step(windows: Windows, found: Rows, *, kind: RuleKind, **more: Any) -> Step:
    start, number = windows.of(kind, found)
    rows = found[start : start + number]
    first = windows.first or start + 1
    return Step(
        kind=kind,
        found=found,
        start=start,
        rows=rows,
        holding_types=_first_of_types(kind, rows),
        first=first,
        **more,
    )


def _first_of_types(kind: RuleKind, rows: Rows) -> Set[UUID]:
    first: dict[str, UUID] = {}
    for rule in (row.rule for row in rows):
        said = RuleCriteria.of(
            rule.finding_types, rule.query or "", severity_path=kind.severity_path
        )
        first.setdefault(said.types_key, rule.pk)
    return frozenset(first.values())


class Windows:
    """Which of a kind's rules are shown: `?rule=` the page of them with that rule, `?windows=`
    what scripts have loaded, as `mute:25:50`; else the first."""

    def __init__(self, request: HttpRequest) -> None:
        self._rule = request.GET.get("rule", "")
        parts = (each.split(":") for each in request.GET.get("windows", "").split(","))
        self._loaded = {
            kind: (int(start), min(int(number), MAX_ROWS))
            for kind, start, number in (part for part in parts if len(part) == 3)
            if start.isascii() and start.isdigit() and number.isascii() and number.isdigit()
        }
        first = request.GET.get("first", "")
        self.first = int(first[:9]) if first.isascii() and first.isdigit() else 0

    def of(self, kind: RuleKind, found: Rows) -> tuple[int, int]:
        """How many rules stand above, and how many are shown."""
        if kind.name in self._loaded:
            start, number = self._loaded[kind.name]
            return min(start, max(len(found) - 1, 0)), number
        at = next((n for n, row in enumerate(found) if str(row.rule.pk) == self._rule), 0)
        return at // PAGE * PAGE, PAGE


def _opened(request: HttpRequest, rows: dict[str, Rows]) -> list[str]:
    """As the address says; else the steps that have rules, and the one that creates tickets."""
    said = request.GET.get("opened-sections")
    rule = request.GET.get("rule")
    if said is not None:
        return [
            kind.slug
            for kind in ORDER
            if kind.slug in said.split(",") or _has(rows[kind.name], rule)
        ]
    defaults = request.GET.get("defaults")
    return [
        kind.slug for kind in ORDER if rows[kind.name] or kind is ORDER[-1] or kind.name == defaults
    ]


def _has_enabled(rows: Sequence[DefaultRow]) -> bool:
    return any(row.spec.enabled for row in rows)


def _has(rows: Rows, rule: str | None) -> bool:
    return rule is not None and any(str(row.rule.pk) == rule for row in rows)


def _toggled(opened: Sequence[str], slug: str) -> str:
    after = [kind.slug for kind in ORDER if (kind.slug in opened) != (kind.slug == slug)]
    return ",".join(after) or "none"
