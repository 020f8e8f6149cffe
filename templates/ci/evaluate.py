"""Evaluates targets: which derivation and which outputs each attribute has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import cache
import listing
import nixconf
from context import Event, Model, variable
from flake import Failure, Flake
from listing import system_of
from web import Client

Path = tuple[str, ...]  # of an attribute

_CHECKS = {
    "packages": "package",
    "checks": "check",
    "devShells": "devShell",
    "nixosConfigurations": "nixosConfig",
    "homeConfigurations": "homeConfig",
    "darwinConfigurations": "darwinConfig",
    "defaultPackage": "default package",
    "devShell": "default devShell",
}
_DARK = "(its system is not known without that build)"
_CAUGHT = "evaluation failed"  # what outputs.nix.txt says of a throw, whose message it cannot know
# Attributes that end nix, each of which takes a process: where another machine has the last word, and where this one has.
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
    state: str  # "" until it is decided, failed, missing or elsewhere: evaluated on its system's runner
    error: str | None = None


class Survey(NamedTuple):
    """What a run is about: its targets, the systems that nobody can list without building for them, and the cache."""

    targets: list[Target]
    unlisted: list[str]
    cache: dict[str, Any]


def survey(event: Event, model: Model, client: Client) -> Survey:
    """List and evaluate what the run's branch is about, where nothing is built."""
    token = variable("READ_TOKEN")
    with ThreadPoolExecutor() as pool, nixconf.credentials(model.cache, token) as netrc:
        # The cache is asked while nix evaluates, which uses it only for imports from derivations.
        facts = pool.submit(cache.facts, client, model.cache, token)
        flake = Flake(
            model,
            event.head,
            settings=lambda: nixconf.environment(model, facts.result(), netrc),
        )
        listed = listing.of_branch(flake, model, event.branch)
        targets = evaluate(flake, listed.paths)
    missing = [target.attr for target in targets if target.state == "missing"]
    listing.say(
        "warning", "not in the flake", missing, "is listed but the flake has no such output"
    )
    there = [target for target in targets if target.state != "missing"]
    return Survey(there, listed.unlisted, facts.result())


def _check(path: Path) -> str:
    """Return the name of garnix's check."""
    kind = _CHECKS.get(path[0])
    if not kind:
        return ".".join(path)
    if kind.startswith("default"):
        return f"{kind} [{path[1]}]"
    return f"{kind} {path[2]} [{path[1]}]" if len(path) == 3 else f"{kind} {path[1]}"


def evaluate(flake: Flake, paths: Iterable[Sequence[str]]) -> list[Target]:
    """Evaluate attributes, each once, and return them by their names."""
    groups: dict[str | None, list[Path]] = {}
    for path in sorted({tuple(path) for path in paths}):
        groups.setdefault(system_of(path), []).append(path)
    if len(groups) > 1:
        flake.prepare()
    answers: dict[Path, Any] = {}
    with ThreadPoolExecutor(2) as pool:
        for described in pool.map(lambda group: _describe(flake, group), groups.values()):
            answers.update(described)
        # Those have no message yet, or fell because of what was evaluated before.
        again = [path for path in answers if _is_doubtful(answers[path])][:_MESSAGES]
        answers.update(zip(again, pool.map(lambda path: _alone(flake, path), again), strict=True))
    away = {p for p, a in answers.items() if _needs_build(a) and not flake.builds}
    dark = [path for path in answers if path in away and not system_of(path)]
    known = flake.each("systems", {"paths": dark}) if dark else []
    systems = {tuple(a["path"]): a["system"] for a in known if isinstance(a, dict)}
    targets = []
    for path, answer in answers.items():
        target = _target(path, answer, system_of(path) or systems.get(path))
        if path in away and target.system:
            target = target._replace(state="elsewhere")
        elif path in away:
            target = target._replace(error=f"{target.error}\n{_DARK}")
        elif target.state == "missing" and flake.builds:
            target = target._replace(state="failed")
        targets.append(target)
    return sorted(targets, key=lambda target: target.attr)


def _describe(flake: Flake, paths: list[Path]) -> dict[Path, Any]:
    limit = _LAST_LIMIT if flake.builds else _LIMIT
    answers = flake.each("describe", {"paths": paths}, limit=limit)
    if len(answers) < len(paths):
        message = f"{_CAUGHT}, with others: {answers[-1].message}"
        answers += [Failure(message, True)] * (len(paths) - len(answers))
    return dict(zip(paths, answers, strict=True))


def _needs_build(answer: Any) -> bool:
    return isinstance(answer, Failure) and answer.build


def _is_doubtful(answer: Any) -> bool:
    return not answer.build if isinstance(answer, Failure) else answer.get("why") == _CAUGHT


def _alone(flake: Flake, path: Path) -> Any:
    return flake.each("describe", {"paths": [path], "catch": False}, limit=1, writing=True)[0]


def _target(path: Path, answer: Any, system: str | None) -> Target:
    found: dict[str, Any] = {"state": "", "error": None, "drv": None, "outputs": {}}
    if isinstance(answer, Failure):
        found |= {"state": "failed", "error": answer.message}
    elif answer["state"] == "ok":
        found |= {"drv": answer["drv"], "outputs": answer["outputs"]}
        system = answer["system"]
    elif answer["state"] == "error":
        found |= {"state": "failed", "error": answer["why"]}
    else:
        found |= {"state": "missing", "error": "the flake has no such output"}
    return Target(".".join(path), list(path), _check(path), system, **found)
