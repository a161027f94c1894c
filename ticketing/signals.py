"""News for the apps above."""

from __future__ import annotations

from django.dispatch import Signal

destination_broken = Signal()
"""A ticket of a rule could not be created as the rule is configured.

Sent with `rule_id: UUID`, `reason: str` and `field: str` (the external field at fault, or "")
inside the transaction that blocks the ticket, so that the rule breaks with it or not at all.
"""

project_deleting = Signal()
"""A project without cases is about to be deleted.

Sent with `project_id: UUID` inside the transaction that deletes it. A receiver answers with what
it needs the project for ("1 rule that creates tickets in it"), which stops it, or with nothing.
Rules name a project without a foreign key, as a rule may outlive it; only they know.
"""

findings_detached = Signal()
"""Findings were taken off their cases, and have no ticket now.

Sent with `finding_pks: Sequence[int]` inside that transaction, in which they are locked.
"""
