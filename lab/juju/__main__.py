# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The agent's process: ``python -m lab.juju DIRECTORY``, started by ``lab.juju.ensure_up``."""

import json
import logging
import pathlib
import signal
import socket
import sys
import threading
from typing import Any

from lab.errors import LabError

from . import workcommands
from .agent import Agent
from .commands import Reply, answer
from .toolserver import listen

logger = logging.getLogger(__name__)

SOCKET = "api.socket"


def serve(agent: Agent, server: socket.socket) -> None:
    """Answer every call of the ``juju`` stand-in, each in a thread of its own."""
    while True:
        try:
            connection, _ = server.accept()
        except OSError:  # closed: the agent stops
            return
        threading.Thread(target=_converse, args=(agent, connection), daemon=True).start()


def _converse(agent: Agent, connection: socket.socket) -> None:
    with connection, connection.makefile("rw") as stream:
        try:
            said = reply(agent, json.loads(stream.readline()))
            stream.write(f"{json.dumps(said)}\n")
            stream.flush()
        except (OSError, ValueError) as error:
            logger.debug("a caller went away: %s", error)


def reply(agent: Agent, request: dict[str, Any]) -> dict[str, object]:
    """Return what the stand-in prints for one request."""
    try:
        said = answer(agent, request["argv"], directory=pathlib.Path(request["directory"]))
    except LabError as error:
        said = Reply(errors=f"ERROR {error}\n", code=1)
    except (IndexError, OSError) as error:
        said = Reply(errors=f"ERROR juju {' '.join(request['argv'])}: {error}\n", code=2)
    return {"code": said.code, "output": said.output, "errors": said.errors}


def main() -> None:
    """Play Juju until told to stop."""
    assert workcommands.run  # entered into the catalogue by its import
    state = pathlib.Path(sys.argv[1])
    agent = Agent(state)
    logging.basicConfig(
        filename=agent.trace.log,
        format="%(asctime)s %(levelname)s %(message)s",
        level=logging.INFO,
    )
    logging.getLogger("charm").setLevel(logging.DEBUG)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: agent.stopping.set())
    agent.reconnect()
    path = state / SOCKET
    path.unlink(missing_ok=True)
    with listen(path) as server:
        for work in (agent.run, agent.watch):
            threading.Thread(target=work, daemon=True).start()
        threading.Thread(target=serve, args=(agent, server), daemon=True).start()
        agent.stopping.wait()
    path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
