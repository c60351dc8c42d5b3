"""A real nginx on loopback."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.peers import peer
from tests.probes.certificates import Certificate
from tests.probes.daemons import running, takes_connections

_CONFIGURATION = """
daemon off; master_process off; pid {folder}/pid; error_log stderr;
events {{}}
http {{
  access_log off;
  ssl_protocols TLSv1.2 TLSv1.3;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  {servers}
}}
"""


@contextlib.contextmanager
def nginx(folder: Path, servers: str, last_port: int) -> Iterator[None]:
    """Runs these ``server {}`` blocks until the block ends; ``last_port`` is the one that is opened last."""
    program = peer("nginx")
    configuration = folder / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, servers=servers))
    command = [program, "-e", "stderr", "-p", str(folder), "-c", str(configuration)]
    with running(command, folder, lambda: takes_connections(last_port)):
        yield


def files(certificate: Certificate) -> str:
    """The directives that name a server's certificate and key."""
    return f"ssl_certificate {certificate.chain}; ssl_certificate_key {certificate.key};"
