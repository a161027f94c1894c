"""The steps of the pipeline, as the list of rules shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from automation.decisions.explain import last_day
from automation.forms import RuleFilter
from automation.kinds.base import EffectKind, RuleKind
from automation.kinds.registry import ORDER
from automation.recheck import progress
from automation.rules import services
from automation.rules.default_rows import DefaultRow, default_rows
from automation.rules.effect_rows import EffectRow, effect_rows
from automation.rules.selectors import RuleRow, rule_rows, ticket_counts
from config.accounts.access import signed_in
from config.accounts.roles import Permission

Rows = Sequence[RuleRow | EffectRow]


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of rules on the page."""

    kind: RuleKind
    number: int  # from 1
    version: int
    all_rows: Rows
    rows: Rows  # those that the filter shows
    is_open: bool
    is_seen: bool  # the page that asks has this version
    defaults: Sequence[DefaultRow]
    toggled: str  # which steps are open after this one was folded or opened

    @property
    def defaults_on(self) -> int:
        return sum(row.spec.enabled for row in self.defaults)

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
    seen = set(request.GET.get("versions", "").split(","))
    steps = [
        Step(
            kind=kind,
            number=number,
            version=(version := versions.get(kind.name, 0)),
            all_rows=rows[kind.name],
            rows=chosen.chosen(rows[kind.name]),
            is_open=kind.slug in opened,
            is_seen=f"{kind.name}:{version}" in seen,
            defaults=default_rows(kind),
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


def _opened(request: HttpRequest, rows: dict[str, Rows]) -> list[str]:
    """As the address says; else the steps that have rules, and the one that creates tickets."""
    said = request.GET.get("opened-sections")
    if said is not None:
        return [kind.slug for kind in ORDER if kind.slug in said.split(",")]
    return [kind.slug for kind in ORDER if rows[kind.name] or kind is ORDER[-1]]


def _toggled(opened: Sequence[str], slug: str) -> str:
    after = [kind.slug for kind in ORDER if (kind.slug in opened) != (kind.slug == slug)]
    return ",".join(after) or "none"
