"""Pushes store paths and what they need, with the client of the cache's backend."""

import importlib
import os
import re
import shutil
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import nix
import process
import text
from context import Cache, variable

LIMIT = float(variable("PUSH_TIMEOUT", "3600"))  # seconds that a client may be busy with one thing
TRIES = 3
# What clients say and what it means; the first that fits counts.
_CAUSES = {
    r"\b401\b|unauthori[sz]ed|not authorized": "the token is wrong or expired, or the cache does"
    " not exist (401)",
    r"\b403\b|forbidden|AccessDenied": "the token may not write to it (403)",
    r"\b404\b|not found|NoSuchBucket": "it does not exist (404)",
    r"No space left on device": "No space left on device",
    r"\b(?:429|5\d\d)\b": "the server failed ({})",
    r"resolve host|connection refused|connect to|timed out": "the server cannot be reached",
}
_FINAL = ("(401)", "(403)")  # ends of causes against which trying again does not help


class Tool(NamedTuple):
    place: str  # where it pushes to, for messages
    command: list[str]
    env: dict[str, str]  # with the secrets that it needs, and no others
    watch: Sequence[str] = ()  # what runs a command and pushes what nix builds meanwhile, if it can


def tool(cache: Cache, env: dict[str, str], folder: Path) -> Tool:
    """Make the client of the backend ready; what it must read from files lies in the folder."""
    program = shutil.which(cache.backend) or _install(cache, env, folder / "client")
    module = {"nix": "nix_copy"}.get(cache.backend, cache.backend)
    ready: Tool = importlib.import_module(module).tool(program, cache, env, folder)
    return ready


def secret(name: str) -> str:
    if not variable(name):
        raise process.Fault(f"{name} is empty: nothing is pushed", "Push")
    return variable(name)


def _install(cache: Cache, env: dict[str, str], link: Path) -> str:
    print(f"installing {cache.backend}", flush=True)
    call = nix.command("nix", "build", "--out-link", str(link), cache.client)
    ended = process.run(call, env=env, over=process.after(LIMIT))
    if ended.returncode:
        why = nix.reason(ended.stderr, ended.returncode)
        raise process.Fault(f"{cache.backend} cannot be installed: {why}", "Push")
    # Each output has a link of its own, with its name behind.
    return str(next(link.parent.glob(f"{link.name}*/bin/{cache.backend}")))


def push(ready: Tool, paths: Sequence[str], until: float) -> str:
    """Push paths in a few tries, all before `until` (of time.time). Return why that failed."""
    # Clients skip what the store has lost meanwhile, and succeed.
    if gone := [path for path in paths if not os.path.lexists(path)]:
        return f"outputs that were built are no longer in the store: {' '.join(gone[:3])}"
    cause = "there is no time left"
    for attempt in range(TRIES):
        process.pause(float(variable("PUSH_PAUSE", "10")) if attempt else 0)
        seconds = min(LIMIT, until - time.time())
        if seconds <= 0:
            break
        print(f"pushing {text.count(len(paths), 'path')} and what they need", flush=True)
        cause = _attempt(ready, paths, seconds)
        if not cause or cause.endswith(_FINAL):
            break
    return cause and f"what was built could not be pushed to {ready.place}: {cause}"


def _attempt(ready: Tool, paths: Iterable[str], seconds: float) -> str:
    """Push paths once. Return why that failed."""
    over = process.after(seconds)
    for call in process.in_parts(ready.command, paths):
        code, said = process.show(call, env=ready.env, over=over)
        if code:
            break
    else:
        return ""
    if code == 124:
        return f"no end after {text.count(round(seconds), 'second')}"
    for pattern, meaning in _CAUSES.items():
        if found := re.search(pattern, said, re.IGNORECASE):
            return meaning.format(found[0])
    return f"its client was ended by signal {code - 128}" if code > 128 else "see the log"
