# SPDX-License-Identifier: MIT
"""Django REST framework: serializers, viewsets, the browsable pages, pagination; over SQLite."""
from django_settings import configure

configure(
    __name__, ["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"],
    ["django.middleware.common.CommonMiddleware"],
    REST_FRAMEWORK={"DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
                    "PAGE_SIZE": 2, "DEFAULT_AUTHENTICATION_CLASSES": []})

# pylint: disable=wrong-import-position
from django.contrib.auth.models import Group                         # noqa: E402
from django.core.management import call_command                      # noqa: E402
from django.core.wsgi import get_wsgi_application                    # noqa: E402
from django.urls import include, path                                # noqa: E402
from rest_framework import routers, serializers, viewsets            # noqa: E402


class GroupSerializer(serializers.ModelSerializer):
    class Meta:
        model = Group
        fields = ["id", "name"]


class GroupViewSet(viewsets.ModelViewSet):
    queryset = Group.objects.order_by("id")
    serializer_class = GroupSerializer


router = routers.DefaultRouter()
router.register("groups", GroupViewSet)
urlpatterns = [path("", include(router.urls))]
application = get_wsgi_application()

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    for name in ("one", "two", "three"):
        Group.objects.create(name=name)
