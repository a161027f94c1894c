"""Views and addresses that exist only for the tests of what all API views share."""

from __future__ import annotations

from django.contrib.auth.views import LoginView
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.http import Http404
from django.urls import path
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from config.accounts.roles import Permission
from config.lib.jsonapi import ApiError


class Tag(serializers.Serializer):
    name = serializers.CharField(max_length=5)


class Thing(serializers.Serializer):
    severity = serializers.ChoiceField(["high", "low"])
    tags = Tag(many=True, required=False)

    def validate(self, attrs):
        if attrs["severity"] == "low" and not attrs.get("tags"):
            raise serializers.ValidationError("A low thing needs tags.")
        return attrs


class ThingsView(APIView):
    required_permissions = {
        "GET": Permission.FINDINGS_READ,
        "POST": Permission.FINDINGS_WRITE,
    }

    def get(self, request):
        Tag(data=request.query_params).is_valid(raise_exception=True)
        return Response({"data": [request.user.name]})

    def post(self, request):
        Thing(data=request.data).is_valid(raise_exception=True)
        return Response({"data": {}}, status=201)

    def delete(self, request):
        raise AssertionError("nobody may get here")


RAISED = {
    "404": Http404,
    "403": PermissionDenied("Not yours."),
    "400": BadRequest("odd"),
    "django": ValidationError({"name": "Too odd.", "__all__": "Odd as a whole."}),
    "own": ApiError(422, detail="reorder must include all 3 rules", pointer="/data"),
    "titled": ApiError(422, "Invalid Request", "No reason given.", "/data/attributes/reason"),
    "crash": RuntimeError("secret inside"),
}


class RaisingView(APIView):
    required_permissions = {"GET": Permission.FINDINGS_READ}

    def get(self, request, what):
        raise RAISED[what]


urlpatterns = [
    path("api/things", ThingsView.as_view()),
    path("api/raise/<what>", RaisingView.as_view()),
    path("login", LoginView.as_view(), name="login"),
]
handler404 = "config.errors.page_not_found"
handler500 = "config.errors.server_error"
