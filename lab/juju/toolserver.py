# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The socket of one unit, over which its hook tools reach the agent."""

import json
import logging
import os
import pathlib
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

from .arguments import Word
from .errors import JujuError, NotPlayedError

logger = logging.getLogger(__name__)

Call = Callable[[str, str, Sequence[Word], str], str]
"""Context id, tool, words and standard input to what the tool prints."""

NAME = "agent.socket"


class ToolServer:
    """Answers the hook tools of one unit until it is closed."""

    def __init__(self, directory: pathlib.Path, call: Call) -> None:
        self._call = call
        self._path = directory / NAME
        self._path.unlink(missing_ok=True)
        self._socket = listen(self._path)
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # closed
                return
            with connection, connection.makefile("rw") as stream:
                try:
                    request = json.loads(stream.readline())
                    stream.write(f"{json.dumps(self._answer(request))}\n")
                    stream.flush()
                except (OSError, ValueError) as error:  # the hook was killed while it asked
                    logger.debug("a hook tool went away: %s", error)

    def _answer(self, request: dict[str, Any]) -> dict[str, object]:
        words: list[Word] = [
            word if isinstance(word, str) else (word[0], word[1]) for word in request["arguments"]
        ]
        try:
            said = self._call(request["context"], request["tool"], words, request["input"])
        except NotPlayedError as error:
            logger.exception("a hook tool was refused")
            return {"code": 2, "output": "", "errors": f"ERROR {error}\n"}
        except JujuError as error:
            return {"code": 1, "output": "", "errors": f"ERROR {error}\n"}
        return {"code": 0, "output": said, "errors": ""}


def listen(path: pathlib.Path) -> socket.socket:
    """Return a listening Unix socket at *path*, however long that is."""
    server = socket.socket(socket.AF_UNIX)
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        server.bind(f"/proc/self/fd/{directory}/{path.name}")
    finally:
        os.close(directory)
    server.listen(64)
    return server
