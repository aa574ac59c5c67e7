# SPDX-License-Identifier: MIT
"""A project with what NetBox is made of: tables, filters, trees, a REST interface with its schema,
GraphQL, and metrics of django-prometheus; over PostgreSQL."""
import os
import time
from urllib.parse import urlsplit

from django_settings import REQUEST, configure

base = urlsplit(os.environ["DATABASE_URL"])
configure(
    __name__,
    ["django.contrib.auth", "django.contrib.contenttypes", "django_tables2", "django_filters",
     "rest_framework", "drf_spectacular", "django_prometheus", "strawberry_django", "mptt"],
    ["django_prometheus.middleware.PrometheusBeforeMiddleware",
     "django.middleware.common.CommonMiddleware",
     "django_prometheus.middleware.PrometheusAfterMiddleware"], [REQUEST],
    {"ENGINE": "django_prometheus.db.backends.postgresql", "NAME": base.path[1:],
     "USER": base.username, "HOST": base.hostname, "PORT": base.port, "CONN_MAX_AGE": 300},
    REST_FRAMEWORK={"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
                    "DEFAULT_AUTHENTICATION_CLASSES": []})

# pylint: disable=wrong-import-position
import django_filters                                                # noqa: E402
import django_tables2                                                # noqa: E402
import strawberry                                                    # noqa: E402
import strawberry_django                                             # noqa: E402
from django.contrib.auth.models import Group                         # noqa: E402
from django.core.management import call_command                      # noqa: E402
from django.core.wsgi import get_wsgi_application                    # noqa: E402
from django.db import connection                                     # noqa: E402
from django.http import HttpResponse                                 # noqa: E402
from django.urls import include, path                                # noqa: E402
from django.views.decorators.csrf import csrf_exempt                 # noqa: E402
from drf_spectacular.views import SpectacularAPIView                 # noqa: E402
from rest_framework import routers, serializers, viewsets            # noqa: E402
from strawberry.django.views import GraphQLView                      # noqa: E402


class GroupTable(django_tables2.Table):
    class Meta:
        model = Group


class GroupFilter(django_filters.FilterSet):
    class Meta:
        model = Group
        fields = ["name"]


class GroupSerializer(serializers.ModelSerializer):
    class Meta:
        model = Group
        fields = ["id", "name"]


class GroupViewSet(viewsets.ModelViewSet):
    queryset = Group.objects.order_by("id")
    serializer_class = GroupSerializer


@strawberry_django.type(Group)
class GroupType:
    id: strawberry.auto
    name: strawberry.auto


@strawberry.type
class Query:
    groups: list[GroupType] = strawberry_django.field()


def table(request):
    found = GroupFilter(request.GET, queryset=Group.objects.order_by("id")).qs
    return HttpResponse(GroupTable(found).as_html(request))


def holder(_request):
    """The connection that this process keeps."""
    time.sleep(0.005)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return HttpResponse(f"{os.getpid()} {cursor.fetchone()[0]}")


router = routers.DefaultRouter()
router.register("groups", GroupViewSet)
urlpatterns = [path("", table), path("api/", include(router.urls)), path("holder", holder),
               path("schema/", SpectacularAPIView.as_view(), name="schema"),
               path("graphql/", csrf_exempt(GraphQLView.as_view(schema=strawberry.Schema(Query)))),
               path("", include("django_prometheus.urls"))]
application = get_wsgi_application()

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    for name in ("one", "two", "three"):
        Group.objects.create(name=name)
