from rest_framework.renderers import JSONRenderer
from rest_framework.views import exception_handler

__all__ = ["JsonApiRenderer", "exception_handler"]


class JsonApiRenderer(JSONRenderer):
    media_type = "application/vnd.api+json"
