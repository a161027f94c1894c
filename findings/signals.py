"""News that findings send upward, on commit. Receivers live in the upper apps' receivers.py."""

from django.dispatch import Signal

findings_recorded = Signal()
"""A batch was recorded and at least one finding asks for evaluation or opened again."""

findings_changed = Signal()
"""The status of findings changed: whoever follows them should look again."""
