"""The API: the apps' own addresses under /api/v1/, its OpenAPI document, its Swagger page."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include("findings.api.urls")),
    path("v1/", include("ticketing.api.urls")),
    path("schema", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api-schema"), name="api-docs"),
]
