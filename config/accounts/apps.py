from importlib import import_module

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class AccountsConfig(AppConfig):
    name = "config.accounts"
    label = "accounts"
    verbose_name = "People and keys"

    def ready(self) -> None:
        # Django's own saves the account, which is no change of it: see `history.note_login`. Only
        # here is it surely connected: this app is ready after django.contrib.auth.
        user_logged_in.disconnect(dispatch_uid="update_last_login")
        import_module("config.accounts.history")  # connects its receiver
        import_module("config.accounts.sessions")  # and its own
        import_module("config.accounts.audit.history")
        import_module("config.accounts.audit.receivers")
        import_module("config.accounts.schema")  # registers its extensions
        import_module("config.accounts.retention")  # registers how long rows are kept
