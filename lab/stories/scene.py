# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A story's stage: the running lab, what happened so far, and what must be true at the end.

Facts come from where they cannot be ours: Nova's log says when it was asked to evacuate, MAAS' log
what it was asked, Ceph's log who wrote. The product's own incident only explains.
"""

import datetime
import time
from collections.abc import Callable, Sequence
from typing import Any

import jubilant

from lab import compute, consul, deployment, host, juju, maas, network, oracle, servers
from lab.errors import LabError
from lab.host import Host
from lab.openstack import current_profile, novalog
from lab.oracle import Finding, Verdict
from lab.process import wait_until
from lab.servers import Server

from .chronicle import Chronicle, Line

SERVERS = 2
"""Guests per story: two show that both are moved, and leave the processors to the daemons."""


class StoryFailedError(LabError):
    """Something that must be true was not."""


class Scene:
    """One story being played; its timeline grows with it."""

    def __init__(self, *, say: Callable[[str], None]) -> None:
        self.juju: jubilant.Juju = juju.client()
        self.chronicle = Chronicle()
        self.has_guests = current_profile() == "full"
        """Whether servers are real machines that write, and not Nova's fake driver's."""
        self._say = say
        self._began = datetime.datetime.now(tz=datetime.UTC)
        self._places: dict[str, list[Host]] = {}
        self._before = {incident["id"] for incident in self._incidents()}

    # What the story does

    def boot_servers(self, on: Host, *, count: int = SERVERS) -> Sequence[Server]:
        """Boot guests on one host and wait until each of them writes and acknowledges."""
        self._say(f"{count} servers boot on {on.name}")
        made = servers.boot(count, on=on)
        if self.has_guests:
            for server in made:
                servers.wait_first_write(server.id, on=on)
        words = "write" if self.has_guests else "are active"
        self.chronicle.tell(time.time(), "ready", f"{count} servers {words} on {on.name}")
        return made

    def fault(self, text: str) -> None:
        """Mark the moment from which the seconds count."""
        self._say(text)
        self.chronicle.zero_s = time.time()
        self.chronicle.tell(self.chronicle.zero_s, "fault", text)

    def note(self, kind: str, text: str) -> None:
        """Tell of something that the story itself did or saw."""
        self._say(text)
        self.chronicle.tell(time.time(), kind, text)

    # What it waits for

    def wait_incident(self, on: Host, *, state: str, within_s: float) -> dict[str, Any]:
        """Wait until the host's incident of this story is in *state*, and return it."""
        self._say(f"the incident of {on.name} is awaited: {state}")

        def reached() -> dict[str, Any] | None:
            found = self.incident(on)
            return found if found and found["state"] == state else None

        return wait_until(
            reached, within_s=within_s, what=f"{on.name}'s incident to be {state}", every_s=1.0
        )

    def wait_elsewhere(self, moved: Sequence[Server], *, lost: Host) -> None:
        """Wait until each server is ACTIVE on another host, and its guest writes there."""
        self._wait_active(moved, where=f"not on {lost.name}", fits=lambda now: now != lost.name)

    def wait_on(self, back: Host, moved: Sequence[Server]) -> None:
        """Wait until each server is ACTIVE on this host, and its guest writes there."""
        self._wait_active(moved, where=f"on {back.name}", fits=lambda now: now == back.name)

    def _wait_active(
        self, moved: Sequence[Server], *, where: str, fits: Callable[[str], bool]
    ) -> None:
        def arrived(server: Server) -> Server | None:
            now = servers.server(server.id)
            return now if now.status == "ACTIVE" and fits(now.host) else None

        for server in moved:
            now = wait_until(
                lambda server=server: arrived(server),
                within_s=180,
                what=f"{server.name} to be ACTIVE, {where}",
                every_s=0.5,
            )
            places = self._places.setdefault(server.id, [host.host(server.host)])
            places.append(host.host(now.host))
        if self.has_guests:
            for server in moved:
                self.wait_writing(server)

    def wait_writing(self, server: Server) -> Host:
        """Wait until the guest acknowledges a write where it is now; return where that is."""
        where = host.host(servers.server(server.id).host)
        servers.wait_first_write(server.id, on=where)
        return where

    # What is true

    def incident(self, on: Host) -> dict[str, Any] | None:
        """Return the newest incident of the host within this story, or None."""
        found = [i for i in self._incidents() if i["host"] == on.name]
        newest = max(found, key=lambda i: i["id"], default=None)
        return None if newest is None or newest["id"] in self._before else newest

    def evacuations(self) -> Sequence[novalog.EvacuateCall]:
        """Return the evacuate calls of this story as Nova's API logged them."""
        return novalog.evacuate_calls(since=self._began)

    def notifications(self, of: Host) -> int:
        """Return how many notifications of the host Masakari took within this story."""
        listed = deployment.instance_ha(self.juju, "notification", "list")
        began = self._began.replace(tzinfo=None).isoformat(timespec="seconds")
        return sum(one["host"] == of.name and one["generated"] >= began for one in listed)

    def power_orders(self, of: Host) -> Sequence[dict[str, Any]]:
        """Return the power-off orders for the host within this story, as MAAS logged them."""
        return [
            request
            for request in maas.requests()
            if request["time"] >= self._began.timestamp()
            and request["machine"] == of.name
            and "power_off" in request["path"]
        ]

    def check(self, rule: str, holds: bool) -> None:
        """Write down that a rule holds, or end the story with what was broken."""
        if not holds:
            raise StoryFailedError(f"broken: {rule}\n{self.chronicle.render()}")
        self.chronicle.tell(time.time(), "check", rule)

    def check_moved_once(self, moved: Sequence[Server], *, lost: Host) -> None:
        """Check that each server was moved once after the proof, by Nova's own migrations.

        A call that a dying service lost may be made again; it moves nothing a second time.
        """
        shown = deployment.instance_ha(self.juju, "incident", "show", "--host", lost.name)
        self.explain(shown)
        proof_s = min(proof["confirmed_at_s"] for proof in shown["proofs"])
        calls = self.evacuations()
        self.check(
            "the first evacuate call in Nova's log is after the proof",
            bool(calls) and min(call.at.timestamp() for call in calls) > proof_s,
        )
        found = {server.name: servers.evacuations(server.id) for server in moved}
        self.check(
            f"each server was evacuated exactly once: {found}",
            all(statuses.count("done") == 1 for statuses in found.values()),
        )

    def check_fenced_recovery(self, moved: Sequence[Server], *, lost: Host) -> None:
        """Check what is promised of every recovery: proof first, each server once, one writer."""
        shown = deployment.instance_ha(self.juju, "incident", "show", "--host", lost.name)
        self.explain(shown)
        proof_s = min(proof["confirmed_at_s"] for proof in shown["proofs"])
        calls = self.evacuations()
        for call in calls:
            name = next((s.name for s in moved if s.id == call.server), call.server)
            self.chronicle.tell(call.at.timestamp(), "nova", f"was asked to evacuate {name}")
        self.check(
            "the first evacuate call in Nova's log is after the proof",
            bool(calls) and min(call.at.timestamp() for call in calls) > proof_s,
        )
        self.check(
            "each server was evacuated exactly once",
            sorted(call.server for call in calls) == sorted(server.id for server in moved),
        )

    def check_one_writer(self, written: Sequence[Server]) -> None:
        """Check Ceph's log of accepted writes, and the records that guests acknowledged."""
        if self.has_guests:
            findings = self._examine(written)
            sound = all(finding.sound for finding in findings)
            self.check("one writer after the other, no acknowledged record lost", sound)

    def check_two_writers(self, written: Sequence[Server]) -> None:
        """Check that the oracle sees what fencing prevents."""
        found = {finding.verdict for finding in self._examine(written)}
        self.check("the oracle sees two writers", Verdict.TWO_WRITERS in found)

    def _examine(self, written: Sequence[Server]) -> list[Finding]:
        findings: list[Finding] = []
        for server in written:
            places = self._places.get(server.id, [host.host(server.host)])
            finding = oracle.examine(server.id, ran_on=places, moves=len(places) - 1)
            for run in finding.runs[1 : len(places)]:
                text = f"{server.name}: first write accepted from {_named(run.address)}"
                self.chronicle.tell(run.first.timestamp(), "writes", text)
            self.chronicle.tell(time.time(), "oracle", f"{server.name}: {_summary(finding)}")
            findings.append(finding)
        return findings

    def explain(self, shown: dict[str, Any]) -> None:
        """Add the product's own events to the timeline."""
        self.chronicle.extend(
            Line(at_s=event["at_s"], kind=event["kind"], text=f"{shown['host']}: {event['text']}")
            for event in shown["events"]
        )

    # How it ends

    def restore(self, hosts: Sequence[Host]) -> None:
        """Bring every host, cable and power controller back, and delete the servers."""
        self._say("everything is healed")
        maas.clear()
        network.heal_all()
        for each in hosts:
            if not host.is_on(each):
                host.boot(each)
        consul.ensure_up(hosts)
        wait_until(self._is_over, within_s=240, what="every incident to be closed", every_s=1.0)
        compute.wait_up(hosts)
        servers.delete_all()

    def _is_over(self) -> bool:
        """Tell whether every incident is closed; do what an operator is asked for, if one is not.

        These hosts have no return guard, which would start nova-compute again by itself.
        """
        left = [one for one in self._incidents() if one["state"] != "closed"]
        for one in left:
            if "its nova-compute has to settle" in one["reason"]:
                self._say(f"{one['host']} {one['reason']}: restarted")
                compute.restart(host.host(one["host"]))
        return not left

    def _incidents(self) -> list[dict[str, Any]]:
        return deployment.instance_ha(self.juju, "incident", "list")


def _named(address: str) -> str:
    """Return the host that has this address on the storage network."""
    found = [each.name for each in host.known() if each.address(network.STORAGE) == address]
    return found[0] if found else address


def _summary(finding: Finding) -> str:
    """Return who wrote how often, in turn, and whether what was acknowledged is there."""
    turns = [f"{_named(run.address)} wrote {run.count}" for run in finding.runs]
    told = ", then ".join(turns[:4]) + (f", {len(turns) - 4} more turns" if turns[4:] else "")
    lost = sum(len(numbers) for numbers in finding.lost.values())
    kept = (
        f"{lost} of {finding.acknowledged} acknowledged records lost"
        if lost
        else (f"{finding.acknowledged} acknowledged records, none lost")
    )
    return f"{finding.verdict}: {told}; {kept}"
