# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""``python3 -m hypervisor_instance_ha``: what the systemd units of the charm run."""

from __future__ import annotations

import argparse
import functools
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence

from hypervisor_instance_ha import programs
from hypervisor_instance_ha.errors import HypervisorError, SettingsError
from hypervisor_instance_ha.guarding import remove_autostart
from hypervisor_instance_ha.settings import load

logger = logging.getLogger("instance-ha")

Program = Callable[[threading.Event], None]
PROGRAMS: dict[str, Program] = {
    "instances": programs.watch_instances,
    "processes": programs.watch_processes,
    "agents": programs.watch_agents,
    "storage": programs.probe_storage,
    "metrics": programs.serve_metrics,
    "guard": programs.guard_return,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one program; return its exit code."""
    parser = argparse.ArgumentParser(prog="hypervisor_instance_ha", description=__doc__)
    verbs = parser.add_subparsers(required=True, dest="verb", metavar="PROGRAM")
    for name in (*PROGRAMS, "remove-autostart"):
        verbs.add_parser(name)
    verbs.add_parser("drill").add_argument("server")
    verbs.add_parser("maintenance").add_argument("state", choices=("on", "off"))
    said = parser.parse_args(argv)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    try:
        return _run(said)
    except HypervisorError as error:
        logger.error("error: %s", error)  # noqa: TRY400 - the message is made for people
        return 1


def _run(said: argparse.Namespace) -> int:
    if said.verb in PROGRAMS:
        return _run_program(said.verb)
    if said.verb == "remove-autostart":
        remove_autostart()
    elif said.verb == "drill":
        print(programs.run_drill(said.server))  # noqa: T201 - the charm reads it
    else:
        print(programs.tell_maintenance(on=said.state == "on"))  # noqa: T201 - the charm reads it
    return 0


def _run_program(name: str) -> int:
    try:
        if load().debug:
            logging.getLogger().setLevel(logging.DEBUG)
    except SettingsError:
        if name != "guard":  # which holds, says why, and reads them anew each time
            raise
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, functools.partial(_stop, stop))
    threading.excepthook = _end_process
    PROGRAMS[name](stop)
    return 0


def _stop(stop: threading.Event, *_: object) -> None:
    stop.set()


def _end_process(failure: threading.ExceptHookArgs) -> None:
    """End the process with its thread: systemd starts it anew, half a monitor helps nobody."""
    logger.critical("a thread failed", exc_info=failure.exc_value)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
