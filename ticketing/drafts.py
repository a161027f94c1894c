"""What a ticket says: a finding's facts (or a limit that was reached) → title, text, priority.

Pure. The text is Markdown; whatever a scanner wrote stands in it as it came, everything of
ours that quotes a scanner's value quotes it as code, so that it cannot break out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from findings.facts import Facts, Severity, type_choice
from ticketing.due_days import day_of, said

PRIORITY_OF_SEVERITY = {
    Severity.CRITICAL: "P1",
    Severity.HIGH: "P2",
    Severity.MEDIUM: "P3",
    Severity.LOW: "P4",
    Severity.INFO: "P5",
    Severity.NONE: "P5",
    Severity.UNKNOWN: "NOT_DEFINED",
}
PRIORITY_LEVELS = {"P1": 1, "P2": 2, "P3": 3, "P4": 4, "P5": 5}
"""As a tracker counts them: 1 is the most urgent."""
TITLE_LENGTH = 255


class Draft(NamedTuple):
    title: str
    description: str
    priority: str


def finding_draft(facts: Facts, *, url: str, made_by: str) -> Draft:
    """The ticket for one finding. `made_by` ends the text: "Created by …"."""
    resource = facts.resource_name or facts.resource_id
    title = f"{facts.title} ({resource})" if resource else facts.title
    lines = [
        ("Severity", facts.severity.capitalize()),
        ("Type", type_choice(facts.finding_type, facts.resource_type).label),
        ("Resource", code(facts.resource_id) if facts.resource_id else ""),
        ("Advisory", code(_first(facts, "advisory", "cve"))),
        ("Package", code(_package(facts))),
        ("Fixed in", code(_first(facts, "package", "fixed_version"))),
        ("First seen", _utc(facts.first_seen_at)),
        ("Due", said(day_of(facts.workflow))),
        ("Tags", " ".join(code(tag) for tag in facts.tags[:20])),
    ]
    facts_list = "\n".join(f"- **{name}:** {value}" for name, value in lines if value)
    text = closed(facts.description.strip())
    # A line between, as a list of the scanner's would go on with ours.
    parts = [text, "**Finding**" if text else "", facts_list, f"[Open the finding]({url})", made_by]
    return Draft(
        shorten(title),
        "\n\n".join(part for part in parts if part),
        PRIORITY_OF_SEVERITY[Severity(facts.severity)],
    )


def findings_draft(findings: Sequence[Facts], *, urls: Sequence[str], made_by: str) -> Draft:
    """One ticket for several findings: as serious as the worst of them."""
    if len(findings) == 1:
        return finding_draft(findings[0], url=urls[0], made_by=made_by)
    worst = max(findings, key=lambda facts: Severity(facts.severity).rank)
    items = "\n".join(
        f"- {facts.severity.capitalize()}: [{plain(facts.title)}]({url}){_due(facts)}"
        for facts, url in zip(findings, urls, strict=True)
    )
    return Draft(
        shorten(f"{len(findings)} findings: {worst.title}"),
        f"{items}\n\n{made_by}",
        PRIORITY_OF_SEVERITY[Severity(worst.severity)],
    )


def _due(facts: Facts) -> str:
    day = said(day_of(facts.workflow))
    return f", due {day}" if day else ""


def limit_notice_draft(
    *, rule_name: str, limit: int, reset: datetime, rule_url: str, over_limit_url: str
) -> Draft:
    """The day's final ticket of a rule: its limit is reached, and what that means."""
    return Draft(
        shorten(f"Rule “{rule_name}” reached its daily limit of {limit} tickets"),
        f"The rule [{plain(rule_name)}]({rule_url}) has created {limit} tickets today, which is "
        f"its daily limit. Until {_utc(reset)} it creates no more.\n\n"
        "Findings over the limit are not ticketed later by themselves. "
        f"[See them and create tickets by hand]({over_limit_url}).",
        "NOT_DEFINED",
    )


def shorten(text: str, length: int = TITLE_LENGTH) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else f"{text[: length - 1]}…"


def code(value: str) -> str:
    """`value` as a Markdown code span that its own backticks cannot end."""
    value = " ".join(value.split())
    if "`" not in value:
        return f"`{value}`" if value else ""
    fence = "`" * (max(len(run) for run in re.findall("`+", value)) + 1)
    return f"{fence} {value} {fence}"


def plain(value: str) -> str:
    """`value` as Markdown text without any meaning of its own."""
    return re.sub(r"([\\`*_{}\[\]()<>#+!|&~-])", r"\\\1", " ".join(value.split()))


def closed(markdown: str) -> str:
    """The text with its last code block closed: an open one would swallow what comes after."""
    fence = ""
    for line in markdown.splitlines():
        mark = re.match(r" {0,3}(`{3,}|~{3,})(.*)", line)
        if mark is None:
            continue
        if not fence:
            fence = mark[1] if mark[1][0] == "~" or "`" not in mark[2] else ""
        elif mark[1].startswith(fence) and not mark[2].strip():
            fence = ""
    return f"{markdown}\n{fence}" if fence else markdown


def _first(facts: Facts, group: str, name: str) -> str:
    values = facts.attributes.get(group)
    value = values.get(name) if isinstance(values, dict) else None
    if isinstance(value, list):
        value = value[0] if value else None
    return str(value) if isinstance(value, str | int | float) else ""


def _package(facts: Facts) -> str:
    return f"{_first(facts, 'package', 'name')} {_first(facts, 'package', 'version')}".strip()


def _utc(when: datetime | None) -> str:
    return when.strftime("%Y-%m-%d %H:%M UTC") if when else ""
