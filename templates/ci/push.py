"""Pushes store paths and what they need, with the client of the cache's backend."""

import importlib
import json
import os
import re
import shutil
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import nix
import process
import text
from context import Cache, variable

TRIES = 3
GROUP = 1000  # paths of one call
_BACKENDS = {"cachix": "cachix", "nix": "nix_copy", "attic": "attic"}  # program -> module
# What clients say and what it means; the first that fits counts. Trying again does not help against
# the first two.
_CAUSES = {
    r"\b401\b|unauthori[sz]ed|not authorized": "the token is wrong or expired, or the cache does"
    " not exist (401)",
    r"\b403\b|forbidden|AccessDenied": "the token may not write to it (403)",
    r"\b404\b|not found|NoSuchBucket": "it does not exist (404)",
    r"No space left on device": "No space left on device",
    r"\b(?:429|5\d\d)\b": "the server failed ({})",
    r"resolve host|connection refused|connect to|timed out": "the server cannot be reached",
}
_FINAL = tuple(_CAUSES.values())[:2]


class Tool(NamedTuple):
    place: str  # where it pushes to, for messages
    command: list[str]
    env: dict[str, str]  # with the secrets that it needs, and no others
    watch: Sequence[str] = ()  # what runs a command and pushes what nix builds meanwhile, if it can


def tool(cache: Cache, env: Mapping[str, str], folder: Path) -> Tool:
    """Make the client of the backend ready; what it must read from files lies in the folder."""
    if cache.backend not in _BACKENDS:
        raise process.Fault(f"the backend {cache.backend} is not known", "Push")
    ready: Tool = importlib.import_module(_BACKENDS[cache.backend]).tool(cache, env, folder)
    found = shutil.which(cache.backend) or _install(cache.backend, cache.client, env)
    watch = [found, *ready.watch] if ready.watch else []
    return ready._replace(command=[found, *ready.command], watch=watch)


def secret(name: str) -> str:
    if not variable(name):
        raise process.Fault(f"{name} is empty: nothing is pushed", "Push")
    return variable(name)


def _install(program: str, installable: str, env: Mapping[str, str]) -> str:
    print(f"installing {program}", flush=True)
    call = nix.command("nix", "build", "--no-link", "--json", installable)
    ended = process.run(call, env=env, seconds=1800)
    if ended.returncode:
        why = nix.reason(ended.stderr, ended.returncode)
        raise process.Fault(f"{program} cannot be installed: {why}", "Push")
    for output in json.loads(ended.stdout)[0]["outputs"].values():
        if os.access(f"{output}/bin/{program}", os.X_OK):
            return f"{output}/bin/{program}"
    raise process.Fault(f"there is no {program} in {installable}", "Push")


def limit() -> float:
    """Return for how many seconds a client may be busy with one thing."""
    return float(variable("PUSH_TIMEOUT", "3600"))


def push(ready: Tool, paths: Iterable[str], until: float) -> str:
    """Push paths in a few tries, all before `until` (of time.time). Return why that failed."""
    wanted = sorted(set(paths))
    # Clients skip a path that is not in the store and succeed.
    gone = [path for path in wanted if not os.path.lexists(path)]
    if gone:
        return f"outputs that were built are no longer in the store: {' '.join(gone[:3])}"
    pause = float(variable("PUSH_PAUSE", "10"))
    print(f"pushing {text.count(len(wanted), 'path')} and what they need", flush=True)
    cause = "there is no time left"
    for attempt in range(TRIES):
        seconds = min(limit(), until - time.time())
        if seconds <= 0:
            break
        cause = _attempt(ready, wanted, seconds)
        if not cause or cause in _FINAL or attempt + 1 == TRIES:
            break
        print(f"that failed; once more in {pause:.0f} seconds", flush=True)
        time.sleep(pause)
    return cause and f"what was built could not be pushed to {ready.place}: {cause}"


def _attempt(ready: Tool, paths: list[str], seconds: float) -> str:
    end = time.time() + seconds
    said: deque[str] = deque(maxlen=2000)
    with process.foreign_output() as show:

        def each(line: str) -> None:
            said.append(line)
            show(line)

        for start in range(0, len(paths), GROUP):
            call = [*ready.command, *paths[start : start + GROUP]]
            code = process.stream(call, each, env=ready.env, over=lambda: time.time() > end)
            if code:
                return _cause(code, "\n".join(said), seconds)
    return ""


def _cause(code: int, said: str, seconds: float) -> str:
    if code == 124:
        return f"no end after {text.count(round(seconds), 'second')}"
    for pattern, meaning in _CAUSES.items():
        if found := re.search(pattern, said, re.IGNORECASE):
            return meaning.format(found[0])
    return f"its client was ended by signal {code - 128}" if code > 128 else "see the log"
