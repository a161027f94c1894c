"""What people ask the explorer, and what they do with the findings they chose there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from uuid import UUID, uuid4

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.http import urlencode

from config.accounts.models import User
from config.lib.keyset import Moment
from config.lib.utc import short_day_text, stamp, time_text
from findings.explorer.columns import SHOWN, columns_named, named
from findings.explorer.group_address import GroupAddress, chosen_search
from findings.explorer.group_values import value_names, with_values
from findings.explorer.pages import ROWS, SORTS, PageCursor, Sort, in_order, pks_in_order
from findings.explorer.search import FILTERS, Clock, Search
from findings.facts import Severity, Status
from findings.models import Finding, InboxChoice, SavedView
from findings.overrides import MAX_DESCRIPTION, SETTABLE
from findings.query.ast import QueryError
from findings.query.parse import parse

RANGES: Mapping[str, tuple[str, timedelta | None]] = {
    "today": ("Today, UTC", None),
    "24h": ("Past 24 hours", timedelta(hours=24)),
    "7d": ("Past 7 days", timedelta(days=7)),
    "30d": ("Past 30 days", timedelta(days=30)),
    "90d": ("Past 90 days", timedelta(days=90)),
    "all": ("All time", None),
}
TODAY = "today"
CLOCKS = (
    (Clock.OPENED, "Opened here"),
    (Clock.FIRST_SEEN, "First seen by the scanner"),
    (Clock.DECIDED, "Decided by rules"),
    (Clock.TICKETED, "Ticketed"),
    (Clock.RESOLVED, "Resolved"),
    (Clock.OPEN, "Open at its end"),
)
ROWS_AT_FIRST = 50
MUTE_REASONS = (
    ("RISK_ACCEPTED", "Risk accepted"),
    ("FALSE_POSITIVE", "False positive"),
    ("PENDING_FIX", "Pending fix"),
    ("DUPLICATE", "Duplicate"),
    ("NO_FIX", "No fix available"),
    ("OTHER", "Other"),
)
MUTE_DAYS = ((0, "Until it is unmuted"), (7, "7 days"), (30, "30 days"), (90, "90 days"))


_UNCLOSED = re.compile(r"`(.)` opened at column (\d+) is never closed")
_CLOSING = {
    "(": ("parenthesis", ")", "group"),
    "[": ("bracket", "]", "range"),
    "{": ("brace", "}", "range"),
    '"': ("quote", '"', "phrase"),
}


class ExplorerQuery:
    """The address of an explorer page, read with tolerance: what it does not know, it drops."""

    def __init__(self, params: QueryDict) -> None:
        self.text = params.get("q", "").strip()
        self.range = params.get("from", "") if params.get("from") in RANGES else "all"
        self.start, self.end = _between(params)
        self.clock = Clock(by) if (by := params.get("by")) in list(Clock) else Clock.OPENED
        self.sort = _known(Sort, params.get("sort", ""))
        self.rows = next((n for n in ROWS if str(n) == params.get("rows")), ROWS_AT_FIRST)
        self.columns = columns_named(params.get("cols", ""))
        self.cursor = PageCursor.read(params.get("page", ""), self.sort)
        self.grouping = GroupAddress(params)
        self.chosen = {name: values for name in FILTERS if (values := _chosen(params, name))}
        self.error: QueryError | None = None

    @property
    def ranges(self) -> list[tuple[str, str]]:
        return [(value, label) for value, (label, _) in RANGES.items()]

    @property
    def clocks(self) -> Sequence[tuple[Clock, str]]:
        return CLOCKS

    @property
    def cols(self) -> str:
        """The columns as the address names them; "" for those of every day."""
        return "" if self.columns == SHOWN else named(self.columns)

    @cached_property
    def state(self) -> str:
        """The search and how it is shown, always written alike; "" for how a page begins."""
        params = [("q", self.text)] if self.text else []
        params += [("from", self.range)] if self.range != "all" else []
        params += [("from", iso(self.start))] if self.start else []
        params += [("to", iso(self.end))] if self.end else []
        params += [("by", self.clock)] if self.clock is not Clock.OPENED else []
        params += [("sort", self.sort)] if self.sort is not Sort.SEVERITY else []
        params += [("rows", str(self.rows))] if self.rows != ROWS_AT_FIRST else []
        params += [("cols", self.cols)] if self.cols else []
        params += self.grouping.state
        params += [(name, value) for name in self.chosen for value in sorted(self.chosen[name])]
        return urlencode(params)

    @property
    def narrowing(self) -> dict[str, str | list[str]]:
        """What it chooses beside the query, by the names of the address."""
        time = {"from": self.from_value or self.range, "to": self.to_value, "by": self.clock}
        said = time if self.is_custom or self.range != "all" else {}
        chosen = {name: sorted(values) for name, values in self.chosen.items()}
        return {name: str(value) for name, value in said.items() if value} | chosen

    @property
    def is_custom(self) -> bool:
        """Whether the time is none of the menu's."""
        return bool(self.start or self.end)

    @property
    def from_value(self) -> str:
        return iso(self.start) if self.start else ""

    @property
    def to_value(self) -> str:
        return iso(self.end) if self.end else ""

    @property
    def custom_range(self) -> str:
        """A time of its own in words: "3 Nov – 9 Nov", the last day included."""
        start, end = self.start, self.end
        whole = all(moment is None or moment.time() == time(0) for moment in (start, end))
        written = [_moment_label(start, whole=whole)] if start else []
        if end:
            written += [_moment_label(end - timedelta(days=1) if whole else end, whole=whole)]
        if start and end:
            return " – ".join(dict.fromkeys(written))
        return f"{'Since' if start else 'Until'} {written[0]}"

    @property
    def is_short(self) -> bool:
        """Whether the past 90 days are more."""
        return self.range not in ("90d", "all") or self.is_custom

    @property
    def sorts(self) -> Sequence[tuple[Sort, str]]:
        return tuple(SORTS.items())

    @property
    def sorted_by(self) -> str:
        return self.sort.field

    @property
    def direction(self) -> str:
        return "descending" if self.sort.is_descending else "ascending"

    def search(self, now: datetime) -> Search | None:
        """None when the text is no query; then `error` says why."""
        try:
            root = parse(self.text).root
        except QueryError as error:
            self.error = error
            return None
        since = None if self.clock is Clock.OPEN else self.start or self._since(now)
        return Search(
            root,
            since,
            self.chosen,
            until=self.end,
            clock=self.clock,
            group=self.grouping.names,
            within=self.grouping.within,
        )

    def _since(self, now: datetime) -> datetime | None:
        if self.range == TODAY:
            return now.replace(hour=0, minute=0, second=0, microsecond=0)
        length = RANGES[self.range][1]
        return now - length if length else None

    @property
    def error_sentence(self) -> str:
        if self.error is None:
            return ""
        message = self.error.message
        if unclosed := _UNCLOSED.fullmatch(message):
            opened, where = unclosed.groups()
            noun, closing, whole = _CLOSING[opened]
            return f"Unclosed {noun} at character {where}. Add “{closing}” to finish the {whole}."
        return f"{message.replace(' at column ', ' at character ')}."

    @property
    def around_error(self) -> tuple[str, str, str]:
        """The query before, at and after the place where it is wrong."""
        at = self.error.position if self.error else 0
        return self.text[max(0, at - 40) : at], self.text[at : at + 1], self.text[at + 1 : at + 40]


def _between(params: QueryDict) -> tuple[datetime | None, datetime | None]:
    """A time of the address's own; none where it names one of the menu's."""
    if params.get("from") in RANGES:
        return None, None
    start, end = _moment(params.get("from", "")), _moment(params.get("to", ""))
    return (start, end) if not (start and end and start >= end) else (None, None)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text).replace(microsecond=0)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return moment if Moment.earliest <= moment <= Moment.latest else None


def iso(moment: datetime) -> str:
    return stamp(moment)


def _moment_label(moment: datetime, *, whole: bool) -> str:
    day = short_day_text(moment)
    return day if whole else f"{day}, {time_text(moment)}"


def _known(sorts: type[Sort], text: str) -> Sort:
    return sorts(text) if text in set(sorts) else sorts.SEVERITY


def _chosen(params: QueryDict, facet: str) -> Sequence[str]:
    """The facet's checked boxes; none when all of them are, which is how a page begins."""
    values = tuple(dict.fromkeys(value.replace("\0", "�") for value in params.getlist(facet)))
    return () if params.get(f"{facet}_of") == str(len(values)) else values


class Chosen:
    """The findings that a form names by their public ids; those that are gone are counted."""

    def __init__(self, params: QueryDict) -> None:
        ids = list(dict.fromkeys(params.getlist("finding")))
        found = Finding.objects.filter(finding_id__in=[text for text in ids if "\0" not in text])
        by_id = {finding.finding_id: finding for finding in found.defer("description")}
        self.findings = [by_id[text] for text in ids if text in by_id]
        self.gone = len(ids) - len(self.findings)

    @property
    def pks(self) -> list[int]:
        return [finding.pk for finding in self.findings]

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """The fields that name them in the next form."""
        return [("finding", finding.finding_id) for finding in self.findings]

    @property
    def noun(self) -> str:
        return count_label(len(self.findings))


class Everything:
    """All findings that a search finds, which a form names by the query of its address.

    `run_id` goes with the form, so that sending it twice asks once.
    """

    def __init__(self, params: QueryDict) -> None:
        self.params = ExplorerQuery(QueryDict(chosen_search(params)))
        self.search = self.params.search(timezone.now())
        self.run_id = _uuid(params.get("run", "")) or uuid4()
        self._seen = _number(params.get("number", ""))

    def pks(self, *, most: int) -> list[int]:
        """In the order of the page; one more than `most` if there are more. One statement."""
        if self.search is None:
            return []
        return pks_in_order(self.search, self.params.sort, most=most + 1)

    def ids(self, *, most: int) -> list[str]:
        """As `pks`, the public ids."""
        if self.search is None:
            return []
        found = in_order(self.search, self.params.sort)
        return list(found.values_list("finding_id", flat=True)[: most + 1])

    def with_values(self, names: Sequence[str], *, most: int) -> list[tuple[int, tuple[str, ...]]]:
        """As `pks`, with what each is grouped by."""
        if self.search is None:
            return []
        found = with_values(in_order(self.search, self.params.sort), names)
        rows = found.values_list("pk", *value_names(names))[:most]
        return [(pk, tuple(values)) for pk, *values in rows]

    def change(self, number: int) -> str:
        """What has changed since the person was asked, if their number has."""
        if self._seen is None or self._seen == number:
            return ""
        return (
            f"The search finds {count_label(number)} now; it found {self._seen:,} when you were "
            "asked. Check again before you continue."
        )

    def hidden(self, number: int) -> list[tuple[str, str]]:
        named = {"search": self.params.state, "number": str(number), "run": str(self.run_id)}
        return list(named.items())


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def count_label(number: int) -> str:
    return f"{number:,} finding{'' if number == 1 else 's'}"


class MuteForm(forms.Form):
    reason = forms.ChoiceField(choices=MUTE_REASONS)
    description = forms.CharField(
        required=False, max_length=2_000, widget=forms.Textarea(attrs={"rows": 3, "class": "ta"})
    )
    days = forms.TypedChoiceField(label="Duration", choices=MUTE_DAYS, coerce=int)

    @property
    def until(self) -> datetime | None:
        days: int = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=days) if days else None


class AssignForm(forms.Form):
    assignee = forms.ModelChoiceField(
        queryset=User.objects.filter(is_active=True),
        required=False,
        empty_label="Nobody",
        widget=forms.Select(attrs={"data-combobox": "long"}),
    )


class StatusForm(forms.Form):
    status = forms.TypedChoiceField(
        choices=[
            (Status.OPEN, "Open"),
            (Status.IN_PROGRESS, "In progress"),
            (Status.RESOLVED, "Resolved"),
        ],
        coerce=Status,
    )


class InboxForm(forms.Form):
    inbox = forms.TypedChoiceField(
        label="Security Inbox",
        choices=[
            (InboxChoice.ADDED, "Add to the Inbox"),
            (InboxChoice.REMOVED, "Remove from the Inbox"),
        ],
        coerce=InboxChoice,
    )


class SeverityForm(forms.Form):
    severity = forms.TypedChoiceField(
        choices=[*((s.value, s.capitalize()) for s in SETTABLE), ("source", "As the scanner says")],
        coerce=lambda value: None if value == "source" else Severity(value),
    )
    description = forms.CharField(
        required=False,
        max_length=MAX_DESCRIPTION,
        help_text="Why? Everybody who opens the finding sees this.",
        widget=forms.Textarea(attrs={"rows": 3, "class": "ta"}),
    )


class ViewForm(forms.Form):
    name = forms.CharField(
        label="Name of the view",
        max_length=60,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    is_shared = forms.BooleanField(label="Shared with everybody", required=False)

    def __init__(
        self,
        data: QueryDict | None,
        *,
        view: SavedView | None,
        others: QuerySet[SavedView],
        may_share: bool,
    ) -> None:
        initial = {"name": view.name, "is_shared": view.is_shared} if view else None
        super().__init__(data, initial=initial)
        self.others = others
        if not may_share:
            del self.fields["is_shared"]

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if self.others.filter(name=name).exists():
            raise forms.ValidationError(f"Another view of yours is already called “{name}”.")
        return name
