#!/usr/bin/python3 -IS
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Every hook tool of the lab, where no Go is at hand to build main.go."""

import json
import os
import pathlib
import socket
import sys


def main() -> int:
    """Ask the unit agent, and print what it says."""
    words: list[object] = []
    for word in sys.argv[1:]:
        key, found, path = word.partition("#file=")
        words.append([key, pathlib.Path(path).read_text()] if found else word)
    request = {
        "context": os.environ.get("JUJU_CONTEXT_ID", ""),
        "tool": pathlib.PurePath(sys.argv[0]).name,
        "arguments": words,
        "input": sys.stdin.read() if "--file" in words else "",
    }
    with socket.socket(socket.AF_UNIX) as agent:
        agent.connect(os.environ["JUJU_AGENT_SOCKET_ADDRESS"])
        agent.sendall(f"{json.dumps(request)}\n".encode())
        answer = json.loads(agent.makefile().readline())
    sys.stdout.write(answer["output"])
    sys.stderr.write(answer["errors"])
    return answer["code"]


if __name__ == "__main__":
    sys.exit(main())
