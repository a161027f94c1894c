"""News for the apps above."""

from __future__ import annotations

from django.dispatch import Signal

destination_broken = Signal()
"""A ticket of a rule could not be created as the rule is configured.

Sent with `rule_id: UUID`, `reason: str` and `field: str` (the external field at fault, or "")
inside the transaction that blocks the ticket, so that the rule breaks with it or not at all.
"""
