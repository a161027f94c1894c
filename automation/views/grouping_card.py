"""The editor's card "One ticket for": what each choice would come to, once it is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from automation.engine.rules import RuleSpec
from automation.forms import RuleForm
from automation.forms.grouping import OTHER, Choice
from automation.preview import Preview
from automation.preview_groups import GroupingChoice
from findings.grouping import group_field, label_of
from ticketing.selectors import open_groups_of

_EXAMPLES = {
    "finding": "Every match takes a slot",
    "package": "All findings that one update fixes",
    "vulnerability": "All places of a CVE or an advisory",
    "resource": "All that is wrong with a file, an image or a host",
    OTHER: "Team, repository, image, service, scanner rule, title, a tag or an attribute",
}


class Row(NamedTuple):
    choice: Choice
    example: str
    counted: GroupingChoice | None


@dataclass(frozen=True, slots=True)
class GroupingCard:
    rows: Sequence[Row]
    counted: GroupingChoice | None  # of the choice made
    limit: int
    open_groups: int  # that keep another grouping

    @property
    def alone(self) -> str:
        """Which of the matches get a ticket of their own, in a sentence."""
        counted = self.counted
        if counted is None or not counted.alone:
            return ""
        names = " or ".join(f"a {group_field(name).short}" for name in counted.fields)
        if counted.alone == counted.findings:
            return (
                f"No finding of the last 30 days has {names}. Each would get a ticket of its own."
            )
        number, verb = (1, "lacks") if counted.alone == 1 else (counted.alone, "lack")
        gets = "it gets" if number == 1 else "each gets"
        return f"{number:,} of the {counted.findings:,} {verb} {names}: {gets} a ticket of its own."

    @property
    def label(self) -> str:
        return label_of(self.counted.fields) if self.counted and self.counted.fields else ""


def grouping_card(
    form: RuleForm, spec: RuleSpec | None = None, found: Preview | None = None
) -> GroupingCard:
    """`spec` is the rule as it is typed, `found` its preview; without them nothing is counted."""
    own = spec.action.grouping if spec else ()
    counted = {each.fields: each for each in found.choices} if found else {}
    rows = [
        _row(each, counted.get(each.fields) if found else None)
        for each in form.grouping_choices(own)
    ]
    return GroupingCard(
        rows=rows,
        counted=counted.get(own),
        limit=spec.action.max_tickets_per_day if spec else 0,
        open_groups=_keep_theirs(form, own) if spec else 0,
    )


def _row(choice: Choice, counted: GroupingChoice | None) -> Row:
    example = _EXAMPLES[choice.value]
    if counted and counted.largest_size > 1:
        example = f"Largest: {counted.largest}, {counted.largest_size:,} findings"
    return Row(choice, example, counted)


def _keep_theirs(form: RuleForm, own: Sequence[str]) -> int:
    was = form.action
    if form.rule is None or was is None or tuple(own) == was.grouping or not was.grouping:
        return 0
    return open_groups_of(form.rule.pk)
