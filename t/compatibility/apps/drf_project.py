# SPDX-License-Identifier: MIT
"""Django REST framework: serializers, viewsets, the browsable pages, pagination; over SQLite."""
import os

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="not one", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, STATIC_URL="/static/",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    REST_FRAMEWORK={"DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
                    "PAGE_SIZE": 2, "DEFAULT_AUTHENTICATION_CLASSES": []},
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": {"timeout": 20},
                           "NAME": os.path.join(os.environ["APP_FOLDER"], "db.sqlite3")}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField")
django.setup()

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
