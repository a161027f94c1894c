"""Entry points of the queue. Imported by nobody; each is safe to run at any time, any number
of times."""

from __future__ import annotations

from uuid import UUID

from automation.destinations import early_warning
from automation.pipeline import evaluate_all
from automation.recheck import recheck as go_on
from automation.rule_tests import execution, requests
from config.lib.tasks import enqueue


def evaluate() -> None:
    """Rung when findings are recorded, and every minute for what a lost ring left behind."""
    if not evaluate_all():
        enqueue("automation.tasks.evaluate")


def recheck() -> None:
    """Woken when rules or findings have changed, and every minute for what is due."""
    if not go_on():
        enqueue("automation.tasks.recheck")


def carry_on_tests() -> None:
    """Tests whose worker died; runs every minute."""
    requests.carry_on_lost()


def check_destinations() -> None:
    """What was not looked at for an hour, or was changed; runs every minute."""
    early_warning.check_due()


def run_test(run_id: str) -> None:
    execution.carry_on(UUID(run_id))
