"""Other programs: run with argument lists, never by a shell, and ended when their time is up."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, NamedTuple, cast

import text

# A program gets none of these unless it is its own. They are named, and not what may stay: cachix hands its hook to nix
# in variables that nobody could list.
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
    """What a person must know; the run ends with it. Text from outside in it is cleaned when it is shown."""

    def __init__(self, message: str, title: str = "Nix Build Cache") -> None:
        super().__init__(message)
        self.title = title


class Ended(NamedTuple):
    """How a program ended: its exit code (128 + N by signal N), and what it wrote."""

    code: int
    out: str
    err: str


def decode(data: bytes) -> str:
    """Decode what another program wrote; nobody promises that it is UTF-8."""
    return data.decode("utf-8", errors="replace")


def run(
    arguments: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    seconds: float | None = None,
) -> Ended:
    """Run a program to its end and keep what it writes; past its seconds it is ended, with code 124."""
    with _started(arguments, env, cwd, subprocess.PIPE, subprocess.PIPE) as child:
        try:
            out, err = child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            end(child)
            with child:  # which closes its pipes
                return Ended(124, "", "")
        return Ended(_code(child), decode(out), decode(err))


def stream(
    arguments: Sequence[str],
    each: Callable[[str], None],
    *,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    over: Callable[[], bool] = lambda: False,
    messages: bool = False,
) -> int:
    """Run a program, hand on each line of its outputs, or of its messages only, and return its code.

    `over` is asked a few times a second; when it says yes the program is ended, and its code is 124. What the program
    left running in its session is ended with it.
    """
    out, err = subprocess.PIPE, subprocess.STDOUT
    if messages:
        out, err = subprocess.DEVNULL, subprocess.PIPE
    failures: list[BaseException] = []
    with _started(arguments, env, cwd, out, err) as child:

        def read() -> None:
            try:
                with cast("IO[bytes]", child.stderr if messages else child.stdout) as lines:
                    for raw in lines:
                        each(decode(raw).rstrip("\n"))
            except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
                failures.append(error)
                end(child)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        # A program need not read what it is given.
        with contextlib.suppress(BrokenPipeError), cast("IO[bytes]", child.stdin) as pipe:
            pipe.write(stdin.encode())
        while child.poll() is None and not over():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=0.25)
        code = 124 if child.poll() is None else _code(child)
    reader.join(timeout=5)  # what runs on in a session of its own may hold the output open
    if failures:
        raise failures[0]
    return code


@contextlib.contextmanager
def _started(
    arguments: Sequence[str], env: Mapping[str, str] | None, cwd: str | None, out: int, err: int
) -> Iterator[subprocess.Popen[bytes]]:
    pipe = subprocess.PIPE
    try:
        child = subprocess.Popen(
            arguments, stdin=pipe, stdout=out, stderr=err, env=env, cwd=cwd, start_new_session=True
        )
    except FileNotFoundError:
        raise Fault(f"{arguments[0]} is not installed on this runner") from None
    except OSError as error:
        raise Fault(f"{arguments[0]} cannot be started: {error.strerror}") from None
    try:
        yield child
    finally:
        end(child)


def _code(child: subprocess.Popen[bytes]) -> int:
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def end(child: subprocess.Popen[bytes]) -> None:
    """End a program, asked twice and then killed, a few seconds apart, and with it what is left of its session."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if child.poll() is not None:
            break
        with contextlib.suppress(ProcessLookupError, PermissionError, subprocess.TimeoutExpired):
            os.killpg(child.pid, number)
            child.wait(timeout=5)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


@contextlib.contextmanager
def foreign_output() -> Iterator[Callable[[str], None]]:
    """Give a function that prints lines of others, none of which the runner takes for a command."""
    token = os.urandom(16).hex()
    print(f"::stop-commands::{token}", flush=True)
    try:
        yield lambda raw: print(text.plain(raw), flush=True)
    finally:
        print(f"\n::{token}::", flush=True)
