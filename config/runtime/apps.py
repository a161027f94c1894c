import gc

from django.apps import AppConfig

MAX_YOUNG = 20_000
"""New objects before cycles are looked for; Python's own 700 suit small programs. A batch of a
thousand findings is 6,000 that all die with it: each look promotes them, until all that Django has
loaded is searched again and again, a fifth of the time of an import."""


class RuntimeConfig(AppConfig):
    name = "config.runtime"
    label = "runtime"
    verbose_name = "Running it"

    def ready(self) -> None:
        # Importing connects the signals and registers the checks; models exist only now.
        from config import checks  # noqa: F401, PLC0415
        from config.runtime import receivers  # noqa: F401, PLC0415
        from config.runtime.retention import kinds  # noqa: F401, PLC0415

        gc.freeze()  # what is loaded by now stays: it is searched no more, and shared by workers
        gc.set_threshold(MAX_YOUNG, 20, 20)
