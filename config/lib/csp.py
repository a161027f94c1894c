"""The content security policy: strict everywhere, relaxed for two areas that are not ours."""

from __future__ import annotations

from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponseBase

_INLINE_STYLE = {"style-src": ["'self'", "'unsafe-inline'"]}
_RELAXED = {
    # unfold's pages carry inline Alpine expressions, which no nonce can cover.
    "/admin/": _INLINE_STYLE | {"script-src": ["'self'", "'unsafe-inline'", "'unsafe-eval'"]},
    # Swagger UI's page has an inline script and inline styles.
    "/api/docs/": _INLINE_STYLE | {"script-src": ["'self'", "'unsafe-inline'"]},
}


class PathCSPMiddleware(CSPMiddleware):
    """Picks the policy by path prefix. `_csp_replace` is django-csp 4's own; tests pin it."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        for prefix, directives in _RELAXED.items():
            if request.path_info.startswith(prefix):
                response._csp_replace = directives  # type: ignore[attr-defined]
        return super().process_response(request, response)
