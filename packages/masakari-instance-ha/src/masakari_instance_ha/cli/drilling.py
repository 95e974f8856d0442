# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A drill: lose an empty host for real, and see the whole recovery work.

The power of the host is cut behind the controller's back. All the rest is what happens in a real
loss: it is noticed, fenced, forced down, recovered, comes back and is put back to work.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from instance_ha import experience, guards
from instance_ha.errors import InstanceHaError
from instance_ha.homecoming import OURS
from instance_ha.model import IncidentState
from masakari_instance_ha import assembly, fencing
from masakari_instance_ha.cli import guarding
from masakari_instance_ha.cli.call import Call, Commands, FoundWantingError, InputError
from masakari_instance_ha.cli.output import Table
from masakari_instance_ha.cli.returning import want_back
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.mover import NovaMover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from instance_ha.model import FenceProof, Host, Incident
    from instance_ha.ports import Fencer

LOOK_S = 1.0
NOTICED_WITHIN_S = 300.0
RECOVERED_WITHIN_S = 900.0
BACK_WITHIN_S = 1800.0
"""A server that boots, checks its disks and is then well for as long as the options ask."""

_ON = "on"
_COLUMNS = ("step", "result", "after_s", "told")
_OVER = {IncidentState.RECOVERED, IncidentState.CLOSED}


class DrillRefusedError(InstanceHaError):
    """The host is not fit for a drill, so nothing was done."""


def describe_drilling(top: Commands) -> None:
    """Describe ``drill``."""
    made = top.deed("drill", drill, "lose an empty host for real, and see it recovered")
    made.add_argument("host")
    made.add_argument(
        "--again", default="", metavar="HOST", help="its name again: it is powered off"
    )
    made.add_argument("--dry-run", action="store_true", help="tell whether it is fit for it")


@dataclass(kw_only=True)
class _Protocol:
    """What was done, and when."""

    began_s: float = field(default_factory=time.monotonic)
    rows: list[dict[str, str | float]] = field(default_factory=list[dict[str, str | float]])

    def note(
        self, step: str, told: str, *, passed: bool = True, at_s: float | None = None
    ) -> None:
        """Add a line; the time is counted from the loss, now unless it is known."""
        after_s = time.monotonic() - self.began_s if at_s is None else at_s
        result = "passed" if passed else "FAILED"
        self.rows.append(
            {"step": step, "result": result, "after_s": round(after_s, 1), "told": told}
        )

    def table(self) -> Table:
        """Return all lines."""
        return Table(columns=_COLUMNS, rows=self.rows, empty="nothing was done")


def drill(call: Call) -> Table:
    """Lose one empty host and follow it until it works again.

    Raises:
        DrillRefusedError: if it is not fit for it; nothing was done then.
        FoundWantingError: if a step did not come in time; the host is powered on all the same.
    """
    name = call.arguments.host
    survey = guarding.survey(call)
    if name not in survey.hosts:
        raise InputError(f"{name} is not enrolled; see instance-ha host list")
    host, mover = survey.hosts[name], NovaMover(call.cloud)
    problems = list(_problems(call, host, mover=mover))
    if call.arguments.dry_run:
        return _rehearse(host, problems)
    if problems:
        raise DrillRefusedError(f"{name} is left alone: {'; '.join(problems)}")
    if call.arguments.again != name:
        raise InputError(
            f"{name} would be powered off; give its name again to say that you mean it: "
            f"instance-ha drill {name} --again {name}"
        )
    mover.cordon(name, reason=f"{OURS}drill by {call.author}")
    if mover.servers(name):
        mover.release(name)
        raise DrillRefusedError(f"{name} was given a server meanwhile; try another host")
    return _run(call, host, mover=mover)


def _problems(call: Call, host: Host, *, mover: NovaMover) -> Iterator[str]:
    """Tell everything that speaks against it."""
    name, service = host.name, host.service
    if call.conf.instance_ha_fencing.mode != "maas":
        yield "fencing is none by choice, so its power cannot be cut"
    elif (power := _fencer(call, host).check(name)) != _ON:
        yield f"its power is {power}, not {_ON}; see instance-ha fence check {name}"
    if service is None or not (service.up and service.enabled):
        yield "nova does not have it up and enabled; see openstack compute service list"
    if host.reserved:
        yield "it is a reserved host; take another one"
    if name in call.store.unclosed():
        yield f"it has an incident already; see instance-ha incident show --host {name}"
    if servers := mover.servers(name):
        yield f"{len(servers)} servers are on it; migrate them first"
    hold = guards.preview(guarding.survey(call), host=host, policy=assembly.policy(call.conf))
    if hold is not None:
        yield f"guard {hold.guard} would hold it: {hold.reason}"


def _rehearse(host: Host, problems: list[str]) -> Table:
    notes = _Protocol()
    for problem in problems:
        notes.note("fit for a drill", problem, passed=False)
    if not problems:
        notes.note("fit for a drill", f"{host.name} is empty, well and can be fenced")
    if problems:
        raise FoundWantingError(f"{host.name} is not fit: {problems[0]}", answer=notes.table())
    return notes.table()


def _run(call: Call, host: Host, *, mover: NovaMover) -> Table:
    notes = _Protocol()
    try:
        proof = _fencer(call, host).fence(host.name)
    except InstanceHaError:
        mover.release(host.name)
        raise
    notes.note("power cut", f"{proof.method} says {proof.answer}")
    incident = _follow_recovery(call, host, notes=notes)
    _power_on(call, proof, notes=notes)
    if incident is None:
        mover.release(host.name)
    else:
        _follow_return(call, incident, notes=notes)
    failed = [row for row in notes.rows if row["result"] != "passed"]
    if failed:
        raise FoundWantingError(
            f"the drill on {host.name} failed at {failed[0]['step']}: {failed[0]['told']}",
            answer=notes.table(),
        )
    return notes.table()


def _follow_recovery(call: Call, host: Host, *, notes: _Protocol) -> Incident | None:
    """Wait until the loss is noticed and its recovery over; None if nobody noticed it."""
    name = host.name
    if not _until(lambda: name in call.store.unclosed(), within_s=NOTICED_WITHIN_S):
        told = "no controller opened an incident; see instance-ha readiness"
        notes.note("noticed", told, passed=False)
        return None
    incident = call.store.unclosed()[name]
    notes.note("noticed", f"incident {incident.id}")
    over = _until(lambda: _state(call, incident) in _OVER, within_s=RECOVERED_WITHIN_S)
    took = experience.times(incident, call.store.events(incident))
    show = f"instance-ha incident show {incident.id}"
    noticed_s = float(notes.rows[-1]["after_s"])
    if took.proof_s is None:
        notes.note("fenced", f"no proof; see {show}", passed=False)
    else:
        notes.note("fenced", "proven off", at_s=noticed_s + took.proof_s)
    told = "the recovery is over" if over else f"it is not; see {show}"
    notes.note("recovered", told, passed=over)
    return incident


def _power_on(call: Call, proof: FenceProof, *, notes: _Protocol) -> None:
    try:
        fencing.power_on(call.conf, proof, clock=SystemClock(), by=call.author)
    except InstanceHaError as error:
        notes.note("power on", f"{error}; switch it on by hand", passed=False)
    else:
        notes.note("power on", "ordered")


def _follow_return(call: Call, incident: Incident, *, notes: _Protocol) -> None:
    want_back(call, incident)
    back = _until(lambda: _state(call, incident) is IncidentState.CLOSED, within_s=BACK_WITHIN_S)
    told = "back at work" if back else f"see instance-ha incident show {incident.id}"
    notes.note("returned", told, passed=back)


def _state(call: Call, incident: Incident) -> IncidentState:
    now = call.store.incident(incident.id)
    return incident.state if now is None else now.state


def _until(condition: Callable[[], bool], *, within_s: float) -> bool:
    deadline_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(LOOK_S)
    return True


def _fencer(call: Call, host: Host) -> Fencer:
    return fencing.build(call.conf, clock=SystemClock(), by=call.author, segment=host.segment.name)
