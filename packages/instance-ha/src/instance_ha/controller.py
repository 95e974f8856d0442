# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The one control loop: every tick it compares what is seen with what is known, and takes a step.

Observe, settle, judge; then, where the lease is ours, compare with Masakari, Nova and the store,
and take the next step of each host. Nothing that matters is kept in memory: after a restart the
same comparison leads on.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from typing import TYPE_CHECKING

from instance_ha import before, guards, steps
from instance_ha.complaints import Complaints
from instance_ha.debounce import Tracker
from instance_ha.errors import (
    CloudUnreachableError,
    LeaseOverError,
    NotificationRefusedError,
    NotYetError,
    StoreUnreachableError,
)
from instance_ha.model import (
    Action,
    Event,
    Incident,
    IncidentState,
    NotificationStatus,
    Reach,
    Verdict,
)
from instance_ha.past import VOIDED, Past, Recollection, recall
from instance_ha.pulse import Pulse
from instance_ha.rota import Rota
from instance_ha.rulebook import Rulebook
from instance_ha.steps import Act, Case, Step
from instance_ha.survey import Survey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from instance_ha.guards import MassLoss
    from instance_ha.model import FenceProof, Host
    from instance_ha.policy import Policy
    from instance_ha.ports import (
        Clock,
        Cloud,
        Duty,
        Journal,
        KernelDumps,
        Lease,
        MatrixShelf,
        Observer,
        Proofs,
    )

logger = logging.getLogger(__name__)

_STORM_NOTES = 10
"""How often a storm that lasts is written down within the calm that must follow it."""


class Controller:
    """Notify Masakari of the hosts that are lost, see their recovery through, put them back."""

    def __init__(  # noqa: PLR0913 - one for each port
        self,
        *,
        clock: Clock,
        observer: Observer,
        cloud: Cloud,
        journal: Journal,
        lease: Lease,
        policy: Policy,
        actor: str,
        duties: Iterable[Duty] = (),
        shelf: MatrixShelf | None = None,
        dumps: KernelDumps | None = None,
        proofs: Proofs | None = None,
    ) -> None:
        self._clock = clock
        self._observer = observer
        self._cloud = cloud
        self._journal = journal
        self._lease = lease
        self._policy = policy
        self._actor = actor
        self._rota = Rota(duties)
        self._rulebook = Rulebook(policy.matrix, shelf=shelf, cloud=cloud)
        self._dumps = dumps
        self._proofs = proofs
        self._tracker = Tracker(policy.patience)
        self._well_since: dict[str, float] = {}
        self._active: bool | None = None
        self._complaints = Complaints()
        self._pulse = Pulse()
        self._recollection = Recollection(journal.events)
        self._leased_until_s = float("-inf")

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Tick until *should_stop* says so, then let another controller take over at once."""
        try:
            while not should_stop():
                began_s = self._clock.now_s()
                self.tick()
                spent_s = self._clock.now_s() - began_s
                self._clock.sleep(max(0.0, self._policy.tick_s - spent_s))
        finally:
            with contextlib.suppress(StoreUnreachableError):
                self._lease.give_up()

    def tick(self) -> None:
        """Make one pass; what cannot be reached is said once, and tried again in the next pass."""
        now_s = self._clock.now_s()
        verdicts = self._judge(now_s)
        try:
            if self._holds_lease():
                self._act(verdicts, now_s=now_s)
                self._attend(verdicts, now_s=now_s)
        except LeaseOverError:
            logger.warning("%s stops this pass: it took longer than its lease", self._actor)
        except (CloudUnreachableError, StoreUnreachableError) as error:
            self._complaints.say("pass", f"nothing is decided now: {error}")
        else:
            self._complaints.say("pass", "")

    def _judge(self, now_s: float) -> dict[str, Verdict]:
        """Return what is to be done about each host that anybody speaks of."""
        settled = self._tracker.update(now_s, self._observer.observe())
        self._rulebook.read(now_s)
        verdicts = {
            host: self._rulebook.judge(host, reach=reach) for host, reach in settled.items()
        }
        self._well_since = {
            host: self._well_since.get(host, now_s)
            for host, verdict in verdicts.items()
            if verdict.well and self._tracker.is_steady(host)
        }
        return verdicts

    def _holds_lease(self) -> bool:
        began_s = self._clock.now_s()
        active = self._lease.take(ttl_s=self._policy.lease_ttl_s)
        self._leased_until_s = began_s + self._policy.lease_ttl_s
        if active is not self._active:
            logger.info("%s %s", self._actor, "acts" if active else "stands by: another one acts")
            self._active = active
        return active

    def _demand_lease(self) -> None:
        """Raise if the lease may be another controller's by now."""
        if self._clock.now_s() >= self._leased_until_s:
            raise LeaseOverError(self._actor)

    def _act(self, verdicts: Mapping[str, Verdict], *, now_s: float) -> None:
        """Take the next step of every host that is lost or has an unclosed incident."""
        incidents = self._journal.unclosed()
        lost = {host for host, verdict in verdicts.items() if verdict.action is Action.RECOVERY}
        concerned = lost | set(incidents)
        self._complaints.of_the_spared(verdicts, concerned=concerned)
        if not concerned:
            return
        survey = self._survey(verdicts, incidents=incidents, now_s=now_s)
        mass = guards.weigh(survey, mass_window_s=self._policy.mass_window_s)
        self._note_storms(survey, mass=mass)
        for name in sorted(concerned):
            self._demand_lease()
            try:
                step = self._look_at(name, survey=survey, mass=mass)
                if step is not None and step.act is Act.NOTIFY:
                    survey = survey.after_notifying(name)
            except CloudUnreachableError as error:
                self._complaints.say(name, f"its next step waits: {error}")

    def _note_storms(self, survey: Survey, *, mass: MassLoss) -> None:
        """Keep which scopes lose too many hosts at once, for the calm that must follow."""
        if not self._policy.storm_cooldown_s:
            return
        for scope in map(str, mass.storms(policy=self._policy)):
            last_s = survey.rulings.storms.get(scope, float("-inf"))
            if survey.now_s - last_s >= self._policy.storm_cooldown_s / _STORM_NOTES:
                self._journal.note_storm(scope, at_s=survey.now_s)

    def _attend(self, verdicts: Mapping[str, Verdict], *, now_s: float) -> None:
        """Attend to the duties that are due; what keeps one waiting keeps no other."""
        duties = self._rota.due(now_s)
        if not duties:
            return
        survey = self._survey(verdicts, incidents=self._journal.unclosed(), now_s=now_s)
        for duty in duties:
            self._demand_lease()
            self._rota.attended(duty, now_s=now_s)
            try:
                duty.attend(survey)
            except (CloudUnreachableError, StoreUnreachableError) as error:
                self._complaints.say(f"the duty {duty.name}", f"waits: {error}")
            else:
                self._complaints.say(f"the duty {duty.name}", "")

    def _survey(
        self, verdicts: Mapping[str, Verdict], *, incidents: Mapping[str, Incident], now_s: float
    ) -> Survey:
        """Read what else a pass goes by."""
        return Survey(
            now_s=now_s,
            verdicts=verdicts,
            hosts={host.name: host for host in self._cloud.hosts()},
            notifications=self._cloud.notifications(),
            incidents=incidents,
            rulings=self._journal.rulings(),
            health=self._cloud.health(),
            dumps={} if self._dumps is None else self._dumps.heard(),
            proofs=None if self._proofs is None else self._proofs.proofs(),
        )

    def _look_at(self, name: str, *, survey: Survey, mass: MassLoss) -> Step | None:
        """Open an incident of the host if it is newly lost; return the step that was taken."""
        incident = survey.incidents.get(name)
        host = survey.hosts.get(name)
        if incident is None and host is None:
            self._complaints.say(
                name,
                "it is lost, and masakari does not have it enrolled, so it is not recovered; "
                f"enrol it: instance-ha host add SEGMENT {name}",
            )
            return None
        if incident is None:
            incident = self._open(survey.verdicts[name], host=survey.hosts[name], survey=survey)
        step = steps.next_step(
            self._case(incident, host=host, survey=survey, mass=mass), policy=self._policy
        )
        if step is not None:
            if step.act is Act.NOTIFY:
                self._record_before(incident, survey.hosts[name])
                if survey.proofs is not None:
                    self._record_proof(incident, survey.proofs[name])
            step = self._take(step, incident=incident, host=host)
        self._complaints.say(name, "")
        return step

    def _open(self, verdict: Verdict, *, host: Host, survey: Survey) -> Incident:
        """Begin an incident, with the evidence that led to it."""
        incident = self._journal.open(
            verdict.host,
            segment=host.segment.name,
            at_s=survey.lost_at_s(verdict.host),
            reason=verdict.reason,
        )
        for network, reach in verdict.reach.items():
            since_s = self._tracker.since_s(verdict.host, network)
            if reach is Reach.DOWN and since_s is not None:
                text = f"{network} network down"
                self._record(incident, kind="evidence", text=text, at_s=since_s)
        self._record(incident, kind="verdict", text=f"{verdict.action}  {verdict.reason}")
        self._record_before(incident, host)
        return incident

    def _record_before(self, incident: Incident, host: Host) -> None:
        """Write down, once, what the recovery overwrites of the host."""
        told = before.of_host(host, policy=self._policy)
        if told and not any(e.kind == before.KIND for e in self._journal.events(incident)):
            self._record(incident, kind=before.KIND, text=told.text, detail=told.detail)

    def _record_proof(self, incident: Incident, proof: FenceProof) -> None:
        """Write down, once, what a notification stands on."""
        told_s = {event.at_s for event in self._journal.events(incident) if event.kind == "proof"}
        if proof.confirmed_at_s not in told_s:
            text = f"{proof.answer}, confirmed by {proof.method}: {proof.by}"
            self._record(incident, kind="proof", text=text, at_s=proof.confirmed_at_s)

    def _case(
        self, incident: Incident, *, host: Host | None, survey: Survey, mass: MassLoss
    ) -> Case:
        """Gather what the next step of one host depends on; ask only for what matters."""
        name = incident.host
        newest = survey.notifications.get(name)
        verdict = survey.verdicts.get(name)
        if verdict is None:
            verdict = self._rulebook.judge(name, reach={})
        held = None
        if host is not None and verdict.action is Action.RECOVERY:
            held = guards.hold(survey, host=host, mass=mass, policy=self._policy)
        past = Past()
        if verdict.alive and incident.notification is not None:
            past = self._recollection.past(incident, now_s=survey.now_s)
        last_beat_s = None
        recovering = incident.state is IncidentState.RECOVERING
        if recovering and newest is not None and newest.status is NotificationStatus.RUNNING:
            last_beat_s = self._pulse.last_s(
                newest,
                last_beat_s=self._journal.last_beat_s(newest.uuid),
                now_s=survey.now_s,
            )
        case = Case(
            now_s=survey.now_s,
            incident=incident,
            verdict=verdict,
            host=host,
            notification=newest,
            hold=held,
            well_since_s=self._well_since.get(name),
            last_beat_s=last_beat_s,
            approved=incident.id in survey.rulings.approved,
            past=past,
        )
        if steps.asks_for_servers(case):
            return dataclasses.replace(case, servers_left=self._cloud.servers_on(name))
        return case

    def _take(self, step: Step, *, incident: Incident, host: Host | None) -> Step:
        """Do what the step asks for, then write down what changed by it."""
        try:
            notification = self._do(step, incident=incident, host=host)
        except NotificationRefusedError as error:
            step = Step(
                state=IncidentState.HELD,
                kind="guard",
                reason=f"held by masakari: {error.reason}; looked at again every tick",
            )
            notification = None
        except NotYetError as error:
            step = Step(state=incident.state, kind="return", reason=f"waits: {error}")
            notification = None
        same = (step.state, step.reason) == (incident.state, incident.reason)
        if same or step.act is Act.VOID:
            return step
        moved = self._journal.move(
            incident,
            step.state,
            at_s=self._clock.now_s(),
            reason=step.reason,
            notification=notification,
        )
        detail = {} if notification is None else {"notification": notification}
        text = f"{step.reason} ({step.ends})" if step.ends else step.reason
        self._record(moved, kind=step.kind, text=text, detail=detail)
        return step

    def _do(self, step: Step, *, incident: Incident, host: Host | None) -> str | None:
        """Act on the world; return the notification that the incident has from now on, if new."""
        if step.act is not Act.NOTHING:
            self._demand_lease()
        match step.act:
            case Act.NOTIFY:
                return self._cloud.notify(incident.host, at_s=self._clock.now_s()).uuid
            case Act.VOID if incident.notification is not None:
                self._void(incident, notification=incident.notification, why=step.reason)
            case Act.RELEASE if incident.notification is not None:
                self._cloud.release_orphan(incident.notification)
            case Act.END_MAINTENANCE if host is not None:
                self._cloud.end_maintenance(host)
            case Act.RETURN if host is not None:
                self._cloud.return_to_service(host, role=step.role, reason=step.disabled_for)
            case Act.OPEN_STORAGE:
                self._cloud.open_storage(incident.host)
            case _:
                pass
        return step.notification

    def _void(self, incident: Incident, *, notification: str, why: str) -> None:
        """Write down, once, that no engine is to act upon the notification any more.

        The timeline is read anew: what is remembered of it may be from before a proof.
        """
        past = recall(self._journal.events(incident))
        if past.settled_at_s is None and notification not in past.voided:
            self._record(incident, kind="notification", text=why, detail={VOIDED: notification})

    def _record(
        self,
        incident: Incident,
        *,
        kind: str,
        text: str,
        at_s: float | None = None,
        detail: Mapping[str, str] | None = None,
    ) -> None:
        when_s = self._clock.now_s() if at_s is None else at_s
        event = Event(at_s=when_s, actor=self._actor, kind=kind, text=text, detail=detail or {})
        self._journal.record(incident, event)
        logger.info("%s %s: %s", incident.host, kind, text)
