"""Tables as earlier releases had them, and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import StateApps

from config.lib.triggers import Triggers

Target = tuple[str, str]


def migrate(*targets: Target) -> StateApps:
    MigrationExecutor(connection).migrate(list(targets))
    return MigrationExecutor(connection).loader.project_state(list(targets)).apps


def newest(app: str) -> list[Target]:
    leaves = MigrationExecutor(connection).loader.graph.leaf_nodes()
    return [leaf for leaf in leaves if leaf[0] == app]


@contextmanager
def migrating(before: Target, triggers: Sequence[Triggers]) -> Iterator[None]:
    """Whatever happens, the tables of the app are as they are now afterwards."""
    for each in triggers:
        each.make_way(plan=[before])  # as `migrate` does before it begins
    try:
        yield
    finally:
        migrate(*newest(before[0]))
        for each in triggers:
            each.ensure()  # as `migrate` does when it is done
