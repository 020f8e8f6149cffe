"""The attic client: it pushes to an attic server."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from context import Cache, variable
from process import Fault
from push import Tool


def tool(cache: Cache, env: Mapping[str, str], folder: Path) -> Tool:
    """Make the client ready. It reads the token from a file: `attic login` takes it as an argument, for all to see."""
    token = variable("ATTIC_TOKEN")
    if not token:
        raise Fault("ATTIC_TOKEN is empty: nothing is pushed", "Push")
    config = folder / "attic" / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        # A JSON string is a TOML string.
        file.write(f'default-server = "ci"\n[servers.ci]\nendpoint = {json.dumps(cache.server)}\n')
        file.write(f"token = {json.dumps(token)}\n")
    env = {**env, "XDG_CONFIG_HOME": str(folder)}
    return Tool(cache.name, ["push", f"ci:{cache.name}"], env)
