"""The attic client: it pushes to an attic server."""

import json
from pathlib import Path

from context import Cache, write_secret
from push import Tool, secret


def tool(program: str, cache: Cache, env: dict[str, str], folder: Path) -> Tool:
    """Make the client ready: its token is in a file, as anybody could see it among arguments."""
    token = secret("ATTIC_TOKEN")
    # A JSON string is a TOML string.
    server = f"[servers.ci]\nendpoint = {json.dumps(cache.server)}\ntoken = {json.dumps(token)}\n"
    (folder / "attic").mkdir()
    write_secret(folder / "attic" / "config.toml", f'default-server = "ci"\n{server}')
    call = [program, "push", f"ci:{cache.name}"]
    return Tool(cache.name, call, {**env, "XDG_CONFIG_HOME": str(folder)})
