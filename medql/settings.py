"""MedQL's settings: everything from the environment, embedded where nothing is set.

Without configuration MedQL runs on SQLite and an in-memory channel layer in one process.
`DATABASE_URL=mysql://…` and `REDIS_URL=redis://…` put it on real services.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from accounts import keyring
from medql import policies, required
from medql.embedded import own_keys, own_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
MOST_PROXIES = 5

env = environ.Env()
if (BASE_DIR / ".env").exists():
    env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=False)
DATABASE_URL = env.str("DATABASE_URL", default="")
REDIS_URL = env.str("REDIS_URL", default="")
REDIS_PREFIX = env.str("REDIS_PREFIX", default="medql")
EMBEDDED = not DATABASE_URL or DATABASE_URL.startswith("sqlite")
DEMO = env.bool("MEDQL_DEMO", default=False)
# A web process watches in a thread of its own; beside real services `manage.py watch` does it.
WATCH = env.bool("MEDQL_WATCH", default=EMBEDDED)
LOOKS_EVERY = 1.0  # seconds between two writings of what was looked at; 0: when told, as in tests
METRICS_TOKEN = required.secret("METRICS_TOKEN", env.str("METRICS_TOKEN", default=""), shortest=16)

# There is no default secret: without one in the environment this installation makes its own (a deploy check asks for one).
GIVEN = {name: env.str(name, default="") for name in ("SECRET_KEY", "MEDQL_KEYS")}
SECRET_KEY = required.secret("SECRET_KEY", GIVEN["SECRET_KEY"], shortest=32) or own_secret_key(VAR_DIR)
# The keys that seal what is kept: the first seals, all of them open (accounts/keyring.py).
try:
    KEY_RING = keyring.read(GIVEN["MEDQL_KEYS"] or own_keys(VAR_DIR))
except keyring.BadRing as fault:
    raise ImproperlyConfigured(str(fault)) from None

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular_sidecar",
    "channels",
    "axes",
    "accounts",
    "monitoring",
    "medql",
]

MIDDLEWARE = [
    "medql.armour.Policy",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "medql.armour.worn_by_all",
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "accounts.origin.middleware",
    "accounts.refusals.middleware",
    "medql.charset.middleware",
    "accounts.middleware.Sessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "medql.urls"
ASGI_APPLICATION = "medql.asgi.application"

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
            ],
        },
    },
]

# Under ASGI every request may run in its own thread: a kept connection would be a leaked one.
if DATABASE_URL:
    DATABASES = {"default": env.db_url_config(DATABASE_URL) | {"CONN_MAX_AGE": 0}}
else:
    VAR_DIR.mkdir(exist_ok=True)
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": VAR_DIR / "medql.sqlite3"}}

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE takes the write lock at BEGIN, so two writers queue instead of one failing at its first write;
    # FULL makes a commit survive a power cut: a reading that was answered 202 is on the disk.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 5,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
    # A file, not memory: the tests' web processes must see the same rows.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
else:
    DATABASES["default"].setdefault("OPTIONS", {})
    DATABASES["default"]["OPTIONS"] |= {
        "charset": "utf8mb4",
        "isolation_level": "read committed",
        "connect_timeout": 5,
        # A device that waits longer than a few seconds had better be told to come back (the server's default is 50 s).
        "init_command": "SET sql_mode='STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout=3",
    }
    DATABASES["default"]["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_unicode_ci"}

if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {
                "hosts": [{"address": REDIS_URL, "socket_timeout": None, "socket_connect_timeout": 2}],
                "prefix": REDIS_PREFIX,
            },
        }
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

# How many requests a second each kind of device may send, on average over 10 s (accounts/rates.py); a device may have its own.
DEVICE_RATES = required.rates(env.list("MEDQL_DEVICE_RATES", default=[]))

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.Passwords"]
# What is hashed otherwise is hashed anew at the next signing in.
PASSWORD_HASHERS = ["accounts.hashing.Argon2", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
# One core stays for everybody else.
HASHES_AT_ONCE = int(env.str("HASHES_AT_ONCE", default="") or min(4, max(1, (os.cpu_count() or 1) - 1)))
BREACHED_PASSWORDS = env.str("BREACHED_PASSWORDS", default="")
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "accounts.passwords.MaximumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("login", "name", "email")},
    },
    {"NAME": "accounts.passwords.GuessableValidator"},
    {"NAME": "accounts.passwords.BreachedValidator"},
]
# Five wrong passwords for one login from one address shut both out together for a quarter of an hour: accounts/lockout.py.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_FORM_FIELD = "username"
AXES_USERNAME_CALLABLE = "accounts.lockout.login_of"
AXES_CLIENT_IP_CALLABLE = "accounts.lockout.address_of"
AXES_LOCKOUT_CALLABLE = "accounts.views.door.shut_out"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "password", "code", "csrfmiddlewaretoken", "next"]
AXES_DISABLE_ACCESS_LOG = True  # the trail has it
AXES_ENABLE_ADMIN = False  # ours shows and lifts lockouts
AXES_VERBOSE = False
# Nobody stays signed in who has gone: after so long without an act of his, and in any case after so long.
SESSION_ENGINE = "accounts.sessions"
SESSION_IDLE = timedelta(minutes=env.int("SESSION_IDLE_MINUTES", default=15))
SESSION_LIFETIME = timedelta(hours=env.int("SESSION_HOURS", default=12))
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000  # the page of a ward with forty beds has 300
DATA_UPLOAD_MAX_NUMBER_FILES = 0  # nobody uploads a file
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["accounts.api.rendering.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "accounts.api.rendering.AlwaysJSON",
    "URL_FORMAT_OVERRIDE": None,
    "EXCEPTION_HANDLER": "monitoring.api.errors.answer",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "accounts.api.schema.operation.Operation",
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.1",
    "TITLE": "MedQL",
    "DESCRIPTION": "Vital signs in, alarms out. Every error is `{detail, code, errors?}`.",
    "VERSION": "1",
    "POSTPROCESSING_HOOKS": ["medql.schema.with_components"],
}

LANGUAGE_CODE = "en"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = True
FORMAT_MODULE_PATH = ["medql.formats"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
# An image holds its static files collected, under hashed names; a checkout serves them from where they lie.
COLLECTED_STATIC = env.bool("MEDQL_COLLECTED_STATIC", default=False)
SERVESTATIC_USE_FINDERS = not COLLECTED_STATIC
SERVESTATIC_ALLOW_ALL_ORIGINS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"
        if COLLECTED_STATIC
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# Behind a proxy that ends TLS and says so in X-Forwarded-Proto; without one MedQL belongs on the loopback only.
HTTPS = env.bool("MEDQL_HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
# With this beginning a browser takes a cookie from this very host over https alone, for all of it.
HOST_COOKIE = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{HOST_COOKIE}sessionid"
CSRF_COOKIE_NAME = f"{HOST_COOKIE}csrftoken"
KIOSK_COOKIE_NAME = f"{HOST_COOKIE}medql_kiosk"
MESSAGE_STORAGE = "medql.messages.Storage"
CSRF_COOKIE_HTTPONLY = True
# Not Strict: who follows a link from a letter to the board would be signed out there, and his other boards with him, since
# the page that greets him would change the token that they show.
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "medql.errors.forged"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REDIRECT_EXEMPT = [r"^health$", r"^ready$"]
# How many of them each add what they saw to X-Forwarded-For; one too many would believe what a client wrote there.
PROXIES = int(env.str("MEDQL_PROXIES", default="") or HTTPS)
if not 0 <= PROXIES <= MOST_PROXIES:
    raise ImproperlyConfigured(f"MEDQL_PROXIES is {PROXIES}: say how many proxies stand in front, from 0 to {MOST_PROXIES}.")
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
required.database(DATABASES["default"], GIVEN)
for name, is_on in {"DEBUG": DEBUG, "MEDQL_DEMO": DEMO}.items():
    if is_on:
        required.only_here(name, hosts=ALLOWED_HOSTS, https=HTTPS, database=DATABASES["default"])
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {"DIRECTIVES": policies.CONTENT_SECURITY}
PERMISSIONS_POLICY = policies.PERMISSIONS

# Where escalation may reach people outside of MedQL; unset, that way is not offered.
EMAIL_URL = env.str("EMAIL_URL", default="")
if EMAIL_URL:
    vars().update(env.email_url_config(EMAIL_URL))
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="medql@localhost")
EMAIL_TIMEOUT = 4
VAPID_SUBJECT = env.str("VAPID_SUBJECT", default="")
VAPID_PRIVATE_KEY = required.vapid(env.str("VAPID_PRIVATE_KEY", default=""), VAPID_SUBJECT)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "medql.logs.Line", "format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
}
