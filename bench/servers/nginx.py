"""nginx as a peer: a static file, and what puts a cache behind a login, `proxy_cache` with `auth_request`."""

import os
from collections.abc import Callable
from pathlib import Path
from string import Template

from tests.support.servers.debian import find_or_install

FRAME = Template(
    """daemon off; pid $folder/pid; error_log $folder/error.log; $user worker_processes 1;
events { worker_connections 512; }
http {
    # A line per request, as ours has it.
    access_log $folder/access.log; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
    default_type application/json;
    client_body_temp_path $folder/body; proxy_temp_path $folder/proxy; fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi; scgi_temp_path $folder/scgi;
    $server
}
"""
)
STATIC = Template("open_file_cache max=100; server { listen 127.0.0.1:$port; root $folder/files; }")
BEHIND_A_LOGIN = Template(
    """
    proxy_cache_path $folder/cache keys_zone=answers:8m;
    upstream application { server 127.0.0.1:$upstream; keepalive 32; keepalive_requests 1000000000; }
    server {
        listen 127.0.0.1:$port;
        proxy_http_version 1.1; proxy_set_header Connection "";
        location = /auth { internal; proxy_pass http://application; proxy_pass_request_body off; }
        location / {
            auth_request /auth; auth_request_set $$user $$upstream_http_x_user;
            proxy_cache answers; proxy_cache_key $$user$$request_uri; proxy_cache_valid 200 1h; proxy_cache_lock on;
            # starsessions sends its cookie with every answer.
            proxy_ignore_headers Set-Cookie; proxy_hide_header Set-Cookie;
            add_header X-Cache $$upstream_cache_status;
            proxy_pass http://application;
        }
    }
"""
)


def program() -> Path | None:
    """nginx, installed from Debian where that can be; None where it is missing."""
    return find_or_install("nginx", "nginx-light")


def static(nginx: Path, folder: Path, body: bytes) -> Callable[[int], list[str]]:
    """Its command for a port, where it answers /figures.json with `body` from a file."""
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "figures.json").write_bytes(body)
    return lambda port: _command(nginx, folder, STATIC.substitute(port=port, folder=folder))


def behind_a_login(nginx: Path, folder: Path, upstream: int) -> Callable[[int], list[str]]:
    """Its command for a port; `upstream` is the port of peers.py's `behind_nginx`."""
    folder.mkdir()
    return lambda port: _command(nginx, folder, BEHIND_A_LOGIN.substitute(port=port, folder=folder, upstream=upstream))


def _command(nginx: Path, folder: Path, server: str) -> list[str]:
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(FRAME.substitute(folder=folder, server=server, user=user))
    return [str(nginx), "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
