# SPDX-License-Identifier: MIT
"""Real web servers in front, each in a folder of its own."""
import os
import signal
import subprocess
import textwrap

from lib import proc
from lib.address import accepts, free_address
from lib.wait import until

PARAMS = """
    uwsgi_param QUERY_STRING $query_string; uwsgi_param REQUEST_METHOD $request_method;
    uwsgi_param CONTENT_TYPE $content_type; uwsgi_param CONTENT_LENGTH $content_length;
    uwsgi_param REQUEST_URI $request_uri; uwsgi_param PATH_INFO $document_uri;
    uwsgi_param DOCUMENT_ROOT $document_root; uwsgi_param SERVER_PROTOCOL $server_protocol;
    uwsgi_param REQUEST_SCHEME $scheme; uwsgi_param HTTPS $https if_not_empty;
    uwsgi_param REMOTE_ADDR $remote_addr; uwsgi_param REMOTE_PORT $remote_port;
    uwsgi_param SERVER_PORT $server_port; uwsgi_param SERVER_NAME $server_name;
"""

NGINX = """
daemon off; master_process off; pid {here}/nginx.pid; error_log {here}/error.log warn;
worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
    access_log off; client_max_body_size 64m; proxy_http_version 1.1;
    large_client_header_buffers 4 64k; uwsgi_read_timeout 30s; uwsgi_ignore_client_abort off;
    client_body_temp_path {here}/b; proxy_temp_path {here}/p; uwsgi_temp_path {here}/u;
    fastcgi_temp_path {here}/f; scgi_temp_path {here}/s;
    server_name_in_redirect off;
    {params}
    {fastcgi_params}
    {scgi_params}
    {snippet}
}}
"""


class Front:
    """A web server process; addresses are those that it listens on, by name."""

    def __init__(self, folder, names, argv, log):
        self.folder, self.log_path = str(folder), log
        self.names = names
        with open(log, "ab") as out:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            start_new_session=True)
        for address in names.values():
            until(lambda a=address: self.process.poll() is not None or accepts(a),
                  f"{argv[0]} to accept on {address}")
        assert self.process.poll() is None, self.log()

    def __getattr__(self, name):
        if name in self.__dict__.get("names", {}):
            return self.names[name]
        raise AttributeError(name)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def end(self):
        family = proc.descendants(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid in family:
            proc.wait_gone(pid)


def nginx(folder, snippet="", listeners=None, others=None):
    """listeners: {name: what stands in `location /`}; snippet: more of the http block; others:
    {name: address} of the servers in it."""
    names = {name: free_address() for name in listeners or {}}
    servers = "".join(f"server {{ listen {names[name]}; server_name server.test; "
                      f"location / {{ {textwrap.dedent(body)} }} }}\n"
                      for name, body in (listeners or {}).items())
    conf = os.path.join(str(folder), "nginx.conf")
    with open(conf, "w", encoding="utf-8") as f:
        f.write(NGINX.format(here=folder, params=PARAMS,
                             fastcgi_params=PARAMS.replace("uwsgi_param", "fastcgi_param"),
                             scgi_params=PARAMS.replace("uwsgi_param", "scgi_param") +
                             "scgi_param SCGI 1;",
                             snippet=snippet + servers))
    return Front(folder, {**names, **(others or {})},
                 ["/usr/sbin/nginx", "-c", conf, "-e", f"{folder}/error.log"],
                 f"{folder}/error.log")


def nginx_file(folder, conf, address):
    """A whole nginx.conf as it is."""
    return Front(folder, {"http": address}, ["/usr/sbin/nginx", "-c", conf, "-e",
                 f"{folder}/error.log", "-g", "daemon off; master_process off;"],
                 f"{folder}/error.log")


def apache(folder, proxy_to, speaks="uwsgi", more=""):
    """mod_proxy_uwsgi, or another such module, passing everything on; proxy_to: what stands in
    ProxyPass; more: lines of the configuration."""
    address = free_address()
    modules = "/usr/lib/apache2/modules"
    conf = os.path.join(str(folder), "apache.conf")
    with open(conf, "w", encoding="utf-8") as f:
        f.write(textwrap.dedent(f"""
            ServerRoot {folder}
            ServerName server.test
            PidFile {folder}/apache.pid
            DefaultRuntimeDir {folder}
            Mutex pthread
            Listen {address}
            LoadModule mpm_event_module {modules}/mod_mpm_event.so
            LoadModule authz_core_module {modules}/mod_authz_core.so
            LoadModule proxy_module {modules}/mod_proxy.so
            LoadModule proxy_{speaks}_module {modules}/mod_proxy_{speaks}.so
            User www-data
            Group www-data
            ErrorLog {folder}/apache.log
            ProxyPass / {proxy_to}
            """) + textwrap.dedent(more))
    return Front(folder, {"http": address}, ["/usr/sbin/apache2", "-f", conf, "-DFOREGROUND"],
                 f"{folder}/apache.log")
