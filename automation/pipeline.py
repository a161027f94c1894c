"""The pipeline: unevaluated findings → decisions → cases, one transaction a chunk.

A chunk is claimed, decided, ticketed, recorded and settled in one transaction, so a worker
killed on any line leaves nothing behind, and no two workers ever hold the same finding.

No finding stops the others. A chunk has a time, after which it keeps what it has decided; one
that raises is divided until the culprit is alone, which gets the outcome `error`; one whose
worker is killed is tried again with less at once (`attempts`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.utils import timezone

from automation import attempts
from automation.bisection import Bisection, ChunkError
from automation.decisions.store import replace as replace_decisions
from automation.decisions.store import store as store_decisions
from automation.engine.rules import RuleSpec
from automation.kinds.base import Applied, Chunk, Match, RuleKind, Verdict
from automation.kinds.registry import ORDER
from automation.models import Decision, EvaluationAttempt, RuleCheck
from automation.rules.active import ActiveRules, active_rules, all_active_rules
from automation.rules.faults import raising
from automation.rules.services import break_rules, mark_slow
from automation.rules.slow import measure
from findings import services as findings
from findings.facts import Facts
from findings.selectors import unevaluated
from findings.services import Claimed

log = structlog.get_logger(__name__)

CHUNK = 2_000
"""More amortises the statements, less holds the locks for a shorter time. CPU of a finding with 100
rules, in µs: 92 in chunks of 1,000, 81 of 2,000, 73 of 5,000."""
SECONDS_A_RING = 30.0  # half of the queue's time-out; whoever is left over is rung for again
LOST_AFTER, GIVEN_UP_AFTER = timedelta(seconds=5), timedelta(minutes=1)
CHUNK_SECONDS = 5.0  # for matching; on SQLite everybody who writes waits for that long
DIVIDING_SECONDS = 20.0  # for finding out which findings raise; the rest is divided next time
MAX_CULPRITS = 10  # so many, and nothing decided: first see whether anything else succeeds
MAX_OTHERS = 100_000  # that are looked at for that
_NOT_THE_FINDINGS = (OperationalError, InterfaceError)  # the database is away, or busy


def is_anything_due(now: datetime) -> bool:
    """Whether a finding waits for longer than a wake-up takes: that one was lost.

    Where findings wait for over a minute something fails, and is tried again each minute.
    """
    lost = (now - GIVEN_UP_AFTER, now - LOST_AFTER)
    return unevaluated().filter(evaluation__unevaluated_since__range=lost).exists()


def evaluate_all(*, seconds: float = SECONDS_A_RING) -> bool:
    """Evaluate chunk after chunk; True if nobody waits any more, False if time ran out."""
    if not unevaluated().exists():
        return True
    ends = time.monotonic() + seconds
    attempt = attempts.begin(CHUNK)
    try:
        while _evaluate_next(attempt, ends):
            if time.monotonic() > ends:
                return False
        return True
    finally:
        attempts.end(attempt)


def _evaluate_next(attempt: EvaluationAttempt, ends: float) -> int:
    if attempt.size > 1:
        done = evaluate_chunk(attempt.size)
    else:
        done = 0  # one by one through all that was at hand when the worker was killed
        while done < attempts.SHRINKS_BY and _evaluate_one(attempt):
            done += 1
            if time.monotonic() > ends:
                return done
    if done and attempt.size < CHUNK:
        attempts.grow(attempt, CHUNK)
    return done


def _evaluate_one(attempt: EvaluationAttempt) -> bool:
    """The next finding alone, named before it is touched: its worker may be killed again."""
    first = unevaluated().order_by("evaluation__unevaluated_since", "pk")
    pk = first.values_list("pk", flat=True).first()
    if pk is None:
        return False
    if attempts.hold(attempt, pk):
        evaluate_chunk(1, pks=[pk])
    else:
        _set_aside(pk, "Evaluating it took too long and was stopped each time it was tried.")
    return True


def evaluate_chunk(size: int = CHUNK, *, pks: Sequence[int] = ()) -> int:
    """Decide up to `size` waiting findings, or these; returns how many. Constant statements,
    unless one of them raises."""
    try:
        return _evaluate_at_once(size, pks)
    except ChunkError as error:
        return _evaluate_divided(error)


def _evaluate_at_once(size: int, pks: Sequence[int]) -> int:
    """Twice, where another worker was faster with what there is once, as a group's ticket: the
    second time it is there."""
    try:
        return _evaluate(size, pks)
    except ChunkError as error:
        if not isinstance(error.__cause__, IntegrityError):
            raise
        taken = error.pks
    return _evaluate(len(taken), taken)


def _evaluate_divided(error: ChunkError) -> int:
    """Decide all but the findings that raise; those are set aside with the reason.

    Raises the error, and sets nothing aside, where nothing else that waits succeeds either.
    """
    ends = time.monotonic() + DIVIDING_SECONDS
    search = Bisection(lambda pks: _evaluate_at_once(len(pks), pks))
    search.split(error)
    search.run(until=ends, enough=MAX_CULPRITS)
    is_unclear = search.is_open or len(search.culprits) >= MAX_CULPRITS
    if is_unclear and not search.done and not _has_just_worked():
        search.add(_others_waiting(error.pks))
        if not search.find_success(until=ends):
            if _break_raising_rules([culprit.pk for culprit in search.culprits]):
                return _evaluate(len(error.pks), error.pks)
            raise error
    search.run(until=ends)
    for pk, cause in search.culprits:
        log.error("finding set aside", finding_id=pk, exc_info=cause)
        _set_aside(pk, f"Evaluating it failed ({type(cause).__name__}); the log says more.")
    return search.done + len(search.culprits)


def _has_just_worked() -> bool:
    """Whether anything was decided a moment ago: then it is not everything that fails."""
    since = timezone.now() - timedelta(seconds=SECONDS_A_RING)
    decided = Decision.objects.filter(created_at__gte=since)
    return decided.exclude(outcome=Decision.Outcome.ERROR).exists()


def _others_waiting(failed: Sequence[int]) -> list[list[int]]:
    """Chunks of the other findings that wait, the newest: among them is whatever arrives."""
    newest = unevaluated().order_by("-evaluation__unevaluated_since", "-pk")
    known = set(failed)
    others = [pk for pk in newest.values_list("pk", flat=True)[:MAX_OTHERS] if pk not in known]
    return [others[at : at + CHUNK] for at in range(0, len(others), CHUNK)]


def _break_raising_rules(pks: Sequence[int]) -> list[UUID]:
    """Disable the rules that make all of these fail, if it is they."""
    with transaction.atomic():
        seen = findings.claim_unevaluated(limit=3, pks=pks)
    enabled = _enabled(all_active_rules().values())
    return break_rules(raising(enabled, [finding.facts for finding in seen]))


def _enabled(rules: Iterable[ActiveRules]) -> list[RuleSpec]:
    """People's rules that are on: those that come with the product are none of the suspects."""
    specs = (spec for active in rules for spec in active.specs)
    return [spec for spec in specs if spec.enabled and not spec.is_default]


@transaction.atomic
def _set_aside(pk: int, reason: str) -> None:
    now = timezone.now()
    claimed = findings.claim_unevaluated(limit=1, pks=[pk])
    verdicts = [Verdict(finding.pk, Decision.Outcome.ERROR, reason=reason) for finding in claimed]
    last = ORDER[-1].name
    store_decisions(verdicts, kind=last, rule_set_version=active_rules(last).version, now=now)
    findings.settle_evaluated([finding.pk for finding in claimed], decided_at=now)


def _evaluate(size: int, pks: Sequence[int]) -> int:
    """One transaction. Raises ChunkError for what is not the database's fault."""
    ends = time.monotonic() + CHUNK_SECONDS
    with transaction.atomic():
        claimed = findings.claim_unevaluated(limit=size, pks=pks)
        if not claimed:
            return 0
        rules = all_active_rules()
        try:
            decided = _decide(claimed, rules, now=timezone.now(), ends=ends)
        except _NOT_THE_FINDINGS:
            raise
        except Exception as error:
            raise ChunkError([finding.pk for finding in claimed]) from error
    break_faulty(rules)
    if time.monotonic() > ends:
        _name_slow_rules(rules.values(), [finding.facts for finding in claimed[:decided]])
    return decided


def _decide(
    claimed: Sequence[Claimed], rules: Mapping[str, ActiveRules], *, now: datetime, ends: float
) -> int:
    """Decide as many as there is time for, one at least; returns how many."""
    findings_now = claimed
    for kind in ORDER:
        applied = apply_kind(kind, rules[kind.name], findings_now, now=now, ends=ends)
        findings_now = applied.findings
    findings.settle_evaluated([finding.pk for finding in findings_now], decided_at=now)
    versions = {name: active.version for name, active in rules.items()}
    log.info("findings evaluated", count=len(findings_now), rule_set_versions=versions)
    return len(findings_now)


def break_faulty(rules: Mapping[str, ActiveRules]) -> None:
    """Disable the rules that cannot be evaluated. Call outside of a transaction that decides: the
    lock of a rule set comes last, and what was missed is found again."""
    for active in rules.values():
        break_rules(active.faults)


def apply_kind(
    kind: RuleKind,
    active: ActiveRules,
    claimed: Sequence[Claimed],
    *,
    now: datetime,
    ends: float = math.inf,
) -> Applied:
    """Have one kind of rules act on as many findings as there is time for, one at least, and
    record what it decided."""
    if not active.has_enabled and kind.is_idle(claimed):
        return Applied(claimed, ())
    matches = [] if active.has_enabled else [Match(finding, None) for finding in claimed]
    for finding in claimed if active.has_enabled else ():
        if matches and time.monotonic() > ends:
            break
        matches.append(Match(finding, first_match(kind, active, finding, now=now)))
    applied = kind.apply(Chunk(matches, active.version, active.has_enabled, now))
    break_rules(applied.broken)
    if kind.acts_on_existing:
        record = partial(replace_decisions, withdrawn=applied.withdrawn)
    else:
        seen = {finding.pk: finding.facts.last_seen_at for finding, _ in matches}
        record = partial(store_decisions, seen=seen)
    record(applied.verdicts, kind=kind.name, rule_set_version=active.version, now=now)
    return applied


def first_match(
    kind: RuleKind,
    active: ActiveRules,
    finding: Claimed,
    *,
    now: datetime,
    without: Collection[str] = (),
) -> RuleSpec | None:
    """The rule of the kind that acts on the finding, if one does; none of those `without`."""
    if not active.has_enabled or kind.skips(finding):
        return None
    specs = active.specs

    def accepts(index: int) -> bool:
        return specs[index].id not in without and kind.accepts(specs[index], finding, now)

    return active.first_match(finding.facts, accepts)


def _name_slow_rules(rules: Iterable[ActiveRules], seen: Sequence[Facts]) -> None:
    """Once: what is named stays until the rule is changed."""
    if RuleCheck.objects.filter(seconds_per_finding__isnull=False).exists():
        return
    one_of_each_type = {facts.finding_type: facts for facts in seen}.values()
    enabled = _enabled(rules)
    slow = measure(enabled, list(one_of_each_type))
    names = {UUID(spec.id): spec.name for spec in enabled}
    for rule_id, seconds in slow.items():
        log.warning("rule is slow", rule=names[rule_id], seconds_per_finding=seconds)
    if slow:
        mark_slow(slow)
