"""The attic client: it pushes to an attic server."""

import json
from collections.abc import Mapping
from pathlib import Path

from context import Cache, write_secret
from push import Tool, secret


def tool(cache: Cache, env: Mapping[str, str], folder: Path) -> Tool:
    """Make the client ready: its token is in a file, as anybody could see it among arguments."""
    token = secret("ATTIC_TOKEN")
    # A JSON string is a TOML string.
    server = f"[servers.ci]\nendpoint = {json.dumps(cache.server)}\ntoken = {json.dumps(token)}\n"
    write_secret(folder / "attic" / "config.toml", f'default-server = "ci"\n{server}')
    return Tool(cache.name, ["push", f"ci:{cache.name}"], {**env, "XDG_CONFIG_HOME": str(folder)})
