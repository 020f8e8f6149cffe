"""Whether this run pushes to the cache, and what a person must know where it does not."""

import re
from collections.abc import Mapping
from typing import Any

from context import Cache, Event, Model, variable

_INIT = "garnix2gha init --cache NAME"
Decision = tuple[bool, str, str]  # push; what to say: a level, or none for the summary, and a text


def decide(event: Event, model: Model, facts: Mapping[str, Any]) -> Decision:
    """Decide by the event, the settings, the secrets, and the cache as plan.json has it.

    The level is error where the run should push and cannot, so that it must not end green.
    """
    cache, state = model.cache, facts["state"]
    named = f"the cache {cache.name or cache.url}"
    pushes = event.name in ("push", "workflow_dispatch")
    if not pushes or not any(matches(pattern, event.ref) for pattern in cache.push_refs):
        if state == "none" and event.is_fork:
            why = "GitHub gives a fork's pull request no variables, so this run builds without"
            help = f"A name in the settings helps: {_INIT}."
            return False, "", f"{why} the cache that {cache.variable} names. {help}"
        if state == "unusable":
            why = f"{named} cannot be read ({facts['message']}): building without it"
            return False, "notice", why
        rest = "is not among the refs that push"
        why = f"{event.ref} {rest}" if pushes else f"a {event.name.replace('_', ' ')} never pushes"
        return False, "", f"Nothing is pushed: {why}."
    if state == "none":
        what = "no cache is configured: the targets are built and nothing is pushed"
        place = f"Set the repository variable {cache.variable}, or name it in the settings: {_INIT}"
        return False, "notice" if event.in_fork else "warning", f"{what}. {place}."
    if variable("CAN_PUSH") != "true":
        return _without_token(event, cache, named)
    if state != "ok":
        return False, "error", f"{named} cannot be used: {facts['message']}"
    if model.get("quick"):
        risk = "what is built runs as this user and could take the token"
        return True, "warning", f"installer: quick has no daemon: {risk}"
    return True, "", ""


def matches(pattern: str, ref: str) -> bool:
    """Say whether a pattern of GitHub's filters matches a branch: *, ** and ? (the one before)."""
    name = pattern.strip().removeprefix("refs/heads/")
    wild = {"**": ".*", "*": "[^/]*"}
    parts = re.findall(r"(\*\*?|.)(\??)", name)
    expression = "".join(wild.get(part, re.escape(part)) + maybe for part, maybe in parts)
    return bool(re.fullmatch(f"refs/heads/{expression}", ref))


def _without_token(event: Event, cache: Cache, named: str) -> Decision:
    """Say that there is nothing to push with: the louder the more it is missed."""
    by_dependabot = event.at("sender", "login") == "dependabot[bot]"
    on_default_branch = event.branch == event.at("repository", "default_branch")
    level = "error" if on_default_branch and not by_dependabot else "warning"
    if event.in_fork or event.ref.startswith("refs/heads/dependabot/"):
        level = "notice"
    why = f"there is no token to push to {named} with: add {' and '.join(cache.secrets)}"
    if by_dependabot:
        why = f"a run started by Dependabot gets no secrets: nothing is pushed to {named}"
    return False, level, why
