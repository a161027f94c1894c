from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_http_methods

from config.accounts import sessions


@require_http_methods(["GET", "POST"])
def session_end(request: HttpRequest) -> HttpResponse:
    """When this session ends; POST makes it run for its full time again. 401 once it has."""
    if not request.user.is_authenticated:
        return JsonResponse({"ends": None}, status=401)
    is_extended = request.method == "POST"
    ends = sessions.extend(request) if is_extended else request.session.get_expiry_date()
    answer = {"ends": ends.isoformat(), "can_be_extended": sessions.can_be_extended(request)}
    return JsonResponse(answer)
