"""An InfluxDB 1.6 of the tests' own, behind the one path that it lacks: `/api/v2/write`, which came with 1.8."""

import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import urllib3

_CONFIGURATION = """
reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
[http]
bind-address = "127.0.0.1:0"
log-enabled = false
[monitor]
store-enabled = false
"""
_LISTENING = re.compile(r'msg="Listening on HTTP".* addr=(\S+)')


@dataclass
class InfluxDB:
    """A running server; each test asks for a database of its own."""

    address: str
    """Host and port of the server with the added path."""
    _names: Iterator[int] = field(default_factory=lambda: count(1))

    def new_url(self) -> str:
        """Return the URL of a series store whose database does not exist yet."""
        return f"influxdb://{self.address}/series_{next(self._names)}"


@contextmanager
def running_influxdb(folder: Path) -> Iterator[InfluxDB]:
    """Yield a server that keeps its files in `folder`."""
    program = shutil.which("influxd")
    if program is None:
        raise FileNotFoundError("no influxd found: run `make setup-system`, or install influxdb")
    configuration = folder / "influxdb.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder))
    log = folder / "log"
    with log.open("wb") as output:
        server = subprocess.Popen([program, "-config", configuration], stdout=output, stderr=output, cwd=folder)
        try:
            with _added_path(_wait_until_it_listens(server, log)) as address:
                yield InfluxDB(address)
        finally:
            server.terminate()
            server.wait(120)


def _wait_until_it_listens(server: subprocess.Popen[bytes], log: Path) -> str:
    while not (listening := _LISTENING.search(log.read_text())):
        if server.poll() is not None:
            raise RuntimeError(log.read_text())
        time.sleep(0.02)
    return listening[1]


@contextmanager
def _added_path(influxdb: str) -> Iterator[str]:
    """Yield the address of a server that hands all requests on to `influxdb`, in version 1's form."""
    pool = urllib3.PoolManager(maxsize=16, retries=False)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            passed_on = {
                name: self.headers[name] for name in ("Content-Type", "Content-Encoding") if self.headers[name]
            }
            answer = pool.request("POST", f"http://{influxdb}{_version_1(self.path)}", body=body, headers=passed_on)
            self.send_response(answer.status)
            if answer.status != 204:
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.send_header("Content-Length", str(len(answer.data)))
            self.end_headers()
            if answer.status != 204:
                self.wfile.write(answer.data)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="influxdb-path")
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        pool.clear()


def _version_1(path: str) -> str:
    parts = urlsplit(path)
    if parts.path != "/api/v2/write":
        return path
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    precision = {"us": "u", "ms": "ms", "s": "s", "ns": "n"}[asked["precision"]]
    return f"/write?{urlencode({'db': asked['bucket'], 'precision': precision})}"
