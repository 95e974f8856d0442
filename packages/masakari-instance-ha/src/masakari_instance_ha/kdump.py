# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Hear hosts that write a dump of their kernel: the messages of ``fence_kdump_send``.

A message is a datagram of eight bytes, a magic number and a version, in the byte order of the
machine that sends it. It names nobody, so the host is told by the address that it came from.
Nothing but time depends on it: who forges one delays a recovery by the time for a dump at most.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import struct
import threading
from typing import TYPE_CHECKING

from instance_ha.errors import PolicyError
from masakari_instance_ha.aside import Aside

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from instance_ha.ports import Clock

logger = logging.getLogger(__name__)

PORT = 7410
"""To which fence_kdump_send sends by default."""
_MAGIC, _VERSION = 0x1B302A40, 1
_MESSAGES = frozenset(struct.pack(f"{order}II", _MAGIC, _VERSION) for order in "<>")
_LOOK_S = 0.5
_MOST_STRANGERS = 100
"""Of whom each is logged once; whoever forges addresses must not fill the log."""


class ListenError(PolicyError):
    """The port cannot be listened at."""


class DumpListener:
    """Listen aside; implements ``ports.KernelDumps``."""

    def __init__(self, *, port: int, names: Callable[[], Mapping[str, str]], clock: Clock) -> None:
        """Begin to listen, on every address.

        Args:
            port: The UDP port; 0 takes a free one.
            names: Returns address -> host, as far as that is known now.
            clock: Tells when a message came.

        Raises:
            ListenError: if the port is taken or forbidden.
        """
        self._names = names
        self._clock = clock
        self._heard: dict[str, float] = {}
        self._strangers: set[str] = set()
        self._stopped = threading.Event()
        self._socket = _listen(port)
        self.port = int(self._socket.getsockname()[1])
        self._listening = Aside(self._listen, name="kdump")

    def heard(self) -> Mapping[str, float]:
        """Return host -> when its newest message came; raise what ended the listening."""
        if self._listening.error is not None:
            raise self._listening.error
        return dict(self._heard)

    def stop(self) -> None:
        """Listen no more."""
        self._stopped.set()

    def _listen(self) -> None:
        with self._socket:
            while not self._stopped.is_set():
                try:
                    message, sender = self._socket.recvfrom(64)
                except TimeoutError:
                    continue
                if message in _MESSAGES:
                    self._hear(str(sender[0]))

    def _hear(self, sender: str) -> None:
        address = plain(sender)
        host = self._names().get(address)
        if host is not None:
            if host not in self._heard:
                logger.info("%s writes a kernel dump, as a message from %s says", host, address)
            self._heard[host] = self._clock.now_s()
        elif address not in self._strangers and len(self._strangers) < _MOST_STRANGERS:
            self._strangers.add(address)
            logger.warning(
                "a kernel dump is written at %s, which is no address of a host in Consul, so it "
                "is given no time; have fence_kdump_send use a network that Consul watches",
                address,
            )


def plain(address: str) -> str:
    """Return an address as Consul writes it: an IPv4 one in IPv6's clothes is an IPv4 one."""
    bare = address.partition("%")[0]
    try:
        parsed = ipaddress.ip_address(bare)
    except ValueError:
        return bare
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def _listen(port: int) -> socket.socket:
    """Return a socket for both families, or for IPv4 where there is no other."""
    both = socket.has_dualstack_ipv6()
    made = socket.socket(socket.AF_INET6 if both else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        if both:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        made.bind(("::" if both else "0.0.0.0", port))  # noqa: S104 - the senders' network is not known
    except OSError as error:
        made.close()
        raise ListenError(
            f"kdump: UDP port {port} cannot be listened at: {error.strerror}; "
            "free it, or set kdump = false"
        ) from error
    made.settimeout(_LOOK_S)
    return made
