from importlib import import_module

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from findings.columnar import log
from findings.explorer import group_values
from findings.query.sql.sqlite import add_function
from findings.trends import marks


class FindingsConfig(AppConfig):
    name = "findings"
    verbose_name = "Findings"

    def ready(self) -> None:
        connection_created.connect(add_function)
        connection_created.connect(group_values.add_function)
        import_module("findings.undo")  # registers what people can undo
        import_module("findings.retention")  # registers how long rows are kept
        marks.TRIGGERS.keep(self)
        log.TRIGGERS.keep(self)
