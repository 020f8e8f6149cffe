"""Other programs: run with argument lists, never by a shell, ended when their time is up."""

import contextlib
import os
import select
import signal
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import text

PART = 2000  # arguments of one call
LONGEST = 1 << 24  # bytes of a line
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
# Signals to end. Heeded where this program waits: raised anywhere, one leaves what is just started.
ended_by: list[int] = []


class Fault(Exception):
    """What a person must know; the run ends with it. Text in it is cleaned when it is shown."""

    def __init__(self, message: str, title: str = "Nix Build Cache") -> None:
        super().__init__(message)
        self.title = title


def pause(seconds: float) -> None:
    """Wait; end this program when it was told to."""
    over = after(seconds)
    while not (ended_by or over()):
        time.sleep(0.05)
    if ended_by:
        raise SystemExit(128 + ended_by[0])


def run(arguments: Sequence[str], **how: Any) -> subprocess.CompletedProcess[str]:
    """Run a program as `stream` does, and keep what it writes."""
    out: list[str] = []
    err: list[str] = []
    code = stream(arguments, err.append, out=out.append, **how)
    return subprocess.CompletedProcess(arguments, code, "\n".join(out), "\n".join(err))


def show(arguments: Sequence[str], **how: Any) -> tuple[int, str]:
    """Run a program and print its lines, none of which the runner obeys; return code and lines."""
    said: deque[str] = deque(maxlen=2000)

    def each(line: str) -> None:
        said.append(line)
        print(text.plain(line), flush=True)

    token = os.urandom(16).hex()
    print(f"::stop-commands::{token}", flush=True)
    try:
        return stream(arguments, each, **how), "\n".join(said)
    finally:
        print(f"\n::{token}::", flush=True)


def stream(
    arguments: Sequence[str],
    each: Callable[[str], None],
    *,
    stdin: str = "",
    over: Callable[[], bool] = lambda: False,
    out: Callable[[str], None] | None = None,
    **where: Any,  # cwd and env
) -> int:
    """Run a program and hand on each line; with `out` that takes the output, `each` the messages.

    Returned is its exit code, 128 + N by signal N. `over` is asked many times a second; when it
    says yes the program is ended, with code 124. What it left running in its session ends with it.
    """
    pause(0)
    where |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE if out else subprocess.STDOUT}
    try:
        with tempfile.TemporaryFile() as given:
            given.write(stdin.encode())
            given.seek(0)
            child = subprocess.Popen(arguments, 0, stdin=given, start_new_session=True, **where)
    except FileNotFoundError:
        raise Fault(f"{arguments[0]} is not installed on this runner") from None
    except OSError as error:
        raise Fault(f"{arguments[0]} cannot be started: {error.strerror}") from None
    takers: dict[Any, Callable[[str], None]] = {child.stdout: out or each, child.stderr: each}
    begun = {pipe: b"" for pipe in takers if pipe}  # an open pipe -> a line whose end is to come
    for pipe in begun:
        os.set_blocking(pipe.fileno(), False)
    alive = True
    try:
        while alive and not (ended_by or over()):
            alive = child.poll() is None
            # One more read has the rest; what the program left running may write on and on.
            for pipe in select.select(list(begun), [], [], 0.05)[0] if alive else list(begun):
                data = pipe.read(1 << 16) or b""
                *lines, last = (begun.pop(pipe) + data).split(b"\n")
                whole = not (data and alive) or len(last) > LONGEST
                if data:
                    begun[pipe] = b"" if whole else last
                for line in (*lines, last) if whole and last else lines:
                    takers[pipe](line.decode("utf-8", errors="replace"))
        code = 124 if child.poll() is None else child.returncode
    finally:
        # Its session is asked twice to end, then killed: before GitHub, who waits 10 seconds.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            wait = after(3)
            with contextlib.suppress(OSError):
                os.killpg(child.pid, number)
                while not (wait() or ended_by[1:]):  # told again to end, it waits no longer
                    child.poll()
                    os.killpg(child.pid, 0)
                    for pipe in begun:
                        pipe.read(1 << 16)  # what waits for a reader does not end
                    time.sleep(0.01)
        for pipe in filter(None, takers):
            pipe.close()
    pause(0)
    return code if code >= 0 else 128 - code


def after(seconds: float) -> Callable[[], bool]:
    """Return what says whether so many seconds are over."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def in_parts(command: Sequence[str], items: Iterable[str]) -> Iterator[list[str]]:
    """Yield the calls that give a program all items: macOS takes a megabyte of arguments."""
    ordered = sorted(items)
    for start in range(0, len(ordered), PART):
        yield [*command, *ordered[start : start + PART]]
