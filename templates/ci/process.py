"""Other programs: run with argument lists, never by a shell, ended when their time is up."""

import contextlib
import os
import signal
import subprocess
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
    out: list[str] = []
    err: list[str] = []
    end = time.monotonic() + seconds
    where: dict[str, Any] = {"env": env, "cwd": cwd, "over": lambda: time.monotonic() > end}
    code = stream(arguments, err.append, out=out.append, **where)
    return subprocess.CompletedProcess(arguments, code, "\n".join(out), "\n".join(err))


def stream(
    arguments: Sequence[str],
    each: Callable[[str], None],
    *,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    over: Callable[[], bool] = lambda: False,
    out: Callable[[str], None] | None = None,
) -> int:
    """Run a program and hand on each line; with `out` that takes the output, `each` the messages.

    Returned is its exit code, 128 + N by signal N. `over` is asked a few times a second; when it
    says yes the program is ended, with code 124. What it left running in its session ends with it.
    """
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    if not out:
        pipes["stderr"] = subprocess.STDOUT
    failures: list[BaseException] = []
    try:
        child = subprocess.Popen(arguments, env=env, cwd=cwd, start_new_session=True, **pipes)
    except FileNotFoundError:
        raise Fault(f"{arguments[0]} is not installed on this runner") from None
    except OSError as error:
        raise Fault(f"{arguments[0]} cannot be started: {error.strerror}") from None

    def read(pipe: IO[bytes], take: Callable[[str], None]) -> None:
        try:
            with pipe:
                for raw in pipe:
                    take(raw.decode("utf-8", errors="replace").rstrip("\n"))
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            failures.append(error)
            _end(child)

    taken = [(child.stdout, out or each), (child.stderr, each)]
    readers = [threading.Thread(target=read, args=one, daemon=True) for one in taken if one[0]]
    try:
        for reader in readers:
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
    for reader in readers:
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
    lock, over = threading.Lock(), threading.Event()

    def show(raw: str) -> None:
        with lock:
            # What outlives its program may still be read when the runner obeys again.
            if not over.is_set():
                print(text.plain(raw), flush=True)

    print(f"::stop-commands::{token}", flush=True)
    try:
        yield show
    finally:
        with lock:
            over.set()
            print(f"\n::{token}::", flush=True)
