"""Evaluates targets: which derivation and which outputs each attribute has."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import cache
import listing
import nixconf
from context import Event, Model, variable
from flake import Answer, Flake, ended
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
    """A target as plan.json has it."""

    attr: str
    path: list[str]
    check: str  # what garnix called it
    system: str | None
    drv: str | None
    outputs: dict[str, str | None]  # a content-addressed one has no path yet
    state: str  # "" until it is decided, failed, missing or elsewhere: evaluated on its runner
    error: str | None = None


class Survey(NamedTuple):
    """What a run is about; nobody can list the systems `unlisted` without building for them."""

    targets: list[Target]
    unlisted: Sequence[str]
    cache: dict[str, Any]


def survey(event: Event, model: Model, client: Client) -> Survey:
    """List and evaluate what the run's branch is about, where nothing is built."""
    token = variable("READ_TOKEN")
    with ThreadPoolExecutor() as pool, nixconf.credentials(model.cache, token) as netrc:
        # The cache is asked while nix evaluates, which uses it only for imports from derivations.
        facts = pool.submit(cache.facts, client, model.cache, token)
        flake = Flake(
            model, event.head, settings=lambda: nixconf.environment(model, facts.result(), netrc)
        )
        listed = listing.of_branch(flake, model, event.branch)
        targets = evaluate(flake, listed.paths)
    missing = [target.attr for target in targets if target.state == "missing"]
    what = "is listed but the flake has no such output"
    listing.say("warning", "not in the flake", missing, what)
    there = [target for target in targets if target.state != "missing"]
    return Survey(there, listed.unlisted, facts.result())


def evaluate(flake: Flake, paths: Iterable[Sequence[str]]) -> list[Target]:
    """Evaluate attributes, each once, and return them by their names."""
    groups: dict[str | None, list[Path]] = {}
    for path in sorted({tuple(path) for path in paths}):
        groups.setdefault(listing.system_of(path), []).append(path)
    if len(groups) > 1:
        flake.prepare()
    answers: dict[Path, Answer] = {}
    with ThreadPoolExecutor(2) as pool:
        for described in pool.map(lambda group: _describe(flake, group), groups.values()):
            answers.update(described)
        # Those have no message yet, or fell because of what was evaluated before.
        again = [path for path, answer in answers.items() if _is_doubtful(answer)][:_MESSAGES]
        for described in pool.map(lambda path: _describe(flake, [path], alone=True), again):
            answers.update(described)
    away = {path for path, answer in answers.items() if answer.get("build") and not flake.builds}
    dark = sorted(path for path in away if not listing.system_of(path))
    known = flake.each("systems", {"paths": dark}) if dark else []
    systems = {tuple(a["path"]): a["system"] for a in known if "path" in a}
    targets = []
    for path, answer in answers.items():
        target = _target(path, answer, listing.system_of(path) or systems.get(path))
        if path in away and target.system:
            target = target._replace(state="elsewhere")
        elif path in away:
            why = "(its system is not known without that build)"
            target = target._replace(error=f"{target.error}\n{why}")
        elif target.state == "missing" and flake.builds:
            target = target._replace(state="failed")
        targets.append(target)
    return sorted(targets, key=lambda target: target.attr)


def _describe(flake: Flake, paths: list[Path], alone: bool = False) -> dict[Path, Answer]:
    limit = 1 if alone else _LAST_LIMIT if flake.builds else _LIMIT
    request = {"paths": paths, "catch": not alone}
    answers = flake.each("describe", request, limit=limit, writing=alone)
    if len(answers) < len(paths):
        why = f"{_CAUGHT}, with others: {answers[-1]['why']}"
        answers += [ended(why, True)] * (len(paths) - len(answers))
    return dict(zip(paths, answers, strict=True))


def _is_doubtful(answer: Answer) -> bool:
    return answer.get("why") == _CAUGHT or answer.get("build") is False


def _target(path: Path, answer: Answer, system: str | None) -> Target:
    attr = ".".join(path)
    check = _CHECKS[path[0]].format(*path) if path[0] in _CHECKS else attr
    target = Target(attr, list(path), check, system, None, {}, "failed")
    if answer["state"] == "ok":
        facts = {name: answer[name] for name in ("drv", "outputs", "system")}
        return target._replace(state="", **facts)
    if answer["state"] == "missing":
        return target._replace(state="missing", error="the flake has no such output")
    return target._replace(error=answer["why"])
