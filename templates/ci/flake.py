"""The flake that is built, and how nix is asked about it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import nixconf
import process
import text
from context import PROGRAMS, Model
from process import Fault

TITLE = "Evaluate flake.nix"
_LOCK = re.compile(r"lock file|unlocked|in pure mode", re.IGNORECASE)  # does not fit the inputs


class Failure(NamedTuple):
    """Why nix has no answer. With `build` something had to be built first, and was not: import from derivation."""

    message: str
    build: bool = False


class Flake:
    """The flake of a commit of the repository in the current folder; nothing else than its lock file fixes counts."""

    def __init__(
        self,
        model: Model,
        head: str,
        *,
        builds: bool = False,
        settings: Callable[[], Mapping[str, str]] | None = None,
        log: Callable[[str], None] = lambda line: None,
    ) -> None:
        """With builds this machine may build what evaluating needs, and derivations are written to the store.

        The settings are nix's environment where it may use the store. The log is handed nix's messages.
        """
        if not re.fullmatch(r"[0-9a-f]{40,64}", head):
            raise Fault("the commit that is built is not known", TITLE)
        self.builds = builds
        self._plain = nixconf.environment(model)
        self.environment = settings or (lambda: self._plain)  # of a nix that uses the store
        self._log = log
        root = Path.cwd().resolve()
        self._folder = _inside(root, str(model.get("flakeDir", ".")))
        inner = self._folder.relative_to(root).as_posix()
        self._query = "" if inner == "." else f"&dir={quote(inner)}"
        # Locked by its revision, so that nix need not be asked what it is.
        self._reference = f"git+file://{quote(str(root))}?rev={head}{self._query}"
        self._relocked = False  # it is the tree's, with a lock file that was just written
        self._searches: bool | None = None  # in garnix's order, or that spoils it; not known yet
        self._opened = False

    def each(
        self, op: str, request: Mapping[str, Any], *, limit: int = 24, writing: bool = False
    ) -> list[Any]:
        """Ask for an OP of outputs.nix.txt and return its answers; a Failure stands for one that ended nix.

        After so many of those it gives up: the list is too short then. Nix is quickest where it does not write to the
        store; what cannot be answered so is asked again with it.
        """
        writing = writing or self.builds
        answers: list[Any] = []
        failures = 0
        while failures < limit:
            search = self._searches is not False
            question = {**request, "search": search, "from": len(answers)}
            heard, readable, failure = self._ask(op, question, writing)
            answers += heard
            if not failure:
                break
            if not readable and not self._relocked and _LOCK.search(failure.message):
                self._relock()
            elif not writing:
                writing = True
            elif not readable and (self.builds or not failure.build):
                shallow = "shallow" in failure.message
                hint = "\nCheck out the whole history: fetch-depth: 0." if shallow else ""
                raise Fault(f"the flake cannot be read: {failure.message}{hint}", TITLE)
            elif not search or self._can_search():
                answers.append(failure)
                failures += 1
        return answers

    def prepare(self) -> None:
        """Let one process read the flake and open the store, before two do so and get in each other's way."""
        if not self._opened:
            self.each("queries", {})

    def _ask(
        self, op: str, request: Mapping[str, Any], writing: bool
    ) -> tuple[list[Any], bool, Failure | None]:
        """Ask one process: return its answers, whether it could read the flake, and why it ended early."""
        tag = os.urandom(16).hex()
        question = _nix(json.dumps({"op": op, "tag": tag, **request}))
        expression = (PROGRAMS / "outputs.nix.txt").read_text(encoding="utf-8")
        reference = _nix(self._reference)
        whole = f"(({expression}) {{ flake = {reference}; request = {question}; }}).each"
        answers: list[Any] = []
        messages: list[str] = []

        def take(line: str) -> None:
            told, ours, answer = line.partition(tag)
            if ours and told == "trace: ":
                answers.append(json.loads(answer))
            elif line:
                messages.append(line)
                self._log(line)

        call = ["--eval", "--option", "pure-eval", "true", "--option", "show-trace", "false", "-"]
        if writing:
            call.append("--read-write-mode")
        if writing and not self.builds:
            # Substituted it may be, also what says that building it is quicker.
            call += ["--option", "max-jobs", "0", "--option", "builders", ""]
            call += ["--option", "always-allow-substitutes", "true"]
        command = nixconf.command("nix-instantiate", *call)
        env = self.environment() if writing else self._plain
        code = process.stream(command, take, stdin=whole, env=env, messages=True)
        self._opened = True
        failure = None
        if code:
            message = nixconf.reason("\n".join(messages), code)
            failure = Failure(message, nixconf.needs_build(message))
        return answers[1:], bool(answers), failure

    def _can_search(self) -> bool:
        """Say whether garnix's search order can be followed: not where a packages.x86_64-linux ends nix itself."""
        if self._searches is None:
            heads = [["packages", "x86_64-linux"], ["legacyPackages", "x86_64-linux"]]
            *_, failure = self._ask("list", {"queries": heads, "search": False}, True)
            self._searches = failure is None
        return self._searches

    def _relock(self) -> None:
        """Lock the inputs in the tree, as any nix command would, and take the flake from there."""
        self._relocked = True
        lock = self._folder / "flake.lock"
        call = nixconf.command("nix", "flake", "metadata", "--json", ".")
        # Twice where that writes the lock file: some nix then answers for the tree without it.
        for _ in range(2):
            before = lock.exists() and lock.read_bytes()
            ended = process.run(call, env=self._plain, cwd=str(self._folder))
            if ended.code:
                why = nixconf.reason(ended.err, ended.code)
                raise Fault(f"the flake cannot be read: {why}", TITLE)
            if lock.exists() and lock.read_bytes() == before:
                break
        found = json.loads(ended.out)
        locked = found.get("locked", {})
        digest = quote(locked.get("narHash", ""), safe="")
        modified = locked.get("lastModified", found.get("lastModified", 0))
        self._reference = (
            f"path:{found['path']}?narHash={digest}&lastModified={modified}{self._query}"
        )
        message = (
            "flake.lock is missing or does not fit flake.nix: each job locks the inputs anew, perhaps to other"
            " commits. Run nix flake lock and commit flake.lock."
        )
        text.annotate("warning", TITLE, message)


def _inside(root: Path, name: str) -> Path:
    """Return the flake's folder."""
    folder = (root / name).resolve()
    if Path(name).is_absolute():
        raise Fault(f"the flake's directory {name} must be relative to the checkout", TITLE)
    if folder != root and root not in folder.parents:
        raise Fault(f"the flake's directory {name} is outside the checkout", TITLE)
    if not folder.is_dir():
        raise Fault(f"the flake's directory {name} does not exist", TITLE)
    return folder


def _nix(value: str) -> str:
    """Return text as a string of the Nix language."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
    return f'"{escaped}"'
