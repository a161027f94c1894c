from importlib import import_module

from django.apps import AppConfig


class TicketingConfig(AppConfig):
    name = "ticketing"
    verbose_name = "Ticketing"

    def ready(self) -> None:
        import_module("ticketing.receivers")
        import_module("ticketing.attachment_undo")  # registers what people can undo
        import_module("ticketing.bulk_undo")
        import_module("ticketing.retention")  # registers how long rows are kept
        import_module("ticketing.archive")  # registers what it keeps of archived findings
