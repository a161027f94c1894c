"""What rules do to findings: severity, mute, inbox and due date, and the claim for it.

The caller has claimed the findings, so it holds their locks and is inside a transaction. Each
function leaves alone what a person has decided and what is closed, writes only what changes, in a
constant number of statements, and gives back all the findings that it was given, in their order
and as they are now: the next kind of rule sees them so. The `…_effects` say what would be done,
and do nothing.
"""

from findings.rule_effects.due_dates import due_date_effects, set_due_dates
from findings.rule_effects.inbox import inbox_effects, set_inbox
from findings.rule_effects.mutes import MuteSpec, mute, mute_effects, unmute, unmute_effects
from findings.rule_effects.recheck import claim_for_recheck, evaluated_findings, recheck_count
from findings.rule_effects.severities import set_severities, severity_effects
from findings.rule_state import RuleActor, RuleState

__all__ = [
    "MuteSpec",
    "RuleActor",
    "RuleState",
    "claim_for_recheck",
    "due_date_effects",
    "evaluated_findings",
    "inbox_effects",
    "mute",
    "mute_effects",
    "recheck_count",
    "set_due_dates",
    "set_inbox",
    "set_severities",
    "severity_effects",
    "unmute",
    "unmute_effects",
]
