"""Posts one commit status per target, under the names that garnix's checks had."""

import contextlib
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import text
from checks import collect
from context import PROGRAMS, Event, Model, read_json, variable, work
from process import Fault
from web import Answer, Client, Request

TRIES = 6
MINUTES = 8  # of the job's ten
TOO_FAST = (403, 408, 429)


def main(_arguments: list[str]) -> int:
    event = Event()
    if event.is_fork:
        print("nothing is posted for a fork")
        return 0
    statuses = list(_statuses(read_json(PROGRAMS.parent / "plan.json"), Model()))
    refused = _post([_request(event, status) for status in statuses])
    if not refused:
        print(f"statuses posted: {len(statuses)}")
        return 0
    said = f"HTTP {refused[0].status} {refused[0].error}".rstrip()
    with contextlib.suppress(ValueError, LookupError, TypeError, RecursionError):
        said += f": {str(json.loads(refused[0].text)['message'])[:200]}"
    message = f"{len(refused)} of {len(statuses)} statuses could not be posted ({said})"
    text.annotate("error", "Statuses", message)
    return 1


def _statuses(plan: dict[str, Any], model: Model) -> Iterator[dict[str, str]]:
    """Yield a status for each name. What the plan knows counts before what a job says."""
    told = collect(plan, work() / "results")
    # A rule for a check of the aggregate's name would want a status of that name as well.
    names = {model.get("aggregate", "")}
    for target in plan["targets"]:
        outcome = told.pop(target["attr"], None)
        if outcome and target["state"] in ("build", "elsewhere"):
            yield from _named(names, target["check"], outcome)
        else:
            state = "evaluation-failed" if target["state"] == "failed" else target["state"]
            facts = {"state": state, "cause": target["error"], "pushed": False}
            yield from _named(names, target["check"], facts)
    for outcome in told.values():
        yield from _named(names, outcome["check"], outcome)


def _named(names: set[str], check: str, outcome: dict[str, Any]) -> Iterator[dict[str, str]]:
    name, cause = text.line(check).strip()[:255], outcome["cause"]
    if name in names:
        return
    names.add(name)
    state, description = {
        "cached": ("success", "already in the cache"),
        "upstream": ("success", "already in an upstream cache"),
        "built": ("success", "built and pushed" if outcome["pushed"] else "built"),
        "no-runner": ("error", "no runner is configured for its system"),
        "failed": ("failure", f"not built: {cause}"),
        "not-started": ("failure", f"not built: {cause}"),
        "evaluation-failed": ("failure", f"does not evaluate: {cause}"),
    }.get(outcome["state"], ("error", "its job ended without a result"))
    yield {"context": name, "state": state, "description": text.line(description)[:140]}


def _request(event: Event, status: dict[str, str]) -> Request:
    api = variable("GITHUB_API_URL", "https://api.github.com")
    server = variable("GITHUB_SERVER_URL", "https://github.com")
    run = f"{server}/{event.repository}/actions/runs/{variable('GITHUB_RUN_ID')}"
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", event.repository, re.ASCII):
        raise Fault("the repository's name is malformed", "Statuses")
    if not re.fullmatch(r"[0-9a-f]+", event.head):
        raise Fault("the commit is malformed", "Statuses")
    headers = {
        "Authorization": f"Bearer {variable('GITHUB_TOKEN')}",
        "Accept": "application/vnd.github+json",
        "Content-Type": "application/json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    body = json.dumps({**status, "target_url": run}).encode()
    return Request(f"{api}/repos/{event.repository}/statuses/{event.head}", headers, body)


def _post(requests: list[Request]) -> list[Answer]:
    """Post, those that came too fast again; return the answers to those that are refused."""
    # Few at a time: GitHub limits how fast content is made.
    client, until = Client(limit=4), time.monotonic() + MINUTES * 60
    final: list[Answer] = []
    again: list[tuple[Request, Answer]] = []
    for attempt in range(TRIES):
        again = []
        for request, answer in zip(requests, client.many(requests), strict=True):
            if answer.status in TOO_FAST or not answer.status or answer.status >= 500:
                again.append((request, answer))
            elif answer.status >= 300:
                final.append(answer)
        wait = max((_patience(answer) for _, answer in again), default=0)
        if not again or attempt + 1 == TRIES or time.monotonic() + wait > until:
            break
        print(f"not posted yet: {len(again)}; once more in {wait:.0f} seconds", flush=True)
        time.sleep(wait)
        requests = [request for request, _ in again]
    return final + [answer for _, answer in again]


def _patience(answer: Answer) -> float:
    """Return for how many seconds GitHub wants to be left alone; a minute where it does not say."""
    reset = answer.headers.get("x-ratelimit-reset", "")
    if answer.headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(int(reset) - time.time(), 1)
    return answer.retry_after or float(variable("PUSH_PAUSE", "60"))
