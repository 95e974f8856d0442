# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Libvirt; the only module that imports it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from xml.etree import ElementTree

import libvirt
import libvirt_qemu

from hypervisor_instance_ha.errors import LibvirtError
from hypervisor_instance_ha.hypervisor import Ending, Guest

logger = logging.getLogger(__name__)

NOVA = "http://openstack.org/xmlns/libvirt/nova/"
"""Nova's mark in a domain's metadata; its version follows."""

_ALIVE = (libvirt.VIR_CONNECT_LIST_DOMAINS_RUNNING, libvirt.VIR_CONNECT_LIST_DOMAINS_PAUSED)
_SHUTOFF = {
    libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN: Ending.BY_ITSELF,
    libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED: Ending.WANTED,
    libvirt.VIR_DOMAIN_SHUTOFF_CRASHED: Ending.CRASHED,
    libvirt.VIR_DOMAIN_SHUTOFF_MIGRATED: Ending.WANTED,
    libvirt.VIR_DOMAIN_SHUTOFF_SAVED: Ending.WANTED,
    libvirt.VIR_DOMAIN_SHUTOFF_FAILED: Ending.CRASHED,
    libvirt.VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT: Ending.WANTED,
    libvirt.VIR_DOMAIN_SHUTOFF_DAEMON: Ending.CRASHED,
}
_STOPPED = {
    libvirt.VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN: Ending.BY_ITSELF,
    libvirt.VIR_DOMAIN_EVENT_STOPPED_DESTROYED: Ending.WANTED,
    libvirt.VIR_DOMAIN_EVENT_STOPPED_CRASHED: Ending.CRASHED,
    libvirt.VIR_DOMAIN_EVENT_STOPPED_MIGRATED: Ending.WANTED,
    libvirt.VIR_DOMAIN_EVENT_STOPPED_SAVED: Ending.WANTED,
    libvirt.VIR_DOMAIN_EVENT_STOPPED_FAILED: Ending.CRASHED,
    libvirt.VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT: Ending.WANTED,
}


class Libvirt:
    """One connection; it ends for good when libvirt goes away, and a new one is made."""

    def __init__(self, uri: str, *, read_only: bool) -> None:
        """Connect.

        Raises:
            LibvirtError: if libvirt does not answer.
        """
        _ensure_event_loop()
        open_ = libvirt.openReadOnly if read_only else libvirt.open
        with _translated(f"reach libvirt at {uri}"):
            self._connection = open_(uri)
        # A hung libvirtd is noticed after 15 s instead of never.
        self._connection.setKeepAlive(5, 3)
        self._signalled: set[str] = set()

    def watch(
        self,
        *,
        started: Callable[[str], None],
        ended: Callable[[str, Ending, float], None],
        lost: Callable[[], None],
    ) -> None:
        """Have every start and end told, from libvirt's own thread, until libvirt goes away."""

        def on_event(
            _: object, domain: libvirt.virDomain, event: int, detail: int, __: object
        ) -> None:
            uuid = domain.UUIDString()
            if event == libvirt.VIR_DOMAIN_EVENT_STARTED:
                self._signalled.discard(uuid)
                started(uuid)
            elif event == libvirt.VIR_DOMAIN_EVENT_SHUTDOWN:
                if detail == libvirt.VIR_DOMAIN_EVENT_SHUTDOWN_HOST:
                    self._signalled.add(uuid)
            elif event == libvirt.VIR_DOMAIN_EVENT_STOPPED:
                ending = _STOPPED.get(detail, Ending.UNKNOWN)
                if ending is Ending.BY_ITSELF and uuid in self._signalled:
                    ending = Ending.SIGNALLED
                self._signalled.discard(uuid)
                ended(uuid, ending, time.time())

        def on_close(*_: object) -> None:
            lost()

        with _translated("watch libvirt's events"):
            self._connection.registerCloseCallback(on_close, None)
            self._connection.domainEventRegisterAny(
                None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, on_event, None
            )

    def running(self) -> Mapping[str, Guest]:
        """Return the guests of Nova's that run or are paused, by UUID."""
        with _translated("list the guests"):
            alive = self._connection.listAllDomains(_ALIVE[0] | _ALIVE[1])
        guests: dict[str, Guest] = {}
        for domain in alive:
            try:
                text = domain.XMLDesc()
            except libvirt.libvirtError:
                continue  # it ended just now
            if NOVA in text:
                uuid = domain.UUIDString()
                guests[uuid] = Guest(uuid=uuid, has_agent=_has_agent(text))
        return guests

    def ending(self, uuid: str) -> Ending:
        """Return how a guest that does not run came to its end, as libvirt remembers it."""
        with _translated("ask how a guest ended"):
            try:
                state, reason = self._connection.lookupByUUIDString(uuid).state()
            except libvirt.libvirtError as error:
                if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                    return Ending.UNKNOWN
                raise
        if state == libvirt.VIR_DOMAIN_CRASHED:
            return Ending.CRASHED
        return _SHUTOFF.get(reason, Ending.UNKNOWN)

    def ping(self, uuid: str, *, timeout_s: float) -> bool:
        """Return whether the guest's agent answers in time."""
        try:
            domain = self._connection.lookupByUUIDString(uuid)
            libvirt_qemu.qemuAgentCommand(
                domain, '{"execute": "guest-ping"}', max(1, round(timeout_s)), 0
            )
        except libvirt.libvirtError as error:
            # One that ended is the instance monitor's business.
            return error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN
        return True

    def destroy(self, uuids: Collection[str]) -> None:
        """End guests at once, keep their definitions, and let none of them start by itself."""
        for uuid in uuids:
            with _translated(f"end the guest {uuid}"):
                domain = self._connection.lookupByUUIDString(uuid)
                if domain.isPersistent() and domain.autostart():
                    domain.setAutostart(0)
                if domain.isActive():
                    domain.destroy()

    def close(self) -> None:
        """Let go of libvirt."""
        try:
            self._connection.close()
        except libvirt.libvirtError as error:
            logger.debug("libvirt had gone already: %s", error)


@contextmanager
def _translated(doing: str) -> Generator[None]:
    try:
        yield
    except libvirt.libvirtError as error:
        raise LibvirtError(
            f"cannot {doing}: {error}; look at the unit of libvirtd, and at the option libvirt-uri"
        ) from error


def _has_agent(xml: str) -> bool:
    targets = ElementTree.fromstring(xml).iterfind("./devices/channel/target")  # noqa: S314
    return any(target.get("name") == "org.qemu.guest_agent.0" for target in targets)


_loop_lock = threading.Lock()
_loop_started = threading.Event()


def _ensure_event_loop() -> None:
    """Start libvirt's event loop once, in a thread of its own, before the first connection."""
    with _loop_lock:
        if _loop_started.is_set():
            return
        libvirt.registerErrorHandler(_silence, None)
        libvirt.virEventRegisterDefaultImpl()
        threading.Thread(target=_run_loop, name="libvirt-events", daemon=True).start()
        _loop_started.set()


def _silence(*_: object) -> None:
    """Keep libvirt from writing to stderr what it raises as well."""


def _run_loop() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()
