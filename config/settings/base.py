"""All settings come from the environment; the README lists each of them.

With nothing set this is the embedded default: SQLite and every file under `.data/`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from whitenoise.compress import Compressor

from config.lib.secret_files import read_or_create_secret

BASE_DIR = Path(__file__).resolve().parent.parent.parent

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

DATA_DIR = Path(env.str("DATA_DIR", str(BASE_DIR / ".data")))
DEBUG = env.bool("DEBUG", False)
try:
    SECRET_KEY = env.str("SECRET_KEY", "") or read_or_create_secret(DATA_DIR / "secret_key")
except OSError as error:
    raise ImproperlyConfigured(f"DATA_DIR cannot be used: {error}.") from error
try:
    # The first encrypts, all of them decrypt: see config/lib/crypto.py.
    ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS", default=[]) or [
        read_or_create_secret(DATA_DIR / "encryption_key")
    ]
except OSError as error:
    raise ImproperlyConfigured(f"DATA_DIR cannot be used: {error}.") from error
BASE_URL = env.str("BASE_URL", "http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = [BASE_URL]
# How many addresses of X-Forwarded-For are believed: see config/lib/client_address.py.
PROXY_COUNT = env.int("PROXY_COUNT", 0)
REDIS_URL = env.str("REDIS_URL", "")

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "django_htmx",
    "simple_history",
    "axes",
    "config.accounts",
    "findings",
    "ticketing",
    "automation",
    "config.runtime",
    "config.site",
]

MIDDLEWARE = [
    "config.lib.call_stack.CallStackMiddleware",
    "config.lib.request_id.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.lib.compression.PageCompressionMiddleware",
    "config.lib.caching.NoStoreMiddleware",
    "config.lib.csp.PathCSPMiddleware",
    "config.errors.QueryTimeoutMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.accounts.history.HistoryMiddleware",
    "config.accounts.audit.refusals.RefusalMiddleware",
    "config.accounts.password_change.PasswordChangeMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.lib.context_processors.shell",
            ],
            # Known in every template without {% load %}.
            "builtins": [
                "django.templatetags.static",
                "django_htmx.templatetags.django_htmx",
                "config.lib.ui_tags",
            ],
        },
    },
]

# --- Database: SQLite unless DATABASE_URL says otherwise -------------------------------

DATABASES = {
    "default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'findings.sqlite3'}")
}
if DATABASES["default"].get("ENGINE", "").rpartition(".")[2] not in ("sqlite3", "postgresql"):
    raise ImproperlyConfigured(
        "DATABASE_URL is not the address of a database. Write "
        "postgres://user:password@host:5432/name "
        "or sqlite:////path/to/file, or leave it unset for SQLite in DATA_DIR."
    )
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # IMMEDIATE: without it a read that turns into a write fails at once with "locked".
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": (
            "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA busy_timeout=20000;"
        ),
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", 600)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # A search of many words compiles for seconds where it runs for milliseconds, and no time-out
    # ends it meanwhile. `?options=…` in DATABASE_URL takes the place of ours.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("options", "-c jit=off")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Queue: wake-ups only. Every truth is in the tables, so none of them is ever retried ---

_WORKERS = env.int("WORKERS", 2)
DELIVERY_THREADS = env.int("DELIVERY_THREADS", 8)  # creates that one worker has in flight
Q_CLUSTER: dict[str, Any] = {
    "name": "findings-automation",
    "workers": _WORKERS,
    "timeout": 60,
    # A prefetched wake-up waits inside the lock: retry > timeout * (queue_limit / workers + 1).
    "retry": 180,
    "queue_limit": _WORKERS,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": -1,
    "bulk": 1,
    "recycle": 500,
    "guard_cycle": 0.5,
    "label": "Queue",
}
if REDIS_URL:
    Q_CLUSTER |= {"broker_class": "config.runtime.broker.RedisBroker", "redis": REDIS_URL}
else:
    Q_CLUSTER |= {
        "broker_class": "config.runtime.broker.OrmBroker",
        "orm": "default",
        "poll": env.float("QUEUE_POLL_SECONDS", 0.05),
    }

# --- People -----------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "config.accounts.validators.GuessablePasswordValidator"},
]
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # unique by a constraint on lower(email)
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"

AXES_HANDLER = "config.accounts.sign_in_limits.SignInHandler"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # what a success clears
AXES_LOCKOUT_CALLABLE = "config.accounts.views.login.locked"
AXES_USERNAME_FORM_FIELD = "username"  # what authenticate() is called with
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # so that Retry-After is true
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False  # config.accounts.admin shows less and deletes nothing
AXES_CLIENT_IP_CALLABLE = "config.lib.client_address.client_network"

AUDIT_RETENTION_DAYS = env.int("AUDIT_RETENTION_DAYS", 400)  # 0: for ever

# --- How long rows are kept: see config/lib/retention.py -------------------------------------

try:
    RETENTION_DAYS = {n: int(days) for n, days in env.dict("RETENTION_DAYS", default={}).items()}
except ValueError as error:
    raise ImproperlyConfigured(
        "RETENTION_DAYS is not a list of days. Write attempts=180,decisions=365."
    ) from error
ARCHIVE_AFTER_DAYS = env.int("ARCHIVE_AFTER_DAYS", 0)  # of resolved findings; 0: never
ARCHIVE_DIR = Path(env.str("ARCHIVE_DIR", str(DATA_DIR / "archive")))

# --- Cookies, headers -------------------------------------------------------------------

_HTTPS = urlsplit(BASE_URL).scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
if _HTTPS:  # names that no subdomain and no plain HTTP can set
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SESSION_ENGINE = "config.accounts.session_store"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 60 * 60 * 12  # without saying that one stays
SESSION_ABSOLUTE_AGE = 60 * 60 * 24 * 7  # whatever one says: see config/accounts/sessions.py
SECURE_HSTS_SECONDS = 31_536_000 if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if _HTTPS and PROXY_COUNT > 0:  # nobody else's word is taken for it
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}

# --- Language, time: everything is UTC ---------------------------------------------------

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

# --- Files -------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(DATA_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "config" / "static"]
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", str(DATA_DIR / "media")))
STORAGES = {
    # Uploaded reports, until they are taken in.
    "default": {
        "BACKEND": env.str("STORAGE_BACKEND", "django.core.files.storage.FileSystemStorage"),
        "OPTIONS": env.json("STORAGE_OPTIONS", {}),
    },
    "staticfiles": {
        "BACKEND": "config.lib.static_files.ModuleManifestStorage",
        # Public, and perhaps served by a proxy, whatever uploads are.
        "OPTIONS": {"file_permissions_mode": 0o644, "directory_permissions_mode": 0o755},
    },
}
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
WHITENOISE_MAX_AGE = 31_536_000
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")  # for debuggers

# --- Intake limits -------------------------------------------------------------------------

INTAKE_MAX_BYTES = env.int("INTAKE_MAX_BYTES", 10 * 1024 * 1024)
IMPORT_MAX_BYTES = env.int("IMPORT_MAX_BYTES", 1024 * 1024 * 1024)
IMPORT_HOLD_PERCENT = env.int("IMPORT_HOLD_PERCENT", 50)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # page forms; the intake reads its own stream

# --- Explorer ----------------------------------------------------------------------------------

EXPLORER_MEMORY_MB = env.int("EXPLORER_MEMORY_MB", 512)  # 0: SQL answers everything

# --- Trackers --------------------------------------------------------------------------------

ALLOW_PRIVATE_NETWORKS = env.bool("ALLOW_PRIVATE_NETWORKS", False)
JIRA_CA_BUNDLE = env.str("JIRA_CA_BUNDLE", "")
SANDBOX_JIRA_URL = env.str("SANDBOX_JIRA_URL", "").rstrip("/")

# --- API -------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "config.accounts.authentication.ApiKeyAuthentication",
        "config.accounts.authentication.PageSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["config.accounts.authentication.HasPermission"],
    "DEFAULT_RENDERER_CLASSES": ["config.lib.jsonapi.JsonApiRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.lib.jsonapi.JsonApiNegotiation",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["config.accounts.throttling.ApiKeyThrottle"],
    "DEFAULT_THROTTLE_RATES": {"api_key": env.str("API_RATE", "1200/min")},
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.lib.jsonapi.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Findings Automation",
    "DESCRIPTION": "Send findings, and see which rule turned them into which ticket.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],  # what the API can do is no secret
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "ticketing.api.v2.finding_cases.document_detaching",
        "config.lib.openapi.document_errors",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- Logs ----------------------------------------------------------------------------------------

LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
LOGGING_CONFIG = "config.lib.logs.configure"
LOGGING = {"level": LOG_LEVEL}

# --- Admin: the product's own colours, see css/tokens.css ----------------------------------------

_SHADES = ("50", "100", "200", "300", "400", "500", "600", "700", "800", "900", "950")
_GREYS = (
    "#FAFBFC",
    "#F5F6F8",
    "#E1E5EB",
    "#CDD3DC",
    "#8F9BAB",
    "#5F6A7C",
    "#465062",
    "#36404E",
    "#252D38",
    "#141921",
    "#0C0F14",
)
_BLUES = (
    "#F3F6FF",
    "#EAF0FF",
    "#D3DFFE",
    "#B9CBFB",
    "#8FB0FF",
    "#3A66E8",
    "#2452D9",
    "#1B43BC",
    "#1C3A94",
    "#182443",
    "#101830",
)
SIMPLE_HISTORY_REVERT_DISABLED = True  # a change is undone by the service that made it
UNFOLD = {
    "SITE_TITLE": "Findings Automation",
    "SITE_HEADER": "Findings Automation",
    "SITE_URL": "/",
    "SITE_ICON": lambda _: static("img/favicon.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("img/favicon.svg")}
    ],
    "STYLES": [lambda _: static("css/admin.css")],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "base": dict(zip(_SHADES, _GREYS, strict=True)),
        "primary": dict(zip(_SHADES, _BLUES, strict=True)),
    },
}
