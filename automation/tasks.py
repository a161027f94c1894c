"""Entry points of the queue. Imported by nobody; each is safe to run at any time, any number
of times."""

from __future__ import annotations

from uuid import UUID

from automation import early_warning, test_runs, test_steps
from automation.pipeline import evaluate_all
from config.lib.tasks import enqueue


def evaluate() -> None:
    if not evaluate_all():
        enqueue("automation.tasks.evaluate")


def sweep() -> None:
    """What a lost ring left behind; runs every minute."""
    evaluate()
    test_runs.sweep()


def check_destinations() -> None:
    """What was not looked at for an hour, or was changed; runs every minute."""
    early_warning.check_due()


def run_test(run_id: str) -> None:
    test_steps.carry_on(UUID(run_id))
