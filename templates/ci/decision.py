"""Whether this run pushes to the cache, and what a person must know where it does not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from context import Cache, Event, Model, variable

_INIT = "garnix2gha init --cache NAME"


class Decision(NamedTuple):
    """Whether to push, else why not; and what a person must know: an annotation of that level, or for the summary only."""

    push: bool
    reason: str = ""
    level: str = ""  # error: it should push and cannot, so that the run must not end green
    message: str = ""


def decide(event: Event, model: Model, found: Mapping[str, Any]) -> Decision:
    """Decide by what happened, the settings, the secrets that there are, and the cache as plan.json has it."""
    cache, state = model.cache, found["state"]
    named = f"the cache {cache.name or cache.url}"
    if reason := _unwanted(event, cache):
        return Decision(False, reason, *_about_reading(event, cache, named, found))
    if state == "none":
        return Decision(False, "no cache is configured", *_unconfigured(event, cache))
    if variable("CAN_PUSH") != "true":
        return Decision(
            False, "there is no token to push with", *_without_token(event, cache, named)
        )
    if state != "ok":
        message = f"{named} cannot be used: {found['message']}"
        return Decision(False, f"{named} cannot be read", "error", message)
    if model.get("quick", False):
        message = "installer: quick builds as the user whose processes hold the token of the cache: what is built could read it"
        return Decision(True, "", "warning", message)
    return Decision(True)


def _unwanted(event: Event, cache: Cache) -> str:
    """Return why the event pushes to no cache, empty if it does."""
    if event.is_pull_request:
        return "a pull request never pushes"
    if event.name == "merge_group":
        return "a merge group never pushes"
    if event.name not in ("push", "workflow_dispatch"):
        return f"the event {event.name} never pushes"
    pushes = any(matches(pattern, event.ref) for pattern in cache.refs)
    return "" if pushes else f"{event.ref} is not among the refs that push"


def matches(pattern: str, ref: str) -> bool:
    """Say whether a pattern matches a branch, as GitHub's filters do: *, ** and ? (the one before it, or not)."""
    name = ref if pattern.startswith("refs/") else ref.removeprefix("refs/heads/")
    parts = {"**": ".*", "*": "[^/]*", "?": "?"}
    tokens = re.findall(r"\*\*|.", pattern.strip())
    try:
        expression = "".join(parts.get(token) or re.escape(token) for token in tokens)
        return ref.startswith("refs/heads/") and bool(re.fullmatch(expression, name))
    except re.error:
        return False


def _about_reading(
    event: Event, cache: Cache, named: str, found: Mapping[str, Any]
) -> tuple[str, str]:
    if found["state"] not in ("ok", "none"):
        return "notice", f"{named} cannot be read ({found['message']}): building without it"
    if found["state"] == "none" and event.is_fork and cache.variable:
        return "", (
            "GitHub gives a fork's pull request no variables, so this run builds without the cache that"
            f" {cache.variable} names. A name in the settings helps: {_INIT}."
        )
    return "", ""


def _unconfigured(event: Event, cache: Cache) -> tuple[str, str]:
    if event.in_fork:
        return "notice", "no cache is configured in this fork: nothing is pushed"
    name = (
        f"Set the repository variable {cache.variable}, or name it" if cache.variable else "Name it"
    )
    message = "no cache is configured: the targets are built and nothing is pushed."
    return "warning", f"{message} {name} in the settings: {_INIT}."


def _without_token(event: Event, cache: Cache, named: str) -> tuple[str, str]:
    """Say that a push that should write has nothing to write with: the louder the more it is missed."""
    if event.in_fork:
        return "notice", f"this fork has no token for {named}: nothing is pushed"
    by_dependabot = event.actor == "dependabot[bot]"
    level = "error" if event.on_default_branch and not by_dependabot else "warning"
    if (event.branch or "").startswith("dependabot/"):
        level = "notice"
    if by_dependabot:
        return level, f"a run started by Dependabot gets no secrets: nothing is pushed to {named}"
    secrets = " and ".join(cache.secrets) or "the secret that writes to it"
    return level, f"there is no token to push to {named} with: add {secrets}"
