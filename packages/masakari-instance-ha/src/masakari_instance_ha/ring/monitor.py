# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The process: the controller, with the ring as its eyes, its proof and its right to act."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import logging
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from oslo_config import cfg

from instance_ha.controller import Controller
from instance_ha.errors import InstanceHaError, PolicyError
from instance_ha.succession import Succession
from masakari_instance_ha import assembly, options, store
from masakari_instance_ha.clock import StoppableClock
from masakari_instance_ha.connection import connect
from masakari_instance_ha.ring.cloud import RingCloud
from masakari_instance_ha.ring.watch import TRANSPORT, RingWatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from instance_ha.policy import Policy
    from instance_ha.ports import Clock, Cloud, Journal, MatrixShelf

logger = logging.getLogger("instance-ha")

REPORT_S = 2.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM; return the exit code."""
    parser = argparse.ArgumentParser(prog="masakari_instance_ha.ring", description=__doc__)
    parser.add_argument("--config-file", required=True, type=Path)
    parser.add_argument("--report", type=Path, help="where to write how it is, as JSON")
    said = parser.parse_args(argv)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, functools.partial(_stop, stopped))
    watch = RingWatch()
    try:
        member = build(read_options(said.config_file), watch=watch, stopped=stopped)
    except InstanceHaError as error:
        logger.error("error: %s", error)  # noqa: TRY400 - the message is made for people
        return 1
    watch.start()
    if said.report is not None:
        arguments = {"watch": watch, "path": said.report, "stopped": stopped}
        threading.Thread(target=_report_on, kwargs=arguments, daemon=True).start()
    member.run(stopped.is_set)
    return 0


def read_options(path: Path) -> cfg.ConfigOpts:
    """Return the options of one file.

    Raises:
        PolicyError: if it cannot be read, or a value is of the wrong kind.
    """
    conf = cfg.ConfigOpts()
    options.register(conf)
    try:
        conf(args=[], default_config_files=[str(path)], default_config_dirs=[])
        for group, listed in options.list_opts():  # a value is looked at when it is read
            for option in listed:
                conf[group.name][option.dest]
    except (cfg.Error, OSError) as error:
        raise PolicyError(f"the options cannot be read: {error}; correct {path}") from error
    return conf


def build(conf: cfg.ConfigOpts, *, watch: RingWatch, stopped: threading.Event) -> Controller:
    """Return the controller of this member; its store is made if there is none.

    Raises:
        InstanceHaError: if an option is missing or wrong, or the store cannot be used.
    """
    clock = StoppableClock(stopped)
    store.migrate(assembly.store_url(conf))
    journal = assembly.journal(conf)
    return controller(
        watch,
        clock=clock,
        cloud=RingCloud(connect(conf), clock=clock, rules=assembly.rules(conf)),
        journal=journal,
        policy=rules(conf),
        actor=f"controller@{conf.instance_ha.unit}",
        shelf=journal.shelf(),
    )


def controller(
    watch: RingWatch,
    *,
    clock: Clock,
    cloud: Cloud,
    journal: Journal,
    policy: Policy,
    actor: str,
    shelf: MatrixShelf | None = None,
) -> Controller:
    """Return the controller of one member, whose store no other member has."""
    lease = Succession(
        watch, cloud=cloud, journal=journal, clock=clock, policy=policy, actor=actor
    )
    return Controller(
        clock=clock,
        observer=watch,
        cloud=cloud,
        journal=journal,
        lease=lease,
        policy=policy,
        actor=actor,
        shelf=shelf,
        proofs=watch,
    )


def rules(conf: cfg.ConfigOpts) -> Policy:
    """Return the rules' figures.

    Raises:
        PolicyError: if another network than the ring's own is declared, or options contradict
            one another.
    """
    if assembly.declared(conf) != (TRANSPORT,):
        raise PolicyError(f"[instance_ha] networks: a ring watches {TRANSPORT} alone; name that")
    # Its engines give no sign of life, and nothing could be given back to them.
    return dataclasses.replace(assembly.policy(conf), orphan_after_s=float("inf"))


def describe(watch: RingWatch) -> dict[str, object]:
    """Return how the monitor is, for people and for the charm's status."""
    view = watch.view
    if view is None:
        return {"state": "blind", "why": watch.trouble}
    acts = view.speaks(watch.node)
    lost = sorted(name for name, state in view.remotes.items() if state.joined is False)
    return {
        "state": "acts" if acts else "stands by",
        "node": watch.node,
        "decides": view.dc,
        "quorate": view.quorate,
        "remotes": len(view.remotes),
        "lost": lost,
        "proven-off": sorted(watch.proofs()),
    }


def _report_on(*, watch: RingWatch, path: Path, stopped: threading.Event) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    while not stopped.wait(REPORT_S):
        new = path.with_suffix(".new")
        new.write_text(json.dumps(describe(watch), sort_keys=True), encoding="utf-8")
        new.replace(path)


def _stop(stopped: threading.Event, *_: object) -> None:
    stopped.set()
