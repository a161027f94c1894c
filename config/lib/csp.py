"""The content security policy: strict everywhere, relaxed for the admin, which is not ours."""

from __future__ import annotations

from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase

_INLINE_STYLE = {"style-src": ["'self'", "'unsafe-inline'"]}
_RELAXED = {
    # unfold's Alpine makes functions of the expressions in attributes: see .github/SECURITY.md.
    "/admin/": _INLINE_STYLE | {"script-src": ["'self'", "'unsafe-eval'"]},
}


class PathCSPMiddleware(CSPMiddleware):
    """Picks the policy by path prefix."""

    def get_policy_parts(
        self,
        request: HttpRequest,
        response: HttpResponseBase,
        report_only: bool = False,  # noqa: FBT001, FBT002 - django-csp's signature
    ) -> PolicyParts:
        parts: PolicyParts = super().get_policy_parts(request, response, report_only)
        for prefix, directives in _RELAXED.items():
            if request.path_info.startswith(prefix):
                parts.replace = directives
        return parts
