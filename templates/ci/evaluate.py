"""What a run is about: its targets, listed and evaluated."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import cache
import nix
import process
import text
from context import Event, Model, variable
from flake import TITLE, Answer, Flake

Path = tuple[str, ...]  # of an attribute
Listing = tuple[list[list[str]], Sequence[str]]  # paths, and systems that only a build can list

_CAUGHT = "evaluation failed"  # what outputs.nix.txt says of a throw: it cannot know the message
# Attributes that end nix, each of which takes a process: where another machine has the last word,
# and where this one has.
_LIMIT, _LAST_LIMIT = 24, 150
_MESSAGES = 20  # of throws and the like, each of which takes a process too


class Target(NamedTuple):
    """An output of the flake, or a system whose outputs cannot be listed yet: that has no path."""

    attr: str
    path: list[str]
    system: str | None
    drv: str | None
    outputs: dict[str, str | None]  # a content-addressed one has no path yet
    state: str  # "" until it is decided, failed, missing or elsewhere: evaluated on its runner
    error: str = ""


def system_of(path: Sequence[str]) -> str | None:
    """Return the system that an attribute's path names; a configuration's does not."""
    return None if path[0].endswith("Configurations") else path[1]


def survey(event: Event, model: Model) -> tuple[list[Target], dict[str, Any]]:
    """Return what the run's branch is about, evaluated where nothing is built, and its cache."""
    facts = cache.facts(model.cache)
    with TemporaryDirectory(dir=variable("RUNNER_TEMP")) as folder:
        flake = Flake(model, event.head, nix.environment(model, facts, folder))
        paths, unlisted = of_branch(flake, model, event.branch)
        targets = evaluate(flake, paths)
    missing = [target.attr for target in targets if target.state == "missing"]
    _say("warning", "not in the flake", missing, "is listed but the flake has no such output")
    why = "what listing its targets imports is not in the cache"
    systems = [Target(system, [], system, None, {}, "elsewhere", why) for system in unlisted]
    return [*(target for target in targets if target.state != "missing"), *systems], facts


def of_branch(flake: Flake, model: Model, branch: str | None) -> Listing:
    """List for a branch, None for a fork's pull request; and systems that only a build can list."""
    targets = model.get("targets")
    if targets is None:
        return select(flake, model, branch)
    chosen = [attr for attr, branches in targets.items() if branches is True or branch in branches]
    if "rules" in model:
        # What the rules select and the committed list lacks is built by nothing.
        selected = set()
        try:
            selected = {".".join(path) for path in select(flake, model, branch)[0]}
        except process.Fault as fault:
            text.annotate("warning", TITLE, f"{fault}\nWhat the committed list lacks is not known.")
        advice = "run garnix2gha snapshot, then garnix2gha generate"
        what = f"is selected and nothing builds it: {advice}"
        _say("warning", "not in the committed list", sorted(selected.difference(chosen)), what)
    return [attr.split(".") for attr in chosen], ()


def select(flake: Flake, model: Model, branch: str | None, **only: str) -> Listing:
    """List what the rules select, or `only` of one system, and systems that cannot be listed."""
    request = {"sections": model.get("rules", []), "branch": branch, **only}
    answers = flake.each("select", request, limit=100)
    found = [answer for answer in answers if answer["state"] != "ended"]
    whole = len(found) == len(answers)
    queries = [answer["query"] for answer in found] if whole else flake.each("queries", request)
    unlisted: set[str] = set()
    causes: list[str] = []
    for query, answer in zip(queries, answers, strict=True):
        if answer.get("build") and not flake.builds and len(query) == 2:
            unlisted.add(query[1])
        elif answer["state"] in ("ended", "error"):
            if not answer.get("why"):  # a throw shows its message where nothing catches it
                alone = {"queries": [query], "catch": False}
                (answer,) = flake.each("list", alone, limit=1, writing=True)
            cause = answer.get("why", "not an attribute set")
            causes.append(f"{'.'.join(query)} cannot be listed: {cause}")
    if causes:
        raise process.Fault("\n".join(causes[:10]), TITLE)
    dotted = [name for answer in found for name in answer["dotted"]]
    dot = "has a dot in its name; garnix never built such an output"
    _say("notice", "not built", dotted, dot)
    paths = [path for answer in found for path in answer["targets"]]
    return [path for path in paths if system_of(path) not in unlisted], sorted(unlisted)


def _say(level: str, title: str, names: Sequence[str], what: str) -> None:
    text.annotate_some(level, [(title, f"{name} {what}") for name in names], title)


def evaluate(flake: Flake, paths: Iterable[Sequence[str]]) -> list[Target]:
    """Evaluate attributes, each once, and return them by their names."""
    groups: dict[str | None, list[Path]] = {}
    for path in sorted({tuple(path) for path in paths}):
        groups.setdefault(system_of(path), []).append(path)
    if len(groups) > 1 and not flake.read:
        flake.each("queries", {})  # two at once would collide, and both would lock its inputs
    answers: dict[Path, Answer] = {}
    with ThreadPoolExecutor(2) as pool:
        for described in pool.map(lambda group: _describe(flake, group), groups.values()):
            answers.update(described)
        # Those have no message yet, or fell because of what was evaluated before.
        bare = [p for p, a in answers.items() if a.get("why") == _CAUGHT or a.get("build") is False]
        for described in pool.map(lambda path: _describe(flake, [path], True), bare[:_MESSAGES]):
            answers.update(described)
    away = {path for path, answer in answers.items() if answer.get("build") and not flake.builds}
    dark = sorted(path for path in away if not system_of(path))
    known = flake.each("systems", {"paths": dark}) if dark else []
    systems = {tuple(a["path"]): a["system"] for a in known if "path" in a}
    targets = []
    for path, answer in answers.items():
        attr, system = ".".join(path), system_of(path) or systems.get(path)
        drv, outputs, state, error = None, {}, "failed", f"does not evaluate: {answer.get('why')}"
        if answer["state"] == "ok":
            drv, outputs, system = (answer[name] for name in ("drv", "outputs", "system"))
            state, error = "", ""
        elif answer["state"] == "missing":
            state, error = "missing", "the flake has no such output"
        elif path in away and system:
            state, error = "elsewhere", f"what it imports is not in the cache: {answer['why']}"
        elif path in away:
            error += "\n(its system is not known without that build)"
        targets.append(Target(attr, list(path), system, drv, outputs, state, error))
    return sorted(targets, key=lambda target: target.attr)


def _describe(flake: Flake, paths: list[Path], alone: bool = False) -> dict[Path, Answer]:
    limit = 1 if alone else _LAST_LIMIT if flake.builds else _LIMIT
    request = {"paths": paths, "catch": not alone}
    answers = flake.each("describe", request, limit=limit, writing=alone)
    if len(answers) < len(paths):
        why = f"{_CAUGHT}, with others: {answers[-1]['why']}"
        rest = {"state": "ended", "why": why, "build": True}
        answers += [rest] * (len(paths) - len(answers))
    return dict(zip(paths, answers, strict=True))
