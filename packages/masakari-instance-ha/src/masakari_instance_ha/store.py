# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The store: what must outlive a process, in MySQL or SQLite.

Engines and controllers write the same incident at the same time; what must be unique is made so
by the database, never by reading first.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from typing import TYPE_CHECKING, Any, TypeVar

import alembic.util.exc
import sqlalchemy as sa
from sqlalchemy import exc

from instance_ha.errors import LeaseOverError, StoreUnreachableError
from instance_ha.model import Event, FenceProof, Incident, IncidentState
from masakari_instance_ha import database, migrations, schema
from masakari_instance_ha.board import StoredBoard
from masakari_instance_ha.boots import StoredBoots
from masakari_instance_ha.decisions import StoredDecisions
from masakari_instance_ha.deeds import StoredDeeds
from masakari_instance_ha.figures import StoredFigures
from masakari_instance_ha.purging import Purge
from masakari_instance_ha.restarts import StoredRestarts
from masakari_instance_ha.roll import StoredRoll
from masakari_instance_ha.shelf import StoredShelf

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from instance_ha.model import Rulings

_Result = TypeVar("_Result")
_TRIES = 3  # a connection that the server dropped is found out by the first use
_LOCK_LOST = {1205, 1213}  # MySQL: lock wait timeout, deadlock; both ask for another try


@functools.cache
def connect(url: str) -> Store:
    """Return this process's one store at *url*, so that all its users share one pool."""
    return Store(url)


def migrate(url: str) -> None:
    """Bring the tables at *url* to the newest version.

    Raises:
        StoreUnreachableError: if the database does not answer, or refuses.
    """
    with _translated(sa.make_url(url)):
        migrations.upgrade(url)


class Store:
    """Incidents, proofs, signs of life and leases; implements floor 0's ``Journal``.

    Every method raises ``StoreUnreachableError`` if the database does not answer.
    """

    def __init__(self, url: str) -> None:
        self._url = sa.make_url(url)
        self._engine = database.connect(self._url)
        self.decisions = StoredDecisions(self._run)
        """Pauses and approvals."""

    # The journal of the controller

    def unclosed(self) -> Mapping[str, Incident]:
        """Return host -> its incident that is not closed."""
        query = sa.select(schema.incidents).where(schema.incidents.c.open_host.is_not(None))
        found = self._run(lambda connection: connection.execute(query).all())
        return {row.host: _incident(row) for row in found}

    def open(self, host: str, *, segment: str, at_s: float, reason: str) -> Incident:
        """Return the host's unclosed incident, made now if there was none.

        A row that the database refuses for another reason than its uniqueness is an error too.
        """
        row = {
            "host": host,
            "segment": segment,
            "state": IncidentState.OPEN.value,
            "opened_at_s": at_s,
            "reason": reason,
            "open_host": host,
        }
        if found := self.unclosed().get(host):
            return found
        refusal: exc.IntegrityError | None = None
        for _ in range(_TRIES):
            try:
                self._run(functools.partial(_insert, schema.incidents, row))
            except exc.IntegrityError as error:  # as a rule somebody was faster: read his
                refusal = error
            if found := self.unclosed().get(host):
                return found
        why = str(refusal.orig) if refusal else "it is closed as soon as it is made"
        raise StoreUnreachableError(
            f"{_named(self._url)} keeps no incident of {host}: {why}. "
            "Run `instance-ha check --store`"
        ) from refusal

    def move(
        self,
        incident: Incident,
        state: IncidentState,
        *,
        at_s: float,
        reason: str = "",
        notification: str | None = None,
    ) -> Incident:
        """Set the state of an incident that is still as it was read; return what is stored then.

        Raises:
            LeaseOverError: if another controller has moved it meanwhile.
        """
        table = schema.incidents
        values: dict[str, Any] = {"state": state.value, "reason": reason}
        if notification is not None:
            values["notification"] = notification
        if state is IncidentState.CLOSED:
            values |= {"closed_at_s": at_s, "open_host": None}
        as_it_was = (
            table.c.id == incident.id,
            table.c.state == incident.state.value,
            table.c.notification.is_not_distinct_from(incident.notification),
        )
        change = table.update().where(*as_it_was).values(values)
        if not self._run(lambda connection: connection.execute(change).rowcount):
            raise LeaseOverError(incident.host)
        return self.incident(incident.id) or incident

    def record(self, incident: Incident, event: Event) -> None:
        """Add one line to the incident's timeline."""
        row = dataclasses.asdict(event) | {"incident_id": incident.id, "detail": {**event.detail}}
        self._run(functools.partial(_insert, schema.events, row))

    def last_beat_s(self, notification: str) -> float | None:
        """Return when an engine last said that it works on *notification*; None if never."""
        query = sa.select(schema.beats.c.at_s).where(schema.beats.c.notification == notification)
        return self._run(lambda connection: connection.execute(query).scalar())

    def rulings(self) -> Rulings:
        """Return what people, and storms, have to say about every incident."""
        return self.decisions.rulings()

    def note_storm(self, scope: str, *, at_s: float) -> None:
        """Keep that *scope* loses too many hosts at once now."""
        self.decisions.note_storm(scope, at_s=at_s)

    # What engines write

    def beat(self, notification: str, *, by: str) -> None:
        """Say that *by* works on *notification* now."""
        table = schema.beats
        values = {"beaten_by": by, "at_s": schema.DatabaseNow()}

        known = table.update().where(table.c.notification == notification).values(values)
        if not self._run(lambda connection: connection.execute(known).rowcount):
            first = {"notification": notification, **values}
            with contextlib.suppress(exc.IntegrityError):  # another engine's first beat was faster
                self._run(functools.partial(_insert, schema.beats, first))

    def record_proof(self, incident: Incident, proof: FenceProof) -> None:
        """Keep the proof for good."""
        row = dataclasses.asdict(proof) | {"incident_id": incident.id, "ordered_by": proof.by}
        row.pop("by")
        self._run(functools.partial(_insert, schema.proofs, row))

    def ends_as(self, incident: Incident, first_sight: Mapping[str, str]) -> Mapping[str, str]:
        """Return server -> how it is to end, as the *first* sight within the incident had it.

        A try that failed leaves a server in a state that says nothing of what it was before; so
        the first sight is kept, and later ones are not.

        Args:
            incident: The incident that moves them.
            first_sight: Server -> what its present state asks for; recorded where it is new.
        """
        for server in first_sight.keys() - self._moves(incident).keys():
            row = {"incident_id": incident.id, "server": server, "ends_as": first_sight[server]}
            with contextlib.suppress(exc.IntegrityError):  # recorded meanwhile: that counts
                self._run(functools.partial(_insert, schema.moves, row))
        return self._moves(incident)

    # What people and the command read

    def incident(self, incident_id: int) -> Incident | None:
        """Return one incident, or None if there is none of that number."""
        query = sa.select(schema.incidents).where(schema.incidents.c.id == incident_id)
        row = self._run(lambda connection: connection.execute(query).first())
        return None if row is None else _incident(row)

    def incidents(self, *, host: str | None = None, limit: int = 100) -> Sequence[Incident]:
        """Return the newest incidents first, of one host or of all."""
        query = sa.select(schema.incidents).order_by(schema.incidents.c.id.desc()).limit(limit)
        if host is not None:
            query = query.where(schema.incidents.c.host == host)
        return [_incident(row) for row in self._run(lambda c: c.execute(query).all())]

    def closed(self, *, since_s: float) -> Mapping[str, Incident]:
        """Return host -> its newest incident, where that is closed and was opened since then."""
        table = schema.incidents
        query = sa.select(table).where(table.c.opened_at_s >= since_s).order_by(table.c.id)
        newest = {i.host: i for i in map(_incident, self._run(lambda c: c.execute(query).all()))}
        return {host: i for host, i in newest.items() if i.state is IncidentState.CLOSED}

    def events(self, incident: Incident) -> Sequence[Event]:
        """Return the incident's timeline, oldest line first."""
        table = schema.events
        query = (
            sa.select(table.c.at_s, table.c.actor, table.c.kind, table.c.text, table.c.detail)
            .where(table.c.incident_id == incident.id)
            .order_by(table.c.at_s, table.c.id)
        )
        found = self._run(lambda connection: connection.execute(query).mappings().all())
        return [Event(**row) for row in found]

    def proofs(self, incident: Incident) -> Sequence[FenceProof]:
        """Return the incident's proofs, oldest first."""
        table = schema.proofs
        query = sa.select(table).where(table.c.incident_id == incident.id).order_by(table.c.id)
        return [_proof(row) for row in self._run(lambda c: c.execute(query).all())]

    def lease(self, name: str, *, holder: str) -> StoredLease:
        """Return the lease *name* as *holder* sees it; nothing is taken yet."""
        return StoredLease(self._run, name=name, holder=holder)

    def roll(self) -> StoredRoll:
        """Return the names that were enrolled by rule."""
        return StoredRoll(self._run)

    def board(self) -> StoredBoard:
        """Return what operators should know of."""
        return StoredBoard(self._run)

    def boots(self) -> StoredBoots:
        """Return the boots that the hosts were last known to run."""
        return StoredBoots(self._run)

    def shelf(self) -> StoredShelf:
        """Return the operators' matrices."""
        return StoredShelf(self._run)

    @property
    def restarts(self) -> StoredRestarts:
        """Return what was done about single servers whose process died."""
        return StoredRestarts(self._run)

    @property
    def deeds(self) -> StoredDeeds:
        """Return what people changed with the command."""
        return StoredDeeds(self._run)

    @property
    def figures(self) -> StoredFigures:
        """Return what a Prometheus asks for."""
        return StoredFigures(self._run)

    def version(self) -> str | None:
        """Return the version of the tables; None where there are none."""
        table = sa.table(migrations.VERSION_TABLE, sa.column("version_num"))

        def read(connection: sa.Connection) -> str | None:
            if not sa.inspect(connection).has_table(migrations.VERSION_TABLE):
                return None
            return connection.execute(sa.select(table.c.version_num)).scalar()

        return self._run(read)

    @property
    def purge(self) -> Purge:
        """Return what is old, and how it goes."""
        return Purge(self._run)

    # Within

    def _moves(self, incident: Incident) -> Mapping[str, str]:
        table = schema.moves
        query = sa.select(table.c.server, table.c.ends_as).where(
            table.c.incident_id == incident.id
        )
        return {row.server: row.ends_as for row in self._run(lambda c: c.execute(query).all())}

    def _run(self, work: Callable[[sa.Connection], _Result]) -> _Result:
        """Run *work* in a transaction of its own, again if the connection was lost."""
        with _translated(self._url):
            for _ in range(_TRIES - 1):
                try:
                    return self._once(work)
                except exc.DBAPIError as error:
                    if not _may_be_tried_again(error):
                        raise
            return self._once(work)

    def _once(self, work: Callable[[sa.Connection], _Result]) -> _Result:
        with self._engine.begin() as connection:
            return work(connection)


class StoredLease:
    """A row that is taken and renewed by compare-and-swap on the database's clock."""

    def __init__(
        self, run: Callable[[Callable[[sa.Connection], Any]], Any], *, name: str, holder: str
    ) -> None:
        self._run = run
        self._name = name
        self._holder = holder

    def take(self, *, ttl_s: float) -> bool:
        """Take or renew the lease; return whether it is ours until *ttl_s* from now."""
        table, now = schema.leases, schema.DatabaseNow()
        mine = {"holder": self._holder, "until_s": now + ttl_s}
        # Strictly smaller: the clock shows whole seconds, and a lease may last longer, never less.
        free = sa.or_(table.c.holder == self._holder, table.c.until_s < now)
        swap = table.update().where(table.c.name == self._name, free).values(mine)
        if self._run(lambda connection: connection.execute(swap).rowcount):
            return True
        known = sa.select(table.c.name).where(table.c.name == self._name)
        if self._run(lambda connection: connection.execute(known).first()) is not None:
            return False
        # Not in the transaction of the swap: that one locks the gap in which the row is missing,
        # and two who both hold the gap would wait for one another.
        try:
            self._run(functools.partial(_insert, table, {"name": self._name, **mine}))
        except exc.IntegrityError:  # two found no row; the other one's came first
            return False
        return True

    def give_up(self) -> None:
        """Let others have it at once; nothing happens if it was not ours."""
        table = schema.leases
        ours = sa.and_(table.c.name == self._name, table.c.holder == self._holder)
        free = table.update().where(ours).values(until_s=0)
        self._run(lambda connection: connection.execute(free).rowcount)


def _insert(table: sa.Table, row: Mapping[str, Any], connection: sa.Connection) -> None:
    connection.execute(table.insert().values(row))


def _may_be_tried_again(error: exc.DBAPIError) -> bool:
    """Tell whether nothing is wrong with the work: the connection or a lock was lost."""
    code = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return error.connection_invalidated or code in _LOCK_LOST


@contextlib.contextmanager
def _translated(url: sa.URL) -> Generator[None]:
    """Say in our words that the database failed; a broken uniqueness passes as it is."""
    where = _named(url)
    try:
        yield
    except exc.IntegrityError:
        raise
    except exc.ProgrammingError as error:
        message = f"{where} has other tables: {error.orig}. Run `instance-ha db-sync`"
        raise StoreUnreachableError(message) from error
    except exc.DBAPIError as error:
        message = f"{where} does not answer: {error.orig}. Run `instance-ha check --store`"
        raise StoreUnreachableError(message) from error
    except (exc.TimeoutError, alembic.util.exc.CommandError) as error:
        message = f"{where} cannot be used: {error}. Run `instance-ha check --store`"
        raise StoreUnreachableError(message) from error


def _named(url: sa.URL) -> str:
    return f"the store at {url.host or url.database}"


def _incident(row: sa.Row[Any]) -> Incident:
    return Incident(
        id=row.id,
        host=row.host,
        segment=row.segment,
        state=IncidentState(row.state),
        opened_at_s=row.opened_at_s,
        closed_at_s=row.closed_at_s,
        notification=row.notification,
        reason=row.reason,
    )


def _proof(row: sa.Row[Any]) -> FenceProof:
    return FenceProof(
        host=row.host,
        method=row.method,
        target=row.target,
        answer=row.answer,
        ordered_at_s=row.ordered_at_s,
        confirmed_at_s=row.confirmed_at_s,
        by=row.ordered_by,
    )
