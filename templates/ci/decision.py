"""Whether this run pushes to the cache, and what a person must know where it does not."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from context import Cache, Event, Model, variable

_INIT = "garnix2gha init --cache NAME"
QUICK = "installer: quick has no daemon: what is built runs as this user and could take the token"


class Decision(NamedTuple):
    """Whether to push, else why not; and an annotation, or without a level just a text."""

    push: bool
    reason: str = ""
    level: str = ""  # error: it should push and cannot, so that the run must not end green
    message: str = ""


def decide(event: Event, model: Model, found: Mapping[str, Any]) -> Decision:
    """Decide by the event, the settings, the secrets, and the cache as plan.json has it."""
    cache, state = model.cache, found["state"]
    named = f"the cache {cache.name or cache.url}"
    if reason := _unwanted(event, cache):
        said = "", ""
        if state not in ("ok", "none"):
            said = "notice", f"{named} cannot be read ({found['message']}): building without it"
        elif state == "none" and event.is_fork and cache.variable:
            hidden = "GitHub gives a fork's pull request no variables, so this run builds without"
            help = f"A name in the settings helps: {_INIT}."
            said = "", f"{hidden} the cache that {cache.variable} names. {help}"
        return Decision(False, reason, *said)
    if state == "none":
        level, message = "notice", "no cache is configured in this fork: nothing is pushed"
        if not event.in_fork:
            there = f"Set the repository variable {cache.variable}, or name it"
            what = "no cache is configured: the targets are built and nothing is pushed."
            place = f"{there if cache.variable else 'Name it'} in the settings: {_INIT}."
            level, message = "warning", f"{what} {place}"
        return Decision(False, "no cache is configured", level, message)
    if variable("CAN_PUSH") != "true":
        said = _without_token(event, cache, named)
        return Decision(False, "there is no token to push with", *said)
    if state != "ok":
        message = f"{named} cannot be used: {found['message']}"
        return Decision(False, f"{named} cannot be read", "error", message)
    if model.get("quick", False):
        return Decision(True, "", "warning", QUICK)
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
    """Say whether a pattern of GitHub's filters matches a branch: *, ** and ? (the one before)."""
    name = ref if pattern.startswith("refs/") else ref.removeprefix("refs/heads/")
    parts = {"**": ".*", "*": "[^/]*", "?": "?"}
    tokens = re.findall(r"\*\*|.", pattern.strip())
    try:
        expression = "".join(parts.get(token) or re.escape(token) for token in tokens)
        return ref.startswith("refs/heads/") and bool(re.fullmatch(expression, name))
    except re.error:
        return False


def _without_token(event: Event, cache: Cache, named: str) -> tuple[str, str]:
    """Say that there is nothing to push with: the louder the more it is missed."""
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
