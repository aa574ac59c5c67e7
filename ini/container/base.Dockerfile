# An image with the server alone, for images of applications to begin with.
#
#   docker build --tag uwsgi-ng --file ini/container/base.Dockerfile .      in a clone of the server
#
# An application's Dockerfile is then, with uwsgi.ini in its folder:
#
#   FROM uwsgi-ng
#   USER root
#   COPY requirements.txt ./
#   RUN pip install --no-cache-dir --requirement requirements.txt
#   USER 10001
#   COPY . ./
ARG DEBIAN=debian:bookworm-slim

FROM $DEBIAN AS build
RUN apt-get update && apt-get install --yes --no-install-recommends \
    gcc make pkg-config python3-dev python3-venv libev-dev libjansson-dev libinih-dev \
    libpcre2-dev libcrypt-dev libcap-dev zlib1g-dev
COPY . /build
RUN python3 -m venv /venv && /venv/bin/pip install --no-cache-dir /build

FROM $DEBIAN
RUN apt-get update && apt-get install --yes --no-install-recommends \
    ca-certificates python3 '^libpython3\.[0-9]+$' libev4 libjansson4 libinih1 libpcre2-8-0 libcap2 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /app --shell /usr/sbin/nologin app
COPY --from=build /venv /venv
WORKDIR /app
ENV PATH=/venv/bin:$PATH
USER 10001
EXPOSE 8080
# The server finishes the requests that run, then ends.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9091/ready')"]
# It is process 1: signals reach it, and it reaps what the application leaves behind.
CMD ["uwsgi", "--ini", "uwsgi.ini"]
