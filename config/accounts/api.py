"""`GET /api/v1/validate`: is my key good? Known clients ask before anything else."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from config.lib.public.schemas import answers, obj
from config.lib.public.views import PublicView


class ValidateView(PublicView):
    permission_classes = [IsAuthenticated]  # whatever the key's scopes are

    @extend_schema(
        operation_id="validate",
        summary="Check a key",
        responses=answers(200, obj({"valid": {"type": "boolean"}}), 401, 403, 429),
    )
    def get(self, request: Request) -> Response:
        return Response({"valid": True})
