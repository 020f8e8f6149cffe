"""Reads in nix's messages what it built and why not the rest, in the words of old and new nix."""

import re
from collections import deque

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


class Reader:
    """Takes nix's messages line by line and keeps what matters of them."""

    def __init__(self) -> None:
        self.failures: dict[str, str] = {}  # derivation -> reason
        self.built: list[str] = []  # derivations
        self.disk_full = False
        self._pending = ""  # the derivation whose reason comes in the next lines
        self._about: dict[str, deque[str]] = {}  # derivation -> what nix said of it
        self._recording = ("", 0)  # of which derivation, for how many lines
        self._last: deque[str] = deque(maxlen=5)

    def feed(self, raw: str) -> None:
        """Take a line."""
        line = text.plain(raw)
        found = _DRV.search(line)
        drv = found[0] if found else ""
        self.disk_full = self.disk_full or bool(_FULL.search(line))
        self._record(line, drv)
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

    def _record(self, line: str, drv: str) -> None:
        """Keep an error that names a derivation, and the three lines after it."""
        self._last.append(line)
        if drv and "error" in line and "build of " not in line:
            self._recording = (drv, 4)
        name, left = self._recording
        if left:
            self._about.setdefault(name, deque(maxlen=20)).append(line)
            self._recording = (name, left - 1)

    def tail(self, drv: str) -> list[str]:
        """Return what nix said of a derivation that has no log of its own, or said last."""
        return list(self._about.get(drv) or self._last)
