from django.apps import AppConfig
from django.db.backends.signals import connection_created

from findings.explorer import group_values
from findings.query.sql.sqlite import add_function


class FindingsConfig(AppConfig):
    name = "findings"
    verbose_name = "Findings"

    def ready(self) -> None:
        connection_created.connect(add_function)
        connection_created.connect(group_values.add_function)
