"""Nix: how it is called, and what old and new nix say of what they built, and why not the rest."""

import contextlib
import os
import re
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import context
import process
import text

AWAY = "this runner cannot build it"
_DRV = re.compile(r"/nix/store/[0-9a-z]{32}-[^' ]+\.drv")
_FULL = re.compile(r"No space left on device|database or disk is full", re.IGNORECASE)
_AWAY = re.compile(r"platform mismatch|required system|missing system feature", re.IGNORECASE)
# What a line that names a derivation says of it.
_REASONS = {
    r"timed out after|of silence": "timed out",
    r"builder for '?\S+\.drv'? (failed[^;]*)": r"its builder \1",
    r"hash mismatch in fixed-output derivation": "hash mismatch",
    r"is required to build": AWAY,
}
# Where a message ends: what follows is where it happened, not what.
_PLACE = re.compile(r"at (/|\u00ab)|\u2026 |\(use .--show-trace")
_BUILD = re.compile(
    r"unable to start any build|cannot build '|builder for '|is required to build '"
    r"|platform mismatch|required system|allow-import-from-derivation|max-jobs|build of '.*\.drv"
    r"|dependenc.*(failed|couldn't be built)",
    re.IGNORECASE,
)


def command(program: str, *arguments: str) -> list[str]:
    """Return the call of one of nix's programs: what a flake wants to configure has no say."""
    return [program, "--option", "accept-flake-config", "false", *arguments]


def environment(
    model: context.Model, cache: Mapping[str, Any] | None = None, netrc: Path | None = None
) -> dict[str, str]:
    """Return nix's environment, without secrets; a readable cache of plan.json substitutes."""
    lines = [os.environ.get("NIX_CONFIG", ""), "extra-experimental-features = nix-command flakes"]
    lines += map(str, model.get("nix", []))
    if cache and cache["state"] == "ok":
        keys = [key for key in cache["keys"] if re.fullmatch(r"[\w.-]+:[A-Za-z0-9+/=]+", key)]
        lines += [
            f"extra-substituters = {cache['url']}",
            f"extra-trusted-public-keys = {' '.join(keys)}",
            # What a machine remembers of the cache may have changed: pushed elsewhere, or lost.
            "narinfo-cache-negative-ttl = 0",
            "narinfo-cache-positive-ttl = 0",
        ]
    if netrc:
        lines.append(f"netrc-file = {netrc}")
    env = {name: value for name, value in os.environ.items() if name not in process.SECRETS}
    return {**env, "NIX_CONFIG": "\n".join(lines)}


@contextlib.contextmanager
def credentials(cache: context.Cache, token: str) -> Iterator[Path | None]:
    """Give a file that lets nix read a private cache, and remove it; None where nothing can."""
    if not cache.private or not token or not cache.url:
        yield None
        return
    path = context.work() / "netrc"
    context.write_secret(path, f"machine {urlsplit(cache.url).hostname} password {token}\n")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def reason(messages: str, code: int) -> str:
    """Return the last error, which is the innermost one; it may have several lines."""
    before, *errors = re.split(r"^ *error:", text.plain(messages), flags=re.MULTILINE)
    kept = before.split("\n")[-1:]
    if errors:
        kept = []
        for line in map(str.strip, errors[-1].split("\n")[:12]):
            if _PLACE.match(line) or (kept and not line):
                break
            kept += [line] if line else []
    elif code > 128:
        kept = [f"nix was killed by signal {code - 128}; out of memory?"]
    return "\n".join(kept)[:1500] or "evaluation failed"


def needs_build(reason: str) -> bool:
    """Say whether evaluating needed a build that was not to be had: import from derivation."""
    return bool(_BUILD.search(reason)) and not reason.startswith("evaluation aborted")


class Reader:
    def __init__(self) -> None:
        self.failures: dict[str, str] = {}  # derivation -> reason
        self.built: list[str] = []  # derivations
        self.disk_full = False
        self._pending = ""  # the derivation whose reason comes in the next lines
        self._about: dict[str, deque[str]] = {}  # derivation -> what nix said of it
        self._recording = ("", 0)  # of which derivation, for how many lines
        self._last: deque[str] = deque(maxlen=5)

    def feed(self, raw: str) -> None:
        line = text.plain(raw)
        found = _DRV.search(line)
        drv = found[0] if found else ""
        self.disk_full = self.disk_full or bool(_FULL.search(line))
        # An error that names a derivation is kept, and the three lines after it.
        self._last.append(line)
        if drv and "error" in line and "build of " not in line:
            self._recording = (drv, 4)
        name, left = self._recording
        if left:
            self._about.setdefault(name, deque(maxlen=20)).append(line)
            self._recording = (name, left - 1)
        if drv and line.startswith("building '"):
            self.built.append(drv)
        elif drv:
            for pattern, reason in _REASONS.items():
                if match := re.search(pattern, line):
                    self.failures.setdefault(drv, match.expand(reason))
                    return
            if "Cannot build " in line:
                self._pending = drv
        elif self._pending and "Reason: " in line:
            reason = line.partition("Reason: ")[2].strip().removesuffix(".")
            reason = AWAY if _AWAY.search(reason) else re.sub("^builder ", "its builder ", reason)
            if "dependenc" not in reason:
                self.failures.setdefault(self._pending, reason)
            self._pending = ""

    def tail(self, drv: str) -> list[str]:
        """Return what nix said of a derivation that has no log of its own, or said last."""
        return list(self._about.get(drv) or self._last)
