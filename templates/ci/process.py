"""Other programs: run with argument lists, never by a shell, ended when their time is up."""

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Any, cast

import text

# A program gets none of these unless it is its own. They are named, and not what may stay: cachix
# hands its hook to nix in variables that nobody could list.
SECRETS = (
    "CACHIX_AUTH_TOKEN",
    "CACHIX_SIGNING_KEY",
    "NIX_SIGNING_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "ATTIC_TOKEN",
    "READ_TOKEN",
    "GITHUB_TOKEN",
    "ACTION_KEY",
)
NOWHERE = subprocess.DEVNULL


class Fault(Exception):
    """What a person must know; the run ends with it. Text in it is cleaned when it is shown."""

    def __init__(self, message: str, title: str = "Nix Build Cache") -> None:
        super().__init__(message)
        self.title = title


def run(
    arguments: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    seconds: float = threading.TIMEOUT_MAX,
) -> subprocess.CompletedProcess[str]:
    """Run a program and keep what it writes; past its seconds it is ended, with code 124."""
    messages: list[str] = []
    end = time.monotonic() + seconds
    where: dict[str, Any] = {"env": env, "cwd": cwd, "over": lambda: time.monotonic() > end}
    with tempfile.TemporaryFile() as file:
        code = stream(arguments, messages.append, out=file, **where)
        file.seek(0)
        out = file.read().decode("utf-8", errors="replace")
    err = "".join(f"{message}\n" for message in messages)
    return subprocess.CompletedProcess(arguments, code, out, err)


def stream(
    arguments: Sequence[str],
    each: Callable[[str], None],
    *,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    over: Callable[[], bool] = lambda: False,
    out: IO[bytes] | int = subprocess.PIPE,
) -> int:
    """Run a program and hand on each line that it writes, or with `out` each of its messages.

    Returned is its exit code, 128 + N by signal N. `over` is asked a few times a second; when it
    says yes the program is ended, with code 124. What it left running in its session ends with it.
    """
    errors = subprocess.STDOUT if out == subprocess.PIPE else subprocess.PIPE
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": out, "stderr": errors}
    failures: list[BaseException] = []
    try:
        child = subprocess.Popen(arguments, env=env, cwd=cwd, start_new_session=True, **pipes)
    except FileNotFoundError:
        raise Fault(f"{arguments[0]} is not installed on this runner") from None
    except OSError as error:
        raise Fault(f"{arguments[0]} cannot be started: {error.strerror}") from None

    def read() -> None:
        try:
            with cast("IO[bytes]", child.stderr or child.stdout) as lines:
                for raw in lines:
                    each(raw.decode("utf-8", errors="replace").rstrip("\n"))
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            failures.append(error)
            _end(child)

    reader = threading.Thread(target=read, daemon=True)
    try:
        reader.start()
        # A program need not read what it is given.
        with contextlib.suppress(BrokenPipeError), cast("IO[bytes]", child.stdin) as pipe:
            pipe.write(stdin.encode())
        while child.poll() is None and not over():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=0.25)
        code = 124 if child.poll() is None else child.returncode
    finally:
        _end(child)
    reader.join(timeout=5)  # what runs on in a session of its own may hold the output open
    if failures:
        raise failures[0]
    return code if code >= 0 else 128 - code


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask a program twice to end, then kill it, seconds apart; and what is left of its session."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if child.poll() is None or number == signal.SIGKILL:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=5)


@contextlib.contextmanager
def foreign_output() -> Iterator[Callable[[str], None]]:
    """Give a function that prints lines of others, none of which the runner takes for a command."""
    token = os.urandom(16).hex()
    print(f"::stop-commands::{token}", flush=True)
    try:
        yield lambda raw: print(text.plain(raw), flush=True)
    finally:
        print(f"\n::{token}::", flush=True)
