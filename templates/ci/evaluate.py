"""What a run is about: its targets, listed and evaluated."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import cache
import nix
import process
import text
from context import Event, Model, variable
from flake import TITLE, Answer, Flake
from web import Client

Path = tuple[str, ...]  # of an attribute

_CHECKS = {
    "packages": "package {2} [{1}]",
    "checks": "check {2} [{1}]",
    "devShells": "devShell {2} [{1}]",
    "nixosConfigurations": "nixosConfig {1}",
    "homeConfigurations": "homeConfig {1}",
    "darwinConfigurations": "darwinConfig {1}",
    "defaultPackage": "default package [{1}]",
    "devShell": "default devShell [{1}]",
}
_CAUGHT = "evaluation failed"  # what outputs.nix.txt says of a throw: it cannot know the message
# Attributes that end nix, each of which takes a process: where another machine has the last word,
# and where this one has.
_LIMIT, _LAST_LIMIT = 24, 150
_MESSAGES = 20  # of throws and the like, each of which takes a process too


class Target(NamedTuple):
    attr: str
    path: list[str]
    check: str  # what garnix called it
    system: str | None
    drv: str | None
    outputs: dict[str, str | None]  # a content-addressed one has no path yet
    state: str  # "" until it is decided, failed, missing or elsewhere: evaluated on its runner
    error: str | None = None


class Listing(NamedTuple):
    """What is selected. Listing the unlisted systems takes a build, on a runner of their own."""

    paths: list[list[str]]
    unlisted: Sequence[str] = ()
    dotted: Sequence[str] = ()  # names that garnix would have selected, if they had no dot


def system_of(path: Sequence[str]) -> str | None:
    """Return the system that an attribute's path names; a configuration's does not."""
    return None if path[0].endswith("Configurations") else path[1]


def of_branch(flake: Flake, model: Model, branch: str | None) -> Listing:
    """List for a branch, None for a fork's pull request, and say what cannot be built."""
    targets = model.get("targets")
    request = {"sections": model.get("rules", []), "branch": branch}
    if targets is None:
        listing = _select(flake, request)
        dot = "has a dot in its name; garnix never built such an output"
        say("notice", "not built", listing.dotted, dot)
        say("notice", TITLE, listing.unlisted, "is listed on its own runner: that takes a build")
        return listing
    chosen = [attr for attr, branches in targets.items() if branches is True or branch in branches]
    if "rules" in model:
        # What the rules select and the committed list lacks is built by nothing.
        selected = set()
        try:
            selected = {".".join(path) for path in _select(flake, request).paths}
        except process.Fault as fault:
            text.annotate("warning", TITLE, f"{fault}\nWhat the committed list lacks is not known.")
        advice = "run garnix2gha snapshot, then garnix2gha generate"
        what = f"is selected and nothing builds it: {advice}"
        say("warning", "not in the committed list", sorted(selected.difference(chosen)), what)
    return Listing([attr.split(".") for attr in chosen])


def of_entry(
    flake: Flake, model: Model, branch: str | None, entry: Mapping[str, Any]
) -> list[list[str]]:
    """List what an entry of the plan builds; on its runner, where it has to be listed there."""
    paths: list[list[str]] = list(entry["targets"])
    if entry.get("rules"):
        request = {"sections": model.get("rules", []), "branch": branch, "only": entry["system"]}
        paths += _select(flake, request).paths
    return paths


def _select(flake: Flake, request: Mapping[str, Any]) -> Listing:
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
    paths = [path for answer in found for path in answer["targets"]]
    return Listing(
        paths=[path for path in paths if system_of(path) not in unlisted],
        unlisted=sorted(unlisted),
        dotted=[name for answer in found for name in answer["dotted"]],
    )


def say(level: str, title: str, names: Sequence[str], what: str) -> None:
    text.annotate_some([(title, f"{name} {what}") for name in names], title, "more", level=level)


class Survey(NamedTuple):
    """What a run is about; nobody can list the systems `unlisted` without building for them."""

    targets: list[Target]
    unlisted: Sequence[str]
    cache: dict[str, Any]


def survey(event: Event, model: Model, client: Client) -> Survey:
    """List and evaluate what the run's branch is about, where nothing is built."""
    token = variable("READ_TOKEN")
    with ThreadPoolExecutor() as pool, nix.credentials(model.cache, token) as netrc:
        # The cache is asked while nix evaluates, which uses it only for imports from derivations.
        facts = pool.submit(cache.facts, client, model.cache, token)
        flake = Flake(
            model, event.head, settings=lambda: nix.environment(model, facts.result(), netrc)
        )
        listed = of_branch(flake, model, event.branch)
        targets = evaluate(flake, listed.paths)
    missing = [target.attr for target in targets if target.state == "missing"]
    say("warning", "not in the flake", missing, "is listed but the flake has no such output")
    there = [target for target in targets if target.state != "missing"]
    return Survey(there, listed.unlisted, facts.result())


def evaluate(flake: Flake, paths: Iterable[Sequence[str]]) -> list[Target]:
    """Evaluate attributes, each once, and return them by their names."""
    groups: dict[str | None, list[Path]] = {}
    for path in sorted({tuple(path) for path in paths}):
        groups.setdefault(system_of(path), []).append(path)
    flake.shared = len(groups) > 1
    if flake.shared and not flake.opened:
        flake.each("queries", {})  # two processes that read the flake first would collide
    answers: dict[Path, Answer] = {}
    with ThreadPoolExecutor(2) as pool:
        for described in pool.map(lambda group: _describe(flake, group), groups.values()):
            answers.update(described)
        # Those have no message yet, or fell because of what was evaluated before.
        again = [
            path
            for path, a in answers.items()
            if a.get("why") == _CAUGHT or a.get("build") is False
        ]
        flake.shared |= len(again) > 1
        for described in pool.map(lambda path: _describe(flake, [path], True), again[:_MESSAGES]):
            answers.update(described)
    away = {path for path, answer in answers.items() if answer.get("build") and not flake.builds}
    dark = sorted(path for path in away if not system_of(path))
    known = flake.each("systems", {"paths": dark}) if dark else []
    systems = {tuple(a["path"]): a["system"] for a in known if "path" in a}
    targets = []
    for path, answer in answers.items():
        attr, system = ".".join(path), system_of(path) or systems.get(path)
        check = _CHECKS[path[0]].format(*path) if path[0] in _CHECKS else attr
        drv, outputs, state, error = None, {}, "failed", answer.get("why")
        if answer["state"] == "ok":
            drv, outputs, system = (answer[name] for name in ("drv", "outputs", "system"))
            state = ""
        elif answer["state"] == "missing":
            state = "failed" if flake.builds else "missing"
            error = "the flake has no such output"
        elif path in away and system:
            state = "elsewhere"
        elif path in away:
            error = f"{error}\n(its system is not known without that build)"
        targets.append(Target(attr, list(path), check, system, drv, outputs, state, error))
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
