"""News that findings send upward, on commit. Receivers live in the upper apps' receivers.py."""

from django.dispatch import Signal

findings_recorded = Signal()
"""A batch was recorded and at least one finding asks for evaluation or opened again."""

findings_changed = Signal()
"""The status of findings changed: whoever follows them should look again."""

findings_leaving = Signal()
"""An import is undone: findings that came with it are about to be deleted, or closed again.

Sent inside the transaction that does it, with `run: Import`, `actor: User | None`, `pks: Sequence`
and `may_go: Callable[[], list[int]]`, which says which of them nobody has touched; it is asked
once the findings, and whatever hangs on them, are locked. A receiver takes off them what came since
the import began, and answers with those that have to stay.
"""
