# SPDX-License-Identifier: MIT
"""A project with what Saleor is made of: GraphQL by graphene, pictures by Pillow, tasks by Celery over
redis, Django's cache in redis."""
import io
import os

from celery import Celery
from django_settings import configure

configure(
    __name__, ["django.contrib.auth", "django.contrib.contenttypes", "graphene_django"],
    ["django.middleware.common.CommonMiddleware"],
    CACHES={"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache",
                        "LOCATION": os.environ["REDIS_URL"]}})

# pylint: disable=wrong-import-position
import graphene                                                      # noqa: E402
from django.contrib.auth.models import Group                         # noqa: E402
from django.core.cache import cache                                  # noqa: E402
from django.core.management import call_command                      # noqa: E402
from django.core.wsgi import get_wsgi_application                    # noqa: E402
from django.http import HttpResponse                                 # noqa: E402
from django.urls import path                                         # noqa: E402
from django.views.decorators.csrf import csrf_exempt                 # noqa: E402
from graphene_django import DjangoObjectType                         # noqa: E402
from graphene_django.views import GraphQLView                        # noqa: E402
from PIL import Image                                                # noqa: E402

tasks = Celery("saleor_project", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])


@tasks.task(name="total")
def total(prices):
    return sum(prices)


class GroupNode(DjangoObjectType):
    class Meta:
        model = Group
        fields = ("id", "name")


class Query(graphene.ObjectType):
    groups = graphene.List(GroupNode)

    def resolve_groups(self, _info):
        return Group.objects.order_by("id")


def checkout(_request):
    return HttpResponse(f"total {total.delay([40, 2]).get(timeout=30)}")


def counted(_request):
    cache.add("count", 0)
    return HttpResponse(f"count {cache.incr('count')}")


@csrf_exempt
def thumbnail(request):
    """Half of the picture that was uploaded."""
    picture = Image.open(request.FILES["picture"])
    small = picture.resize((picture.width // 2, picture.height // 2))
    out = io.BytesIO()
    small.save(out, "PNG")
    return HttpResponse(f"{small.width}x{small.height} of {len(out.getvalue())} bytes")


urlpatterns = [path("", lambda _request: HttpResponse("hello")), path("checkout", checkout),
               path("counted", counted), path("thumbnail", thumbnail),
               path("graphql/", csrf_exempt(GraphQLView.as_view(
                   graphiql=True, schema=graphene.Schema(query=Query))))]
application = get_wsgi_application()

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    Group.objects.create(name="one")
