# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""One IPMI conversation, as a process of its own: reads the question from stdin, prints JSON.

pyghmi keeps a thread and sockets for the life of its process, and waits as long as it likes. Here
it lives as long as one question, and whoever asked ends it when time is up. Neither user nor
password is ever on the command line.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import types

_OPERATOR = 3
"""The least privilege level that may switch the power."""


def main() -> int:
    """Answer the question on stdin; return 0 if there is an answer."""
    asked = json.load(sys.stdin)
    try:
        import pyghmi.exceptions  # noqa: PLC0415 - may be missing, which is an answer
        from pyghmi.ipmi import command  # noqa: PLC0415
    except ImportError as error:
        return _say(missing=str(error.name))
    try:
        state = _converse(command, asked)
    except (pyghmi.exceptions.PyghmiException, OSError) as error:
        if not any(error.args):
            return _say(silent="no words: nothing came back")
        return _say(error=f"{type(error).__name__}: {error}")
    return _say(state=state)


def _converse(command: types.ModuleType, asked: dict[str, Any]) -> str:
    bmc = command.Command(
        bmc=asked["address"],
        userid=asked["username"],
        password=asked["password"],
        port=asked["port"],
        keepalive=False,
        privlevel=_OPERATOR,
    )
    if order := asked.get("order"):
        return str(bmc.set_power(order, wait=False).get("pendingpowerstate", "taken"))
    return str(bmc.get_power().get("powerstate", "unknown"))


def _say(**what: str) -> int:
    sys.stdout.write(json.dumps(what) + "\n")
    return 0 if "state" in what else 1


if __name__ == "__main__":
    sys.exit(main())
