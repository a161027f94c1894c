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
LOG_LEVEL = "CRITICAL"
LOGGING = {"level": LOG_LEVEL}
AXES_ENABLED = True
