"""Servers on the loopback interface that play a binary cache, an API, or trouble."""

from __future__ import annotations

import collections
import contextlib
import http.server
import posixpath
import socket
import threading
import time
import unittest
from collections.abc import Callable
from pathlib import Path
from unittest import mock
from urllib.parse import unquote

import harness  # noqa: F401 - says where the programs are

import web

DIGITS = "0123456789abcdfghijklmnpqrsvwxyz"


def store_path(number: int, name: str = "p") -> str:
    """Return the store path of that number, for tests that need no store."""
    digits = ""
    while number:
        number, digit = divmod(number, 32)
        digits = DIGITS[digit] + digits
    return f"/nix/store/{digits.rjust(32, '0')}-{name}"


def hash_of(path: str) -> str:
    """Return what a cache knows a store path by."""
    return path[11:43]


def narinfo(path: str) -> str:
    """Return a narinfo as a cache has it."""
    return (
        f"StorePath: {path}\nURL: nar/x.nar\nCompression: none\n"
        f"NarHash: sha256:{'0' * 52}\nNarSize: 1\nReferences: \n"
    )


class _Http(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing where a client hung up."""


class Server:
    """An HTTP server; `answer(request, n)` handles a request, the n-th with its method and path."""

    def __init__(self, test: unittest.TestCase, answer: Callable[[Request, int], object]) -> None:
        self.count: collections.Counter[str] = collections.Counter()
        self.open = self.most = self.opened = 0  # connections: now, at once, ever
        self._lock = threading.Lock()
        server = self

        class Handler(Request):
            def handle_any(self) -> None:
                path = posixpath.normpath("/" + unquote(self.path.partition("?")[0])).replace(
                    "//", "/"
                )
                self.name = path
                self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with server._lock:
                    server.count[f"{self.command} {path}"] += 1
                    number = server.count[f"{self.command} {path}"]
                answer(self, number)

            do_GET = do_HEAD = do_PUT = do_POST = handle_any

            def setup(self) -> None:
                with server._lock:
                    server.open += 1
                    server.opened += 1
                    server.most = max(server.most, server.open)
                super().setup()

            def finish(self) -> None:
                with contextlib.suppress(OSError):
                    super().finish()
                with server._lock:
                    server.open -= 1

        self._http = _Http(("127.0.0.1", 0), Handler)
        self._http.socket.listen(64)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        test.addCleanup(self.close)

    def close(self) -> None:
        """Stop serving."""
        self._http.shutdown()
        self._http.server_close()

    def asked(self, method: str, text: str = "") -> int:
        """Return how often paths that hold the text were asked for."""
        with self._lock:
            return sum(
                number
                for request, number in self.count.items()
                if request.startswith(f"{method} ") and text in request
            )


class Request(http.server.BaseHTTPRequestHandler):
    """A request that a server got."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    name = ""
    body = b""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def reply(self, status: int, body: str | bytes = b"", **headers: str) -> None:
        """Answer."""
        data = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def hang_up(self) -> None:
        """Close the connection without an answer."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


class CacheServer(Server):
    """A binary cache: a folder that PUT writes and GET reads. `answer`, if set, says whether it answered itself."""

    def __init__(self, test: unittest.TestCase, folder: Path, delay: float = 0) -> None:
        self.folder = folder
        self.delay = delay
        self.answer: Callable[[Request, int], bool] = lambda request, number: False
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "nix-cache-info").write_text("StoreDir: /nix/store\nWantMassQuery: 1\n")
        super().__init__(test, self._serve)

    def put(self, *paths: str) -> None:
        """Store narinfos of store paths."""
        for path in paths:
            (self.folder / f"{hash_of(path)}.narinfo").write_text(narinfo(path))

    def has(self, path: str) -> bool:
        """Say whether the cache has a narinfo of a store path."""
        return (self.folder / f"{hash_of(path)}.narinfo").exists()

    def _serve(self, request: Request, number: int) -> None:
        time.sleep(self.delay)
        if self.answer(request, number):
            return
        file = self.folder / request.name.lstrip("/")
        if request.command == "PUT":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(request.body)
            request.reply(200)
        elif file.is_file():
            request.reply(200, file.read_bytes())
        else:
            request.reply(404, "404 - Not Found")


def retries(number: int) -> mock._patch[str]:
    """Let curl try again so often, the first time after a second."""
    text = web._OPTIONS.replace("retry = 0\n", f"retry = {number}\n")
    return mock.patch("web._OPTIONS", text)
