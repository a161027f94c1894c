from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "config.accounts"
    label = "accounts"
    verbose_name = "People and keys"

    def ready(self) -> None:
        import_module("config.accounts.history")  # connects its receiver
        import_module("config.accounts.sessions")  # and its own
        import_module("config.accounts.schema")  # registers its extensions
