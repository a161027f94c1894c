"""What the ticket of a group says: its findings' facts → title, text, priority. Pure.

A place is a file, an image, a host or another resource; several findings may be at one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from findings.facts import CONTAINER_IMAGE, Facts, Severity, Status
from findings.grouping import label_of, package_name, values_of
from findings.packages import Fix, fix_of, package_text, update_title
from ticketing.drafts import PRIORITY_OF_SEVERITY, TITLE_LENGTH, Draft, closed, code, plain, shorten

MAX_ROWS = 50
MAX_NAMES = 20
MAX_TABLE = 9_000  # characters; trackers take 32,767, and their markup is longer than ours
MAX_DESCRIPTION = 6_000  # of the worst finding: the table comes first
_NOUNS = {CONTAINER_IMAGE: "image", "file": "file", "host": "host"}


class Group(NamedTuple):
    """What findings of a group have in common: fields, the value of each, the rule's words."""

    fields: Sequence[str]
    values: Sequence[str]
    rule_name: str

    @property
    def label(self) -> str:
        return label_of(self.fields)


class Member(NamedTuple):
    facts: Facts
    url: str


class Summary(NamedTuple):
    """What placeholders say of all findings of a ticket."""

    findings: int
    resources: Sequence[str]
    repositories: Sequence[str]
    versions: Sequence[str]

    @classmethod
    def of(cls, findings: Sequence[Facts]) -> Summary:
        return cls(
            len(findings),
            _names(place(facts) for facts in findings),
            _names(repository(facts) for facts in findings),
            _names(package_text(facts, "version") for facts in findings),
        )

    @classmethod
    def read(cls, stored: Mapping[str, Any] | None, facts: Facts) -> Summary:
        """From what was stored with a promise; of one finding if nothing was."""
        return cls(**stored) if stored else cls.of([facts])


def worst_first(members: Iterable[Member]) -> list[Member]:
    """Those that are gone come last, whatever they were."""
    return sorted(
        members,
        key=lambda member: (
            Status(member.facts.status).is_gone,
            -Severity(member.facts.severity).rank,
        ),
    )


def group_draft(
    group: Group, members: Sequence[Member], *, all_url: str, made_by: str, follows: str = ""
) -> Draft:
    """The ticket of these findings, the worst first, at least one of them. `all_url` lists them
    all; `follows` is a sentence about the ticket before this one."""
    findings = [member.facts for member in members]
    fix = fix_of(findings)
    parts = [
        _fix_sentence(group, fix, len(findings)),
        _still_open(findings),
        _table(members),
        _worst(findings[0]),
        follows,
        f"One ticket per {group.label}: {_values(group)} · {_all(members, all_url)}",
        made_by,
    ]
    return Draft(
        group_title(group, findings, fix),
        "\n\n".join(part for part in parts if part),
        PRIORITY_OF_SEVERITY[Severity(findings[0].severity)],
    )


def group_title(group: Group, findings: Sequence[Facts], fix: Fix) -> str:
    rest = f": {extent(group, findings)}"
    about = subject(group, findings, fix).rstrip(" .:")
    return f"{shorten(about, TITLE_LENGTH - len(rest))}{rest}"


def extent(group: Group, findings: Sequence[Facts]) -> str:
    """As in "21 findings in 7 files of 4 repositories", or "2 findings in src/app.py"."""
    text = number(len(findings), "finding")
    places = {place(facts) for facts in findings} - {""}
    if places and not {"resource", "image"} & set(group.fields):
        one = shorten(places.pop(), 80) if len(places) == 1 else ""
        text += f" in {one or number(len(places), _noun(findings))}"
    repositories = {repository(facts) for facts in findings} - {""}
    if len(repositories) > 1 and "repository" not in group.fields:
        text += f" of {number(len(repositories), 'repository')}"
    return text


def where(findings: Sequence[Facts]) -> str:
    """Where these are, in a few words: repositories if they are known, else places."""
    places = [repository(facts) or place(facts) for facts in findings]
    shown = _names(places)[:2]
    more = len({*places} - {"", *shown})
    return " and ".join([shorten(name, 80) for name in shown] + [f"{more:,} more"] * bool(more))


def place(facts: Facts) -> str:
    return facts.resource_name or facts.resource_id


def repository(facts: Facts) -> str:
    return (values_of(["repository"], facts) or ("",))[0]


def number(count: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def subject(group: Group, findings: Sequence[Facts], fix: Fix) -> str:
    """What is to be done, or what is wrong; the findings are given the worst first."""
    said = dict(zip(group.fields, group.values, strict=True))
    worst = findings[0]
    if "package" in said:
        name = package_text(worst, "name") or package_name(said["package"])
        return update_title(name, _names(package_text(each, "version") for each in findings), fix)
    if "vulnerability" in said:
        return f"{said['vulnerability']}: {worst.title}".removesuffix(f": {said['vulnerability']}")
    if {"rule", "title", "correlation"} & said.keys():
        return worst.title
    names = [place(worst) if name == "resource" else value for name, value in said.items()]
    return f"{', '.join(names)}: {worst.title}" if len(findings) == 1 else ", ".join(names)


def _fix_sentence(group: Group, fix: Fix, count: int) -> str:
    if not fix.version or "package" not in group.fields:
        return ""
    if fix.fixed == count:
        whole = "it" if count == 1 else "both" if count == 2 else f"all {count:,}"
        return f"**Fix:** version {code(fix.version)} fixes {whole}."
    left = count - fix.fixed
    return (
        f"**Fix:** version {code(fix.version)} fixes {fix.fixed:,} of the {count:,}; "
        f"for {left:,} no fix is known."
    )


def _still_open(findings: Sequence[Facts]) -> str:
    left = sum(not Status(facts.status).is_gone for facts in findings)
    return "" if left == len(findings) else f"**Left:** {left:,} of {len(findings):,}."


def _table(members: Sequence[Member]) -> str:
    has_versions = any(package_text(member.facts, "version") for member in members)
    names = ["Severity", "Place", *(["Version"] if has_versions else []), "Finding"]
    rows = (_row(member, has_versions=has_versions) for member in members[:MAX_ROWS])
    lines = [_line(names), _line(["---"] * len(names))]
    room = MAX_TABLE
    for line in map(_line, rows):
        room -= len(line)
        if room < 0:
            break
        lines.append(line)
    table = "\n".join(lines)
    left = len(members) - (len(lines) - 2)
    return f"{table}\n\nand {left:,} more, in the order of severity" if left > 0 else table


def _all(members: Sequence[Member], all_url: str) -> str:
    """Near the end, which stays where a tracker has no room for the whole text."""
    return f"[{'See it' if len(members) == 1 else f'All {len(members):,}'} in Findings]({all_url})"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _row(member: Member, *, has_versions: bool) -> list[str]:
    facts = member.facts
    version = plain(shorten(package_text(facts, "version"), 60)) if has_versions else None
    cells = [
        facts.severity.capitalize(),
        plain(shorten(place(facts), 160)),
        version,
        f"[{plain(shorten(facts.title, 120))}]({member.url})",
    ]
    return [cell for cell in cells if cell is not None]


def _worst(facts: Facts) -> str:
    text = facts.description.strip()
    if not text:
        return ""
    cut = text if len(text) <= MAX_DESCRIPTION else f"{text[:MAX_DESCRIPTION]}…"
    return f"**The worst of them: {plain(facts.title)}**\n\n{closed(cut)}"


def _values(group: Group) -> str:
    return ", ".join(code(shorten(value, 200)) for value in group.values)


def _noun(findings: Sequence[Facts]) -> str:
    nouns = {_NOUNS.get(facts.resource_type, "resource") for facts in findings}
    return nouns.pop() if len(nouns) == 1 else "place"


def _names(found: Iterable[str]) -> list[str]:
    """The most frequent first."""
    counts = Counter(name for name in found if name)
    return [name for name, _ in sorted(counts.items(), key=lambda each: (-each[1], each[0]))][
        :MAX_NAMES
    ]
