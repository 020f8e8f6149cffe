"""The flake that is built, and how nix is asked about it."""

import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote

import nix
import process
import text
from context import PROGRAMS, Model

TITLE = "Evaluate flake.nix"
# Of an OP of outputs.nix.txt. One that ended nix is "ended"; "build" of it: an import needed one.
Answer = dict[str, Any]
Heard = tuple[list[Answer], bool, Answer | None]
Log = Callable[[str], None] | None
Request = Mapping[str, Any]
_LOCK = re.compile(r"lock file|unlocked|in pure mode", re.IGNORECASE)  # does not fit the inputs
_LOCKED_HERE = (
    "flake.lock is missing or does not fit flake.nix, so each job locks the inputs anew: run nix"
    " flake lock and commit flake.lock."
)


class Flake:
    def __init__(self, model: Model, head: str, env: dict[str, str], log: Log = None) -> None:
        """With nix's environment; with a log of what nix says derivations are written and built."""
        root, name = Path.cwd().resolve(), str(model.get("flakeDir", "."))
        self._folder = (root / name).resolve()
        if not self._folder.is_relative_to(root) or not self._folder.is_dir():
            raise process.Fault(f"the flake's directory {name} is not in the checkout", TITLE)
        self.environment, self._log = env, log
        self.builds, self.read = log is not None, False
        inner = self._folder.relative_to(root).as_posix()
        self._query = "" if inner == "." else f"&dir={quote(inner)}"
        # Locked by its revision, so that nix need not be asked what it is.
        self._reference = f"git+file://{quote(str(root))}?rev={head}{self._query}"
        self._relocked = False  # it is the tree's, with a lock file that was just written
        self._writing = Lock()  # nix before 2.14 loses notes where two open its caches first

    def each(self, op: str, request: Request, limit: int = 24, writing: bool = False) -> list[Any]:
        """Ask for an OP of outputs.nix.txt; the list is too short where so many answers ended nix.

        Nix is quickest where it does not write to the store; what needs that is asked again.
        """
        writing = writing or self.builds
        answers: list[Answer] = []
        search, failures = True, 0
        while failures < limit:
            question = {**request, "search": search, "from": len(answers)}
            heard, readable, failure = self._ask(op, question, writing)
            answers += heard
            if not failure:
                break
            if not readable and not self._relocked and _LOCK.search(failure["why"]):
                self._relock()
            elif not writing:
                writing = True
            elif not readable and (self.builds or not failure["build"]):
                hint = "\nCheck out the whole history: fetch-depth: 0."
                why = failure["why"] + hint * ("shallow" in failure["why"])
                raise process.Fault(f"the flake cannot be read: {why}", TITLE)
            elif search and not self._searchable:
                search = False
            else:
                answers.append(failure)
                failures += 1
        return answers

    @cached_property
    def _searchable(self) -> bool:
        """Say whether garnix's order of search can be followed: its first places do not end nix."""
        heads = [["packages", "x86_64-linux"], ["legacyPackages", "x86_64-linux"]]
        return not self._ask("list", {"queries": heads, "search": False}, True)[2]

    def _ask(self, op: str, request: Request, writing: bool) -> Heard:
        """Ask one process: its answers, whether it could read the flake, and why it ended early."""
        tag = os.urandom(16).hex()
        question = _nix(json.dumps({"op": op, "tag": tag, **request}))
        expression = (PROGRAMS / "outputs.nix.txt").read_text(encoding="utf-8")
        given = f"{{ flake = {_nix(self._reference)}; request = {question}; }}"
        answers: list[Answer] = []
        messages: list[str] = []

        def take(line: str) -> None:
            told, ours, answer = line.partition(tag)
            if ours and told == "trace: ":
                answers.append(json.loads(answer))
            elif line:
                messages.append(line)
                if self._log:
                    self._log(line)

        options = {"pure_eval": "true", "show_trace": "false"}
        if writing and not self.builds:
            # Substituted it may be, also what says that building it is quicker.
            options |= {"max_jobs": "0", "builders": "", "always_allow_substitutes": "true"}
        mode = ["--read-write-mode"] if writing else []
        call = nix.command("nix-instantiate", "--eval", "-", *mode, **options)
        how: dict[str, Any] = {"stdin": f"(({expression}) {given}).each", "env": self.environment}
        with self._writing if writing else nullcontext():
            code = process.stream(call, take, out=lambda line: None, **how)
        self.read = True
        why = nix.reason("\n".join(messages), code)
        failure = {"state": "ended", "why": why, "build": nix.needs_build(why)}
        return answers[1:], bool(answers), failure if code else None

    def _relock(self) -> None:
        """Lock the inputs in the tree, as any nix command would, and take the flake from there."""
        self._relocked = True
        # Some nix that has just written the lock file still answers for the tree without it.
        for words in (["lock"], ["metadata", "--json"]):
            call = nix.command("nix", "flake", *words)
            told = process.run(call, env=self.environment, cwd=str(self._folder))
            if told.returncode:
                why = nix.reason(told.stderr, told.returncode)
                raise process.Fault(f"the flake cannot be read: {why}", TITLE)
        found = json.loads(told.stdout)
        locked = found.get("locked", {})
        digest = quote(locked.get("narHash", ""), safe="")
        date = locked.get("lastModified", found.get("lastModified", 0))
        query = f"narHash={digest}&lastModified={date}{self._query}"
        self._reference = f"path:{found['path']}?{query}"
        text.annotate("warning", TITLE, _LOCKED_HERE)


def _nix(value: str) -> str:
    """Return ASCII text as a string of Nix."""
    return json.dumps(value).replace("${", "\\${")
