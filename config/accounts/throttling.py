from rest_framework.throttling import UserRateThrottle


class ApiKeyThrottle(UserRateThrottle):
    scope = "api_key"
