"""Inbox rules that come with the product: people switch them on and off, and change nothing else.

Their ids are those of the public API. What they look for is our choice: of each type of finding
what is most likely to be a real risk.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from automation.engine.rules import RuleSpec
from automation.kinds.inbox.action import AddToInbox
from findings.facts import FindingType

_CRITICAL = "@severity:critical"
_HIGH = "@severity:(critical OR high)"


def _rule(finding_type: FindingType, name: str, query: str, why: str) -> RuleSpec:
    return RuleSpec(
        id=f"{finding_type}_default_rule",
        name=name,
        enabled=False,
        finding_types=(finding_type.value,),
        query=query,
        action=AddToInbox(description=why),
        is_default=True,
    )


DEFAULTS: Final[Sequence[RuleSpec]] = (
    _rule(
        FindingType.ATTACK_PATH,
        "Attack paths that are critical or high",
        _HIGH,
        "An attacker could take this path.",
    ),
    _rule(
        FindingType.IDENTITY_RISK,
        "Identity risks that are critical or high",
        _HIGH,
        "Permissions that go further than they should.",
    ),
    _rule(
        FindingType.SECRET,
        "Secrets that are critical or high",
        _HIGH,
        "Anyone who can read the code can use it.",
    ),
    _rule(
        FindingType.RUNTIME_CODE,
        "Runtime code vulnerabilities that are critical or high",
        _HIGH,
        "Running code can be attacked.",
    ),
    _rule(
        FindingType.LIBRARY,
        "Critical library vulnerabilities",
        _CRITICAL,
        "A library that is used has a critical weakness.",
    ),
    _rule(
        FindingType.HOST_AND_CONTAINER,
        "Critical host and container vulnerabilities",
        _CRITICAL,
        "A package that is installed has a critical weakness.",
    ),
    _rule(
        FindingType.MISCONFIGURATION,
        "Critical misconfigurations",
        _CRITICAL,
        "A resource is open to attack as it is set up.",
    ),
    _rule(
        FindingType.IAC,
        "Critical infrastructure as code",
        _CRITICAL,
        "What is deployed from it is open to attack.",
    ),
)
