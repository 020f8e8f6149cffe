"""Lists what a run builds: the targets of targets.json, or what its rules select of the flake."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import text
from context import Model
from flake import TITLE, Flake
from process import Fault


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
    targets: dict[str, Any] | None = model.get("targets", None)
    request = {"sections": model.get("rules", []), "branch": branch}
    if targets is None:
        listing = _select(flake, request)
        dot = "has a dot in its name; garnix never built such an output"
        say("notice", "not built", listing.dotted, dot)
        say("notice", TITLE, listing.unlisted, "is listed on its own runner: that takes a build")
        return listing
    chosen = [attr for attr, branches in targets.items() if branches is True or branch in branches]
    if model.get("rules", None) is not None:
        # What the rules select and the committed list lacks is built by nothing.
        selected = set()
        try:
            selected = {".".join(path) for path in _select(flake, request).paths}
        except Fault as fault:
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
            cause = answer.get("why") or _why(flake, query)
            causes.append(f"{'.'.join(query)} cannot be listed: {cause}")
    if causes:
        raise Fault("\n".join(causes[:10]), TITLE)
    paths = [path for answer in found for path in answer["targets"]]
    return Listing(
        paths=[path for path in paths if system_of(path) not in unlisted],
        unlisted=sorted(unlisted),
        dotted=[name for answer in found for name in answer["dotted"]],
    )


def _why(flake: Flake, query: list[str]) -> str:
    """Return the message of a throw."""
    request = {"queries": [query], "catch": False}
    (answer,) = flake.each("list", request, limit=1, writing=True)
    return str(answer.get("why", "not an attribute set"))


def say(level: str, title: str, names: Sequence[str], what: str) -> None:
    """Annotate the first names with what is the matter with them."""
    text.annotate_some([(title, f"{name} {what}") for name in names], title, "more", level=level)
