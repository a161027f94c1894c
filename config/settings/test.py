"""What differs when the suite runs: plain static names, a fast hash, quiet logs."""

from config.settings.base import *  # noqa: F403
from config.settings.base import DATABASES, STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = STORAGES | {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
MIDDLEWARE = [name for name in MIDDLEWARE if "whitenoise" not in name]  # noqa: F405
DATABASES["default"]["CONN_MAX_AGE"] = 0
if DATABASES["default"]["ENGINE"].endswith("postgresql"):
    # Nothing that a test writes has to outlive a power cut.
    DATABASES["default"]["OPTIONS"]["options"] += " -c synchronous_commit=off"
LOG_LEVEL = "CRITICAL"
LOGGING = {"level": LOG_LEVEL}
AXES_ENABLED = True
DELIVERY_THREADS = 1  # a thread has a connection of its own, and sees nothing of a test's rows
EXPLORER_MEMORY_MB = 0  # what a test commits is gone before a thread has read it
