"""Rules of the five kinds, and findings, in a world so small that they meet often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

from hypothesis import strategies as st

from automation.kinds.due_date.action import DueDays, DueFrom, SetDueDate
from automation.kinds.inbox.action import AddToInbox
from automation.kinds.mute.action import MuteFinding, Reason
from automation.kinds.registry import ORDER
from automation.kinds.severity.action import Delta, Level, SetSeverity, ShiftSeverity
from automation.kinds.ticket_creation.action import CreateTicket, Target
from automation.rules.data import RuleData
from config.lib.utc import epoch_ms
from findings.facts import Severity

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PROJECT = UUID(int=7)
CVE, OTHERS = ["library_vulnerability"], ["secret", "misconfiguration"]
KINDS = [kind.name for kind in ORDER]
BENEATH = [
    "",
    "env:prod",
    "-env:prod",
    "@severity_details.adjusted.value:high",
    "(@severity_details.adjusted.value:unknown OR env:prod)",
]
QUERIES = [
    *BENEATH,
    "@severity:critical",
    "@severity:(high OR low)",
    "@severity_details.user_adjusted.value:low",
]
expiries = st.sampled_from([None, *(epoch_ms(START + timedelta(days=n)) for n in (1, 3))])
severity_actions = st.one_of(
    st.builds(SetSeverity, severity=st.sampled_from(list(Level))),
    st.builds(ShiftSeverity, severity_delta=st.sampled_from(list(Delta))),
)
mutes = st.builds(MuteFinding, reason=st.sampled_from(list(Reason)[:2]), expire_at=expiries)
due_days = st.lists(
    st.builds(DueDays, severity=st.sampled_from(list(Severity)[:4]), due_in_days=st.integers(1, 3)),
    min_size=1,
    unique_by=lambda each: each.severity,
)
dates = st.builds(SetDueDate, due_from=st.just(DueFrom.FIRST_SEEN), due_days_per_severity=due_days)
tickets = st.just(
    CreateTicket(target=Target.CASE_MANAGEMENT, project_id=PROJECT, max_tickets_per_day=100)
)
ACTIONS = dict(
    zip(KINDS, (severity_actions, mutes, st.just(AddToInbox()), dates, tickets), strict=True)
)


_NUMBERS = count()


@st.composite
def rules(draw: st.DrawFn, kind: str) -> RuleData:
    action = draw(ACTIONS[kind])
    has_floor = getattr(action, "severity", None) is Level.INFO_NONE
    types = ["misconfiguration", *CVE] if has_floor else [*CVE, *OTHERS]
    return RuleData(
        name=f"Rule {next(_NUMBERS)}",
        finding_types=draw(st.lists(st.sampled_from(types), min_size=1, unique=True)),
        query=draw(st.sampled_from(BENEATH if kind == KINDS[0] else QUERIES)),
        action=action,
        enabled=draw(st.integers(0, 4)) > 0,
    )


rule_sets = st.fixed_dictionaries({kind: st.lists(rules(kind), max_size=4) for kind in KINDS})
of_kind = st.sampled_from(KINDS)
which = st.integers(0, 3)
findings = st.lists(
    st.fixed_dictionaries(
        {
            "finding_type": st.sampled_from([*CVE, *OTHERS]),
            "severity": st.sampled_from([each.value for each in Severity]),
            "tags": st.sampled_from([("env:prod",), ("env:dev",), ()]),
        }
    ),
    min_size=1,
    max_size=4,
)
editors = st.one_of(
    of_kind.flatmap(lambda kind: st.tuples(st.just("create"), rules(kind))),
    of_kind.flatmap(lambda kind: st.tuples(st.just("edit"), which, rules(kind))),
    st.tuples(st.sampled_from(["delete", "toggle"]), of_kind, which),
    st.tuples(st.just("move"), of_kind, which, which),
)
people = st.one_of(
    st.tuples(st.just("severity"), which, st.sampled_from([Severity.LOW, Severity.CRITICAL, None])),
    st.tuples(st.sampled_from(["mute", "unmute", "work", "resolve", "reopen"]), which),
    st.tuples(st.just("inbox"), which, st.sampled_from(["added", "removed"])),
)
world = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([1, 30])),
    st.tuples(st.just("report"), which, st.sampled_from([each.value for each in Severity])),
    st.just(("recheck",)),
)
lives = st.lists(st.one_of(editors, people, world), max_size=10)
