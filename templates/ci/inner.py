"""Evaluates and builds the targets of an entry: the part of a build job that runs the repository's code, without secrets.

It pushes nothing and annotates nothing. What it found out lies in inner/ENTRY.json for the program that started it.
"""

from __future__ import annotations

import os
import re
import time
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import context
import evaluate
import listing
import process
from flake import Flake
from nix_log import AWAY, Reader
from nixconf import command
from process import Fault

GROUP = 2000  # arguments of one process; macOS takes a megabyte of them
ROUNDS = 10
CULPRITS = 100  # of whose dependents nix is asked
LATE = "there was no time left to build it"


def place(entry: str) -> Path:
    """Return where the result of an entry lies; a file beside it tells that the work on it began."""
    return context.work() / "inner" / f"{entry}.json"


def main(arguments: list[str]) -> int:
    """Build an entry of the plan until a time of `time.time`; 0 when all of its targets are built."""
    name, stop = arguments
    place(name).with_suffix(".started").touch()
    plan = context.read_json(context.PROGRAMS.parent / "plan.json")
    entry = next(entry for entry in plan["entries"] if entry["id"] == name)
    work, model = Work(float(stop)), context.Model()
    try:
        flake = Flake(model, plan["head"], builds=True, settings=lambda: os.environ, log=work.each)
        targets = evaluate.evaluate(flake, listing.of_entry(flake, model, plan, entry))
    except Fault as fault:
        context.write_json(place(name), {"fault": str(fault)})
        return 1
    work.realise({target.drv for target in targets if target.drv})
    result = {"entry": name, "pushed": False, **work.result(targets)}
    context.write_json(place(name), result)
    return 0 if all(target["state"] == "built" for target in result["targets"]) else 1


class Work:
    """What nix builds on this machine until the time is up."""

    def __init__(self, stop: float) -> None:
        self._stop = stop
        self._log = Reader()
        self._late = False
        self._stopped: dict[str, str] = {}  # derivation -> the one whose failure stops it

    def each(self, line: str) -> None:
        """Take a line of nix's messages."""
        self._log.feed(line)
        print(line, flush=True)

    def _over(self) -> bool:
        return time.time() > self._stop

    def realise(self, wanted: set[str]) -> None:
        """Realise derivations, each once."""
        drvs = sorted(wanted)
        for _ in range(ROUNDS):
            before = set(self._log.failures)
            for group in _groups(drvs):
                call = command("nix-store", "--realise", "--keep-going", *group)
                process.stream(call, self.each, over=self._over, messages=True)
            self._late = self._over()
            self._stopped = _stopped(self._log.failures)
            new = [why for drv, why in self._log.failures.items() if drv not in before]
            rest = [drv for drv in drvs if drv not in self._stopped]
            # Old nix gives up altogether on one that this machine cannot build: go on without what failed.
            if self._late or AWAY not in new or not rest or rest == drvs:
                return
            drvs = rest

    def result(self, targets: list[evaluate.Target]) -> dict[str, Any]:
        """Return what became of the targets, and what else was built."""
        outputs = {target.attr: _resolved(target) for target in targets}
        wanted = {path for paths in outputs.values() for path in paths.values() if path}
        made = {path for drv in self._log.built for path in outputs_of(drv)} - wanted
        gone = _invalid(wanted | made)
        told = []
        for target in targets:
            paths = outputs[target.attr]
            state, cause, log = "built", "", ""
            if not target.drv:
                state, cause = "evaluation-failed", target.error or ""
            elif not paths or not all(path and path not in gone for path in paths.values()):
                state, cause, log = self._why(target.drv)
            what = {"outputs": paths, "state": state, "cause": cause, "log": log}
            told.append({**target._asdict(), **what})
        return {
            "diskFull": self._log.disk_full,
            "late": self._late,
            "made": sorted(made - gone),
            "targets": told,
        }

    def _why(self, drv: str) -> tuple[str, str, str]:
        """Return the state of a derivation that is not built, the cause, and the end of a log."""
        culprit = self._stopped.get(drv, drv)
        if culprit not in self._log.failures and self._late:
            return "not-started", LATE, ""
        reason = self._log.failures.get(culprit, "not built; see the log")
        if culprit != drv:
            reason = f"dependency {culprit[44:].removesuffix('.drv')}: {reason}"
        if self._log.disk_full:
            reason = f"No space left on device ({reason})"
        tail = _read_log(culprit) or "\n".join(self._log.tail(culprit))
        return "failed", reason[:500], tail[-8000:]


def _groups(items: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(items)
    for start in range(0, len(ordered), GROUP):
        yield ordered[start : start + GROUP]


def _stopped(failures: Iterable[str]) -> dict[str, str]:
    stopped = {}
    for culprit in list(failures)[:CULPRITS]:
        found = process.run(command("nix-store", "--query", "--referrers-closure", culprit))
        stopped.update(dict.fromkeys(found.out.split(), culprit))
    return {**stopped, **{culprit: culprit for culprit in failures}}


@cache
def _read_log(drv: str) -> str:
    tail: deque[str] = deque(maxlen=20)
    code = process.stream(command("nix-store", "--read-log", drv), tail.append)
    return "" if code else "".join(f"{line}\n" for line in tail)


def outputs_of(drv: str) -> list[str]:
    """Return the output paths that a derivation names; a content-addressed one names none."""
    try:
        with open(drv, encoding="utf-8", errors="replace") as file:
            head = file.read(65536)
    except OSError:
        return []
    outputs = re.match(r'Derive\(\[((?:\("[^"]*","[^"]*","[^"]*","[^"]*"\),?)+)\]', head)
    return re.findall(r'\("[^"]*","(/nix/store/[^"]+)"', outputs[1]) if outputs else []


def _resolved(target: evaluate.Target) -> dict[str, str | None]:
    """Return a target's outputs with the paths that content-addressed ones went to."""
    if not target.drv or all(target.outputs.values()):
        return target.outputs
    # Old nix does not answer --query for these; realising without a job builds nothing.
    call = command("nix-store", "--realise", "--max-jobs", "0", "--option", "builders", "")
    paths = {path[44:]: path for path in process.run([*call, target.drv]).out.split()}
    name = target.drv[44:].removesuffix(".drv")
    return {
        output: path or paths.get(name if output == "out" else f"{name}-{output}")
        for output, path in target.outputs.items()
    }


def _invalid(paths: Iterable[str]) -> set[str]:
    gone: set[str] = set()
    for group in _groups(paths):
        call = command("nix-store", "--check-validity", "--print-invalid", *group)
        gone.update(process.run(call).out.split())
    return gone
