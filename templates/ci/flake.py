"""The flake that is built, and how nix is asked about it."""

import json
import os
import re
from collections.abc import Callable, Mapping
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
_LOCK = re.compile(r"lock file|unlocked|in pure mode", re.IGNORECASE)  # does not fit the inputs
_LOCKED_HERE = (
    "flake.lock is missing or does not fit flake.nix: each job locks the inputs anew, perhaps to"
    " other commits. Run nix flake lock and commit flake.lock."
)


class Flake:
    def __init__(
        self,
        model: Model,
        head: str,
        *,
        builds: bool = False,
        settings: Callable[[], Mapping[str, str]] | None = None,
        log: Callable[[str], None] = lambda line: None,
    ) -> None:
        """With builds derivations are written and built; settings make nix's environment."""
        if not re.fullmatch(r"[0-9a-f]{40,64}", head):
            raise process.Fault("the commit that is built is not known", TITLE)
        self.builds = builds
        self._plain = nix.environment(model)
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
        self.opened = False  # by a nix that has ended
        self.shared = False  # by two at a time
        self._meeting, self._met = Lock(), False

    def each(
        self, op: str, request: Mapping[str, Any], *, limit: int = 24, writing: bool = False
    ) -> list[Any]:
        """Ask for an OP of outputs.nix.txt; the list is too short where so many answers ended nix.

        Nix is quickest where it does not write to the store; what needs that is asked again.
        """
        writing = writing or self.builds
        answers: list[Answer] = []
        failures = 0
        while failures < limit:
            search = self._searches is not False
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
                shallow = "shallow" in failure["why"]
                hint = "\nCheck out the whole history: fetch-depth: 0." if shallow else ""
                raise process.Fault(f"the flake cannot be read: {failure['why']}{hint}", TITLE)
            else:
                if self._searches is None:
                    # It can be followed unless packages.x86_64-linux ends nix.
                    heads = [["packages", "x86_64-linux"], ["legacyPackages", "x86_64-linux"]]
                    *_, ends = self._ask("list", {"queries": heads, "search": False}, True)
                    self._searches = ends is None
                if not search or self._searches:
                    answers.append(failure)
                    failures += 1
        return answers

    def _ask(
        self, op: str, request: Mapping[str, Any], writing: bool
    ) -> tuple[list[Answer], bool, Answer | None]:
        """Ask one process: its answers, whether it could read the flake, and why it ended early."""
        tag = os.urandom(16).hex()
        question = _nix(json.dumps({"op": op, "tag": tag, **request}))
        expression = (PROGRAMS / "outputs.nix.txt").read_text(encoding="utf-8")
        reference = _nix(self._reference)
        whole = f"(({expression}) {{ flake = {reference}; request = {question}; }}).each"
        answers: list[Answer] = []
        messages: list[str] = []

        def take(line: str) -> None:
            told, ours, answer = line.partition(tag)
            if ours and told == "trace: ":
                answers.append(json.loads(answer))
            elif line:
                messages.append(line)
                self._log(line)

        options = {"pure-eval": "true", "show-trace": "false"}
        if writing and not self.builds:
            # Substituted it may be, also what says that building it is quicker.
            options |= {"max-jobs": "0", "builders": "", "always-allow-substitutes": "true"}
        words = [word for name, value in options.items() for word in ("--option", name, value)]
        words += ["--read-write-mode"] if writing else []
        command = nix.command("nix-instantiate", "--eval", "-", *words)
        env = self._meet(self.environment()) if writing else self._plain
        code = process.stream(command, take, stdin=whole, env=env, out=lambda line: None)
        self.opened = True
        why = nix.reason("\n".join(messages), code)
        failure = {"state": "ended", "why": why, "build": nix.needs_build(why)}
        return answers[1:], bool(answers), failure if code else None

    def _meet(self, env: Mapping[str, str]) -> Mapping[str, str]:
        """Let nix open its caches: two at once that never did lose each other's notes of one."""
        with self._meeting:
            if self.shared and not self._met:
                nothing = f"/nix/store/{'0' * 32}-nothing"
                process.run(nix.command("nix-store", "--realise", "--dry-run", nothing), env=env)
                self._met = True
        return env

    def _relock(self) -> None:
        """Lock the inputs in the tree, as any nix command would, and take the flake from there."""
        self._relocked = True
        lock = self._folder / "flake.lock"
        call = nix.command("nix", "flake", "metadata", "--json", ".")
        # Twice where that writes the lock file: some nix then answers for the tree without it.
        for _ in range(2):
            before = lock.exists() and lock.read_bytes()
            told = process.run(call, env=self._plain, cwd=str(self._folder))
            if told.returncode:
                why = nix.reason(told.stderr, told.returncode)
                raise process.Fault(f"the flake cannot be read: {why}", TITLE)
            if lock.exists() and lock.read_bytes() == before:
                break
        found = json.loads(told.stdout)
        locked = found.get("locked", {})
        digest = quote(locked.get("narHash", ""), safe="")
        date = locked.get("lastModified", found.get("lastModified", 0))
        query = f"narHash={digest}&lastModified={date}{self._query}"
        self._reference = f"path:{found['path']}?{query}"
        text.annotate("warning", TITLE, _LOCKED_HERE)


def _inside(root: Path, name: str) -> Path:
    folder = (root / name).resolve()
    faults = {
        "must be relative to the checkout": Path(name).is_absolute(),
        "is outside the checkout": not folder.is_relative_to(root),
        "does not exist": not folder.is_dir(),
    }
    if wrong := next((fault for fault, there in faults.items() if there), ""):
        raise process.Fault(f"the flake's directory {name} {wrong}", TITLE)
    return folder


def _nix(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
    return f'"{escaped}"'
