"""What a decision was made of: one reader, and triggers that keep it.

Of most findings no rule matches, and a copy of their facts would say what the finding's own row
says. Such a decision has none until the row changes: then the database writes down what it was,
whoever changes or deletes the finding. What changes with every report, when the finding was last
seen, stands in the decision itself.
"""

# ruff: noqa: S608 - of names that stand here

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from automation.models import Decision
from config.lib.triggers import Function, Trigger, Triggers
from findings.facts import DECISION_FACTS, Facts, facts_from_json
from findings.models import Finding

LAST_SEEN = "last_seen_at"
_IN_ROW = tuple(name for name in DECISION_FACTS if name != LAST_SEEN)
_OF_ROW = tuple(f"finding__{name}" for name in _IN_ROW)


def facts_of(decision: Decision) -> Facts:
    """As the engine saw them. One statement where they are not in the decision."""
    if decision.facts is not None:
        return facts_from_json(decision.facts)
    if decision.finding is None:
        raise LookupError(f"decision {decision.pk} has neither facts nor a finding")
    row = {name: getattr(decision.finding, name) for name in _IN_ROW}
    return _of_row(row, decision.last_seen_at)


def facts_of_all(decisions: QuerySet[Decision]) -> Iterator[tuple[int, Facts]]:
    """(primary key, facts) of the findings of decisions, which are there. One statement."""
    for pk, facts, seen_at, *row in decisions.values_list(
        "finding_id", "facts", LAST_SEEN, *_OF_ROW
    ):
        if facts is not None:
            yield pk, facts_from_json(facts)
        else:
            yield pk, _of_row(dict(zip(_IN_ROW, row, strict=True)), seen_at)


def _of_row(row: Mapping[str, Any], last_seen_at: datetime | None) -> Facts:
    return Facts(**row, last_seen_at=last_seen_at)


# --- The same as SQL ------------------------------------------------------------------------


def facts_as_json(vendor: str, *, of: str, last_seen: str) -> str:
    """An expression that makes the facts of a row of findings, called `of`, and of when that was
    last seen."""
    columns = {name: last_seen if name == LAST_SEEN else f"{of}.{name}" for name in DECISION_FACTS}
    pairs = ", ".join(f"'{name}', {_value(vendor, each)}" for name, each in columns.items())
    return f"jsonb_build_object({pairs})" if vendor == "postgresql" else f"json_object({pairs})"


def _value(vendor: str, column: str) -> str:
    """JSON columns are text on SQLite; times are naive text in UTC."""
    if vendor == "postgresql":
        return column
    if column.endswith((".tags", ".attributes")):
        return f"json({column})"
    return f"replace({column}, ' ', 'T') || '+00:00'" if column.endswith("_at") else column


# --- What keeps them ------------------------------------------------------------------------

_CHANGED, _LEFT = "automation_facts_changed", "automation_facts_left"


def _watched() -> tuple[str, ...]:
    """The columns of the finding that its facts are made of."""
    generated = {field.name for field in Finding._meta.concrete_fields if field.generated}
    stored = [name for name in _IN_ROW if name not in generated]
    return (*stored, "base_severity")


def _postgresql() -> dict[str, Trigger]:
    """A trigger of rows with a list of columns: where a report brings again what is known, it is
    not even asked; one of statements would be handed every row."""
    watched = _watched()
    old, new = (", ".join(f"{row}.{name}" for name in watched) for row in ("OLD", "NEW"))
    facts = facts_as_json("postgresql", of="OLD", last_seen="d.last_seen_at")
    changed = f"""
CREATE OR REPLACE FUNCTION {_CHANGED}() RETURNS trigger AS $$
BEGIN
    UPDATE automation_decision AS d SET facts = {facts}, last_seen_at = NULL
    WHERE d.finding_id = OLD.id AND d.facts IS NULL;
    RETURN NULL;
END
$$ LANGUAGE plpgsql"""
    on_change = (
        f"CREATE TRIGGER {_CHANGED} AFTER UPDATE OF {', '.join(watched)} ON findings_finding "
        f"FOR EACH ROW WHEN (({old}) IS DISTINCT FROM ({new})) EXECUTE FUNCTION {_CHANGED}()"
    )
    facts = facts_as_json("postgresql", of="f", last_seen="OLD.last_seen_at")
    left = f"""
CREATE OR REPLACE FUNCTION {_LEFT}() RETURNS trigger AS $$
BEGIN
    NEW.facts := (SELECT {facts} FROM findings_finding AS f WHERE f.id = OLD.finding_id);
    NEW.last_seen_at := NULL;
    RETURN NEW;
END
$$ LANGUAGE plpgsql"""
    on_leave = (
        f"CREATE TRIGGER {_LEFT} BEFORE UPDATE OF finding_id ON automation_decision "
        f"FOR EACH ROW WHEN (NEW.finding_id IS DISTINCT FROM OLD.finding_id "
        f"AND OLD.finding_id IS NOT NULL AND NEW.facts IS NULL) EXECUTE FUNCTION {_LEFT}()"
    )
    return {
        _CHANGED: Trigger("findings_finding", on_change, Function(_CHANGED, changed)),
        _LEFT: Trigger("automation_decision", on_leave, Function(_LEFT, left)),
    }


def _sqlite() -> dict[str, Trigger]:
    watched = _watched()
    is_changed = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in watched)
    seen = "automation_decision.last_seen_at"
    changed = f"""
CREATE TRIGGER {_CHANGED} AFTER UPDATE OF {", ".join(watched)} ON findings_finding
WHEN {is_changed} BEGIN
    UPDATE automation_decision
    SET facts = {facts_as_json("sqlite", of="OLD", last_seen=seen)}, last_seen_at = NULL
    WHERE finding_id = OLD.id AND facts IS NULL;
END"""
    facts = facts_as_json("sqlite", of="f", last_seen="OLD.last_seen_at")
    left = f"""
CREATE TRIGGER {_LEFT} AFTER UPDATE OF finding_id ON automation_decision
WHEN NEW.finding_id IS NOT OLD.finding_id AND OLD.finding_id IS NOT NULL AND NEW.facts IS NULL
BEGIN
    UPDATE automation_decision SET last_seen_at = NULL,
        facts = (SELECT {facts} FROM findings_finding AS f WHERE f.id = OLD.finding_id)
    WHERE id = NEW.id;
END"""
    return {
        _CHANGED: Trigger("findings_finding", changed),
        _LEFT: Trigger("automation_decision", left),
    }


TRIGGERS = Triggers(
    lambda vendor: _postgresql() if vendor == "postgresql" else _sqlite(),
    needs={"findings_finding": "", "automation_decision": LAST_SEEN},
)
