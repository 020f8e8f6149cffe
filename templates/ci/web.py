"""The one HTTP client: few connections, retries in one budget, credentials for one host only."""

import base64
import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from context import variable

TRIES = 5
BUDGET = 60.0  # seconds in which requests are tried again
SECONDS = 20.0  # of one try
LARGEST = 1 << 20  # bytes of an answer

Origin = tuple[str, str, int]  # scheme, host, port


class Request(NamedTuple):
    """What is asked: a GET, or with a body a POST."""

    url: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None


class Answer(NamedTuple):
    """What came back: status 0 and an error where nobody answered; headers have small names."""

    status: int
    text: str = ""
    error: str = ""
    headers: Mapping[str, str] = {}

    @property
    def retry_after(self) -> float:
        """Return for how many seconds the server asks to wait; 0 where it does not."""
        value = self.headers.get("retry-after", "")
        return float(value[:6]) if value.isascii() and value.isdigit() else 0


def basic(password: str) -> dict[str, str]:
    """Return the header for a password without a user, as caches want it; none for no password."""
    word = base64.b64encode(f":{password}".encode()).decode()
    return {"Authorization": f"Basic {word}"} if password else {}


class Client:
    """Asks, over at most `limit` connections; `pause` is before the first retry, and doubles."""

    def __init__(self, limit: int = 32, pause: float | None = None) -> None:
        self._limit = limit
        self._pause = float(variable("RETRY_SECONDS", "1")) if pause is None else pause
        self._tls = ssl.create_default_context()
        self._until = 0.0
        self._down: dict[Origin | None, str] = {}  # why
        self._answered: dict[Origin | None, float] = {}  # when last
        self._lines: dict[int, tuple[Origin, Any]] = {}  # a thread's connection, and to whom

    def get(self, url: str, *, password: str = "") -> Answer:
        return self.many([Request(url, basic(password))])[0]

    def many(self, requests: Iterable[Request]) -> list[Answer]:
        """Ask for all at once, answer in order; a host where nobody answers is given up for all."""
        self._until, self._down = time.monotonic() + BUDGET, {}
        with ThreadPoolExecutor(self._limit) as pool:
            answers = list(pool.map(self._persist, requests))
        for _, line in self._lines.values():
            line.close()
        self._lines.clear()
        return answers

    def _persist(self, request: Request) -> Answer:
        """Ask until there is an answer that asking again would not change."""
        origin, began = _origin(request.url), time.monotonic()
        for attempt in range(TRIES):
            if origin in self._down:
                return Answer(0, error=self._down[origin])
            answer = self._follow(request)
            if answer.status:
                self._answered[origin] = time.monotonic()
                if answer.status not in (408, 429) and answer.status < 500:
                    return answer
            pause = max(self._pause * 2**attempt, answer.retry_after)
            if attempt + 1 == TRIES or time.monotonic() + pause > self._until:
                break
            time.sleep(pause)
        if not answer.status and self._answered.get(origin, 0) < began:
            self._down[origin] = answer.error
        return answer

    def _follow(self, request: Request) -> Answer:
        """Ask once, and go where the answer leads to; credentials do not leave the host."""
        for _ in range(6):
            origin = _origin(request.url)
            if not origin:
                break
            answer = self._ask(request, origin)
            place = answer.headers.get("location")
            if not 300 < answer.status < 309 or not place or request.body is not None:
                return answer
            with contextlib.suppress(ValueError):
                place = urljoin(request.url, place)
            request = Request(place, request.headers if _origin(place) == origin else {})
        return Answer(0, error="no web address, or redirects without end")

    def _ask(self, request: Request, origin: Origin) -> Answer:
        scheme, host, port = origin
        line: Any
        there, line = self._lines.get(threading.get_ident(), (None, None))
        try:
            if there != origin:
                if line:
                    line.close()
                line = HTTPConnection(host, port, timeout=SECONDS)
                if scheme == "https":
                    line = HTTPSConnection(host, port, timeout=SECONDS, context=self._tls)
                self._lines[threading.get_ident()] = origin, line
            return _exchange(line, request)
        except (OSError, HTTPException, ValueError) as error:
            if line:
                line.close()
            # The text of other errors may hold a header.
            why = (error.strerror or str(error)) if isinstance(error, OSError) else ""
            return Answer(0, error=why.lower() or "the connection failed")


def _exchange(line: Any, request: Request) -> Answer:
    deadline, method = time.monotonic() + SECONDS, "GET" if request.body is None else "POST"
    target = "/" + "/".join(request.url.split("/")[3:])
    line.request(method, target, request.body, {"User-Agent": "garnix2gha", **request.headers})
    # A server that sends a little now and then would never run into the connection's own limit.
    late = threading.Timer(1.5 * SECONDS, _cut, [line.sock])
    late.daemon = True
    late.start()
    try:
        response = line.getresponse()
        body = b""
        while part := response.read1(65536):
            body += part
            if len(body) > LARGEST or time.monotonic() > deadline:
                line.close()
                return Answer(response.status, error="the answer is too long, or takes too long")
        response.close()  # read1 leaves one open that it has read to its end
    finally:
        late.cancel()
    names = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, body.decode("utf-8", errors="replace"), "", names)


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _origin(url: str) -> Origin | None:
    with contextlib.suppress(ValueError, KeyError):
        parts = urlsplit(url)
        default = {"http": 80, "https": 443}[parts.scheme]
        return (parts.scheme, parts.hostname, parts.port or default) if parts.hostname else None
    return None
