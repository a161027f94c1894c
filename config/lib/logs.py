"""Structured logs: a sentence and fields. Lines for people on a terminal, JSON elsewhere."""

from __future__ import annotations

import logging
import logging.config
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from config.lib.request_context import current_request

_SECRET_WORDS = ("password", "secret", "token", "api_key", "api-key", "authorization", "cookie")
_NOISY = ("django-q", "axes")
"""Loggers with a line for each wake-up and each start: nothing to act upon below a warning."""


def redact(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank every field, at any depth, whose name says that it holds a secret."""
    for name, value in event.items():
        event[name] = _without_secrets(name, value)
    return event


def add_asker(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Who asks and from where, on every line that is written while a request is answered.

    Ids alone: a name or an address of a person is not needed to find them.
    """
    context = current_request()
    if context is None:
        return event
    event.setdefault("client", context.address)
    actor = context.actor
    if actor is not None:
        event.setdefault("user" if hasattr(actor, "email") else "key", str(actor.id))
    return event


def _without_secrets(name: str, value: Any) -> Any:
    if any(word in name.lower() for word in _SECRET_WORDS):
        return "[redacted]"
    if isinstance(value, Mapping):
        return {key: _without_secrets(str(key), inner) for key, inner in value.items()}
    return value


def configure(options: dict[str, str]) -> None:
    """Set up logging; `options["level"]` is the level of our own and of Django's loggers."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        add_asker,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    level = logging.getLevelNamesMapping()[options["level"].upper()]
    quieter = max(logging.WARNING, level)
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "structured": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        *_renderers(),
                    ],
                }
            },
            "handlers": {
                "stderr": {"class": "logging.StreamHandler", "formatter": "structured"},
            },
            "loggers": {name: {"level": quieter} for name in _NOISY},
            "root": {"handlers": ["stderr"], "level": level},
        }
    )


def _renderers() -> list[structlog.typing.Processor]:
    if sys.stderr.isatty():
        # The prettier tracebacks show local variables, and with them secrets.
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
