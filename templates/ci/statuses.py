"""Posts one commit status per target, under the names that garnix's checks had."""

import contextlib
import json
import re
from typing import Any

import text
from checks import collect
from context import PROGRAMS, Event, Model, read_json, variable, work
from plan import TO_BUILD
from process import Fault, pause
from web import Answer, ask

PAUSES = (0, 1, 2, 4)  # minutes
TOO_FAST = (0, 403, 429)

# What garnix called the check of an attribute, by the parts of its path.
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


def main(_arguments: list[str]) -> int:
    event = Event()
    if event.is_fork:
        print("nothing is posted for a fork")
        return 0
    statuses = _statuses(read_json(PROGRAMS.parent / "plan.json"))
    # A rule for a check of the aggregate's name would want a status of that name as well.
    statuses.pop(Model()["aggregate"], None)
    refused = _post([_request(event, *status) for status in statuses.items()])
    if not refused:
        print(f"statuses posted: {len(statuses)}")
        return 0
    why = refused[0].text[:200]
    with contextlib.suppress(ValueError, LookupError, TypeError, RecursionError):
        why = str(json.loads(refused[0].text)["message"])[:200]
    said = f"HTTP {refused[0].status}: {why}".removesuffix(": ")
    message = f"{len(refused)} of {len(statuses)} statuses could not be posted ({said})"
    text.annotate("error", "Statuses", message)
    return 1


def _statuses(plan: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return names, with state and description. The plan counts before what a job says."""
    told = collect(plan, work() / "results")
    outcomes = []
    for target in filter(lambda target: target["path"], plan["targets"]):
        outcome = told.pop(target["attr"], None)
        if not outcome or target["state"] not in TO_BUILD:
            state = "evaluation-failed" if target["state"] == "failed" else target["state"]
            outcome = {"state": state, "cause": target["error"]}
        outcomes.append({**outcome, "path": target["path"]})
    statuses: dict[str, tuple[str, str]] = {}
    for outcome in [*outcomes, *told.values()]:
        path, cause = outcome["path"], outcome["cause"]
        form = _CHECKS.get(path[0])
        check = form.format(*path, "", "") if form else ".".join(path)
        state, description = {
            "cached": ("success", "already in the cache"),
            "upstream": ("success", "already in an upstream cache"),
            "built": ("success", "built and pushed" if outcome.get("pushed") else "built"),
            "no-runner": ("error", "no runner is configured for its system"),
            "failed": ("failure", f"not built: {cause}"),
            "not-started": ("failure", f"not built: {cause}"),
            "evaluation-failed": ("failure", cause),
        }.get(outcome["state"], ("error", "its job ended without a result"))
        name = text.line(check).strip()[:255]
        statuses.setdefault(name, (state, text.line(description)[:140]))
    return statuses


def _request(event: Event, name: str, status: tuple[str, str]) -> dict[str, str]:
    server, repository = variable("GITHUB_SERVER_URL"), event.repository
    place = f"{repository}/statuses/{event.head}"
    if not re.fullmatch(r"[\w.-]+/[\w.-]+/statuses/[0-9a-f]+", place, re.ASCII):
        raise Fault("the name of the repository or the commit is malformed", "Statuses")
    run = f"{server}/{repository}/actions/runs/{variable('GITHUB_RUN_ID')}"
    fields = {"context": name, "state": status[0], "description": status[1], "target_url": run}
    return {
        "url": f"{variable('GITHUB_API_URL')}/repos/{place}",
        "oauth2-bearer": variable("GITHUB_TOKEN"),
        "header": "X-GitHub-Api-Version: 2022-11-28",
        "data": json.dumps(fields),
    }


def _post(requests: list[dict[str, str]]) -> list[Answer]:
    """Post, also again where GitHub limits how fast content is made; return what it refused."""
    refused: list[Answer] = []
    for pauses in PAUSES:
        pause(pauses * float(variable("PUSH_PAUSE", "60")) if requests else 0)
        again = []
        for request, answer in zip(requests, ask(requests, limit=4), strict=True):
            if answer.status in TOO_FAST and pauses < PAUSES[-1]:
                again.append(request)
            elif answer.status != 201:
                refused.append(answer)
        requests = again
    return refused
