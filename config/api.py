"""The API: our own at /api/v1/, the public one at /api/v2/, its document, its Swagger page."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularSwaggerView

from config.accounts.api import (
    CurrentUserView,
    UsersView,
    UserView,
    ValidateKeysView,
    ValidateKeyView,
    ValidateView,
)
from config.lib.datadog_api.views import no_such_operation
from config.lib.openapi_view import DocumentView

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/validate", ValidateView.as_view(), name="key-validate"),
    path("v1/", include("findings.api.urls")),
    path("v1/", include("ticketing.api.urls")),
    path("v2/validate", ValidateKeyView.as_view(), name="key-validate-v2"),
    path("v2/validate_keys", ValidateKeysView.as_view(), name="keys-validate"),
    path("v2/current_user", CurrentUserView.as_view(), name="current-user"),
    path("v2/users", UsersView.as_view(), name="user-list"),
    path("v2/users/<str:user_id>", UserView.as_view(), name="user-detail"),
    path("v2/", include("automation.api.urls")),
    path("v2/", include("findings.api.v2.urls")),
    path("v2/", include("ticketing.api.v2.urls")),
    path("v2/integration/jira/", include("ticketing.api.v2.jira_urls")),
    re_path(r"^v2(?:/.*)?$", no_such_operation),
    path("schema", DocumentView.as_view(), name="api-schema"),
    path(
        "docs/",
        SpectacularSwaggerView.as_view(url_name="api-schema", template_name="site/api_docs.html"),
        name="api-docs",
    ),
]
