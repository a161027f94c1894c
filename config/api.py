"""The API: the apps' own addresses under /api/v1/, its OpenAPI document, its Swagger page."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

_V1 = [
    path("", include(module))
    for module in ("findings.api.urls", "ticketing.api.urls", "automation.api.urls")
    if find_spec(module)
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include(_V1)),
    path("schema", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api-schema"), name="api-docs"),
]
