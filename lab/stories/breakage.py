# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Kill any component of a recovery at any of its steps, and start it again a little later."""

import contextlib
import time
from collections.abc import Callable, Generator, Mapping, Sequence

from lab import consul, host, maas, network, process, servers
from lab.host import Host
from lab.openstack import database, messaging
from lab.servers import Server

from . import faults
from .losses import DETECTED_S, RECOVERED_S
from .scene import Scene

AWAY_S = 5.0
"""How long a partner is away; Pebble starts the product's own services again by itself."""

FAIL_OVER_S = 10.0

STEPS = ("verdict", "notification", "fence", "proof", "force-down", "evacuate", "active")
"""The kinds of an incident's events, in the order in which a recovery writes them."""


def _crash(container: str) -> Callable[[Scene], None]:
    def act(scene: Scene) -> None:
        faults.crash(scene, container)

    return act


@contextlib.contextmanager
def _mariadb() -> Generator[None]:
    process.kill(database.daemon())
    try:
        yield
    finally:
        database.ensure_up()


@contextlib.contextmanager
def _rabbitmq() -> Generator[None]:
    process.kill(messaging.daemons()[1])
    try:
        yield
    finally:
        messaging.start()
        messaging.wait_up()


@contextlib.contextmanager
def _consul_server() -> Generator[None]:
    one = consul.servers(network.STORAGE)[0]
    consul.stop_server(one)
    try:
        yield
    finally:
        consul.start_server(one)


@contextlib.contextmanager
def _maas() -> Generator[None]:
    maas.down()
    try:
        yield
    finally:
        maas.ensure_up()


def _away(
    partner: Callable[[], contextlib.AbstractContextManager[None]],
) -> Callable[[Scene], None]:
    def act(_: Scene) -> None:
        with partner():
            time.sleep(AWAY_S)

    return act


COMPONENTS: Mapping[str, Callable[[Scene], None]] = {
    "controller": _crash(faults.HOSTMONITOR),
    "engine": _crash(faults.ENGINE),
    "api": _crash(faults.API),
    "mariadb": _away(_mariadb),
    "rabbitmq": _away(_rabbitmq),
    "consul-server": _away(_consul_server),
    "maas": _away(_maas),
}
"""Component -> what kills it; it is well again when that returns, or soon after."""


def killed_at(scene: Scene, lost: Host, *, component: str, step: str) -> None:
    """Lose a host, kill *component* as soon as the incident tells of *step*, look what is left."""
    moved = scene.boot_servers(lost)
    scene.fault(f"{lost.name} loses power")
    host.kill(lost)
    faults.wait_event(scene, lost, kind=step, within_s=DETECTED_S)
    scene.note("story", f"{step} is told of: {component} is killed")
    COMPONENTS[component](scene)
    check_recovered_once(scene, moved, lost=lost)


def check_recovered_once(scene: Scene, moved: Sequence[Server], *, lost: Host) -> None:
    """Check that the recovery came to its end, and moved each server exactly once."""
    scene.wait_incident(lost, state="recovered", within_s=2 * RECOVERED_S)
    scene.wait_elsewhere(moved, lost=lost)
    scene.check_moved_once(moved, lost=lost)
    scene.check_one_writer(moved)


def left_behind(scene: Scene, lost: Host) -> None:
    """Nova calls a rebuild failed as its guest starts, and forgets it; no other one is started."""
    others = [each for each in host.hosts(3) if each.name != lost.name]
    (moved,) = scene.boot_servers(lost, count=1)
    scene.fault(f"{lost.name} loses power")
    host.kill(lost)
    where = process.wait_until(
        lambda: next((each for each in others if faults.emulator(each, moved)), None),
        within_s=DETECTED_S,
        what=f"a hypervisor to start {moved.name}",
        every_s=0.05,
    )
    # As a second order does that meets the first one: Nova goes on only from its own task state.
    overwritten = f"SET task_state = 'rebuilding' WHERE uuid = '{moved.id}'"
    database.execute(f"USE nova_cell1; UPDATE instances {overwritten}")
    scene.note("story", f"{moved.name} starts on {where.name}: its task state is overwritten")
    words = f"it may run on {where.name}"
    process.wait_until(
        lambda: any(words in event["text"] for event in faults.events(scene, lost)),
        within_s=RECOVERED_S,
        what=f"the incident to say that {words}",
        every_s=2.0,
    )
    running = [each.name for each in others if faults.emulator(each, moved)]
    scene.check(f"it runs on {where.name} alone: {running}", running == [where.name])
    records = servers.evacuations(moved.id)
    scene.check(f"Nova knows of no guest elsewhere: {records}", "done" not in records)
    for verb in ("destroy", "undefine"):
        host.run(where, ["virsh", verb, moved.id])
    scene.note("story", f"an operator has looked, and undefines {moved.name} on {where.name}")
    check_recovered_once(scene, [moved], lost=lost)


def controller_killed(scene: Scene, lost: Host) -> None:
    """Of two controllers, the one that acts hangs as a host dies; the other one acts in 10 s."""
    moved = scene.boot_servers(lost)
    with faults.more_units(scene.juju, 1) as (second,):
        scene.fault(f"{lost.name} loses power, and the controller that acts hangs: {faults.UNIT}")
        began_s = time.time()
        with _hung(scene):
            host.kill(lost)
            acts_s = faults.wait_acts(scene, unit=second, since_s=began_s)
            scene.check(f"{second} acts within 10 s", acts_s - began_s <= FAIL_OVER_S)
            scene.note("controller", f"{second} acts after {acts_s - began_s:.1f} s")
            faults.wait_event(scene, lost, kind="proof", within_s=2 * DETECTED_S)
        scene.note("story", f"the controller of {faults.UNIT} goes on")
        check_recovered_once(scene, moved, lost=lost)
        scene.check("masakari took one notification", scene.notifications(lost) == 1)


@contextlib.contextmanager
def _hung(scene: Scene) -> Generator[None]:
    """Keep the first unit's controller stopped where it is while the block lasts."""
    faults.signal(scene, faults.HOSTMONITOR, "SIGSTOP")
    try:
        yield
    finally:
        faults.signal(scene, faults.HOSTMONITOR, "SIGCONT")
