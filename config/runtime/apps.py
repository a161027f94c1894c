from django.apps import AppConfig


class RuntimeConfig(AppConfig):
    name = "config.runtime"
    label = "runtime"
    verbose_name = "Running it"

    def ready(self) -> None:
        # Importing connects the signals and registers the checks; models exist only now.
        from config import checks  # noqa: F401, PLC0415
        from config.runtime import receivers  # noqa: F401, PLC0415
