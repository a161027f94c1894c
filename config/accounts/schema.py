"""How the OpenAPI document names the ways to say who is asking."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "config.accounts.authentication.ApiKeyAuthentication"
    name = ["apiKeyAuth", "appKeyAuth", "AuthZ"]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[Any]]]:
        return [{"apiKeyAuth": []}, {"apiKeyAuth": [], "appKeyAuth": []}, {"AuthZ": []}]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        return [
            {"type": "apiKey", "in": "header", "name": "DD-API-KEY"},
            {
                "type": "apiKey",
                "in": "header",
                "name": "DD-APPLICATION-KEY",
                "description": "Beside DD-API-KEY, if at all; then its scopes count.",
            },
            {"type": "http", "scheme": "bearer", "description": "The same key."},
        ]


class PageSessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "config.accounts.authentication.PageSessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "A person's own browser; writing needs the CSRF token too.",
        }
