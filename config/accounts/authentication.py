from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission


class ApiKeyAuthentication(BaseAuthentication):
    def authenticate(self, request):
        return None


class PageSessionAuthentication(BaseAuthentication):
    def authenticate(self, request):
        return None


class HasPermission(BasePermission):
    pass
