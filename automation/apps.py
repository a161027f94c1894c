from importlib import import_module

from django.apps import AppConfig


class AutomationConfig(AppConfig):
    name = "automation"
    verbose_name = "Automation"

    def ready(self) -> None:
        import_module("automation.receivers")
        import_module("automation.undo")  # registers what people can undo
        import_module("automation.retention")  # registers how long rows are kept
        import_module("automation.archive")  # registers what it keeps of archived findings
        import_module("automation.decisions.facts").TRIGGERS.keep(self)
