"""Nix: how it is called, and what old and new nix say of what they built, and why not the rest."""

import os
import re
from collections import deque
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import context
import process
import text

AWAY = "this runner cannot build it"
_DRV = re.compile(r"/nix/store/[0-9a-z]{32}-[^' ]+\.drv")
_FULL = re.compile(r"No space left on device|database or disk is full", re.IGNORECASE)
# What nix says of a derivation, and the reason that it is not built; the first that fits counts.
_REASONS = {
    r"is required to build": AWAY,
    r"Cannot build .*Reason: (?:platform mismatch|required system|missing system feature)": AWAY,
    r"hash mismatch in fixed-output derivation": "hash mismatch",
    r"(?:builder for '\S+'|Cannot build .*Reason: builder) (failed[^;]*)": r"its builder \1",
    r"Cannot build .*Reason: (?!.*dependenc)(.*)": r"\1",
    r"timed out after|of silence": "timed out",
}
# Where a message ends: what follows is where it happened, not what.
_PLACE = re.compile(r"\n\s*(?:\n|at /|at \u00ab|\u2026 |\(use .--show-trace)")
_BUILD = re.compile(
    r"unable to start any build|cannot build '|builder for '|is required to build '"
    r"|platform mismatch|required system|allow-import-from-derivation|max-jobs|build of '.*\.drv"
    r"|dependenc.*(failed|couldn't be built)",
    re.IGNORECASE,
)


def command(program: str, *arguments: str, **options: str) -> list[str]:
    """Return the call of one of nix's programs: what a flake wants to configure has no say."""
    call = [program, *arguments]
    for name, value in {"accept_flake_config": "false", **options}.items():
        call += ["--option", name.replace("_", "-"), value]
    return call


def environment(model: context.Model, facts: dict[str, Any], folder: str) -> dict[str, str]:
    """Return nix's environment, without secrets; what reads a private cache is in the folder."""
    lines = [os.environ.get("NIX_CONFIG", ""), "extra-experimental-features = nix-command flakes"]
    lines += map(str, model.get("nix", []))
    cache = model.cache
    if facts["state"] == "ok":
        lines += [
            f"extra-substituters = {facts['url']}",
            f"extra-trusted-public-keys = {' '.join(facts['keys'])}",
            # What a machine remembers of the cache may have changed: pushed elsewhere, or lost.
            "narinfo-cache-negative-ttl = 0",
            "narinfo-cache-positive-ttl = 0",
        ]
        if cache.private and cache.token:
            host, netrc = urlsplit(cache.url).hostname, Path(folder, "netrc")
            context.write_secret(netrc, f"machine {host} password {cache.token}\n")
            lines.append(f"netrc-file = {netrc}")
    env = {name: value for name, value in os.environ.items() if name not in process.SECRETS}
    return {**env, "NIX_CONFIG": "\n".join(lines)}


def reason(messages: str, code: int) -> str:
    """Return the last error, which is the innermost one; it may have several lines."""
    before, *errors = re.split(r"^ *error:", text.plain(messages), flags=re.MULTILINE)
    said = before.rpartition("\n")[2]
    if errors:
        said = _PLACE.split(errors[-1].strip())[0]
    elif code > 128:
        said = f"nix was killed by signal {code - 128}; out of memory?"
    return re.sub(r"\n\s+", "\n", said)[:1500] or "evaluation failed"


def needs_build(reason: str) -> bool:
    """Say whether evaluating needed a build that was not to be had: import from derivation."""
    return bool(_BUILD.search(reason)) and not reason.startswith("evaluation aborted")


class Reader:
    def __init__(self) -> None:
        self.failures: dict[str, str] = {}  # derivation -> reason
        self.built: list[str] = []  # derivations
        self.disk_full = False
        self._said: deque[str] = deque(maxlen=100_000)

    def feed(self, raw: str) -> None:
        line = text.plain(raw)
        # Newer nix says on one line what it cannot build, and on the next why.
        whole = self._said[-1] + line if self._said and "Reason: " in line else line
        self._said.append(line)
        self.disk_full |= bool(_FULL.search(line))
        found = _DRV.search(whole)
        if found and whole.startswith("building '"):
            self.built.append(found[0])
        elif found:
            for pattern, reason in _REASONS.items():
                if match := re.search(pattern, whole):
                    self.failures.setdefault(found[0], match.expand(reason).rstrip(". "))
                    break

    def tail(self, drv: str) -> list[str]:
        """Return the error that names a derivation, for one without a log, or the last lines."""
        said = list(self._said)
        for number, line in enumerate(said):
            if drv in line and "error" in line and "build of " not in line:
                return said[number : number + 4]
        return said[-5:]
