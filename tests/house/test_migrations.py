from __future__ import annotations

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader

OURS = ("accounts", "automation", "findings", "runtime", "ticketing")


@pytest.mark.django_db
def test_it_has_a_migration_for_every_change_of_a_model():
    call_command("makemigrations", *OURS, check=True, dry_run=True, verbosity=0)


@pytest.mark.parametrize("app", OURS)
def test_it_keeps_migrations_in_one_line(app):
    loader = MigrationLoader(None)
    ours = {key for key in loader.disk_migrations if key[0] == app}
    assert ours
    parents = [
        parent
        for key in ours
        for parent in loader.disk_migrations[key].dependencies
        if parent[0] == app
    ]
    assert len(parents) == len(set(parents)) == len(ours) - 1
    assert not any(loader.disk_migrations[key].replaces for key in ours)


def test_it_knows_all_our_apps_that_have_models():
    ours = {
        config.label
        for config in apps.get_app_configs()
        if config.models_module and "site-packages" not in config.path
    }
    assert ours == set(OURS)
