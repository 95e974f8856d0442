# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The rung Ceph: the cluster refuses every client of a host, by its storage addresses.

The lowest rung, for a host whose power nobody can switch: it runs on, and nothing that it writes
is accepted. It ends with its time, so it is lifted or made anew, never left to expire by itself.

Nothing here can tell that an address is the one from which the host really speaks to the cluster.
So it proves only where an operator names it in the ladder, having looked.
"""

from __future__ import annotations

import ipaddress
import json
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from instance_ha.errors import CloudUnreachableError, FenceError, FenceTargetError
from instance_ha.ladder import STORAGE_FENCED, STORAGE_OPEN, Rung
from instance_ha.model import FenceProof
from masakari_instance_ha.fencing import targets
from masakari_instance_ha.fencing.power import no_objection

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Sequence

    from instance_ha.ports import Clock

_HINT = "Look at ceph status, and at the capabilities of the client that fences"
_ADDRESSES = (
    "Integrate hacluster-shim:hypervisors with a masakari-monitors that publishes the host's "
    "storage address"
)
_TEXT_LENGTH = 200


PROGRAM = "ceph"


def has_program() -> bool:
    """Say whether Ceph's command is here; Masakari's stock image does not bring it."""
    return shutil.which(PROGRAM) is not None


@dataclass(frozen=True, kw_only=True)
class CephAccess:
    """How the cluster is asked; the key is in a file, never on a command line."""

    config: pathlib.Path
    keyring: pathlib.Path
    user: str
    """Without ``client.``."""
    timeout_s: float
    program: str = PROGRAM

    def ask(self, *words: str) -> str:
        """Return what a command of Ceph's prints.

        Raises:
            CephError: if it fails or takes too long.
        """
        argv = [
            self.program,
            f"--conf={self.config}",
            f"--keyring={self.keyring}",
            f"--name=client.{self.user}",
            f"--connect-timeout={max(1, int(self.timeout_s) - 1)}",
            *words,
        ]
        try:
            done = subprocess.run(
                argv, capture_output=True, text=True, timeout=self.timeout_s, check=False
            )
        except FileNotFoundError as error:
            reason = f"there is no program {self.program} here"
            hint = "Use a Masakari image with ceph-common, or take ceph out of the ladder"
            raise CephError(reason, hint=hint) from error
        except subprocess.TimeoutExpired as error:
            reason = f"Ceph did not answer in {self.timeout_s:g} s"
            raise CephError(reason, hint=_HINT) from error
        if done.returncode:
            told = " ".join(done.stderr.split())[-_TEXT_LENGTH:]
            raise CephError(f"Ceph refuses: {told}", hint=_HINT)
        return done.stdout


class CephError(CloudUnreachableError):
    """The cluster did not do what it was asked for."""

    def __init__(self, reason: str, *, hint: str) -> None:
        super().__init__(f"{reason}. {hint}")
        self.reason = reason
        self.hint = hint


class CephFencer:
    """Has the cluster refuse hosts; implements :class:`instance_ha.ports.Fencer`."""

    def __init__(
        self,
        access: CephAccess,
        *,
        targets: pathlib.Path,
        expires_s: float,
        clock: Clock,
        by: str,
        before_order: Callable[[], None] = no_objection,
    ) -> None:
        """Make a fencer.

        Args:
            access: The way to the cluster.
            targets: File that lists the hosts' storage addresses; read for every host.
            expires_s: After which the cluster listens to a host again by itself.
            clock: Time.
            by: Who orders.
            before_order: Is called right before each host's order; whatever it raises ends this.
        """
        self._access = access
        self._targets = targets
        self._expires_s = expires_s
        self._clock = clock
        self._by = by
        self._before_order = before_order

    def fence(self, host: str) -> FenceProof:
        """Have every client of *host* refused, ask whether it is, and return the proof.

        Raises:
            FenceTargetError: if its storage addresses are not known, or not certainly its own.
            FenceError: if the cluster does not list all of them as refused.
        """
        addresses = self._own_addresses(host)
        self._before_order()
        ordered_at_s = self._clock.now_s()
        try:
            for address in addresses:
                entry, seconds = _entry(address), f"{self._expires_s:.0f}"
                self._access.ask("osd", "blocklist", "add", entry, seconds)
        except CephError as error:
            raise FenceError(host, error.reason, hint=error.hint) from error
        answer = self.check(host)
        if answer != STORAGE_FENCED:
            reason = "Ceph took the order and does not list the host as refused"
            raise FenceError(host, reason, hint="Look at ceph osd blocklist ls")
        return FenceProof(
            host=host,
            method=Rung.CEPH,
            target=", ".join(map(_entry, addresses)),
            answer=answer,
            ordered_at_s=ordered_at_s,
            confirmed_at_s=self._clock.now_s(),
            by=self._by,
        )

    def check(self, host: str) -> str:
        """Return whether the cluster refuses every client of the host now.

        Raises:
            FenceTargetError: if its storage addresses are not known, or not certainly its own.
            FenceError: if the cluster cannot be asked.
        """
        addresses = self._own_addresses(host)
        try:
            refused = self._refused()
        except CephError as error:
            raise FenceError(host, error.reason, hint=error.hint) from error
        return STORAGE_FENCED if refused.issuperset(map(_entry, addresses)) else STORAGE_OPEN

    def lift(self, host: str) -> None:
        """Have the cluster listen to *host* again; nothing happens where it does.

        Raises:
            CephError: if the cluster cannot be asked, so the host's return has to wait.
        """
        try:
            addresses = self._addresses(host)
        except targets.TargetsUnreadableError as error:
            raise CephError(error.reason, hint=error.hint) from error
        except FenceTargetError:
            return  # without an address nothing was ever refused
        refused = self._refused()
        for entry in map(_entry, addresses):
            if entry in refused:
                self._access.ask("osd", "blocklist", "rm", entry)

    def _refused(self) -> set[str]:
        """Return the addresses whose every client is refused."""
        try:
            told = _documents(self._access.ask("osd", "blocklist", "ls", "--format=json"))
            return {str(entry["addr"]) for part in told for entry in part if "addr" in entry}
        except (ValueError, TypeError) as error:
            reason = "Ceph lists what it refuses in a form that is not known"
            raise CephError(reason, hint="Look at ceph osd blocklist ls --format=json") from error

    def _own_addresses(self, host: str) -> Sequence[str]:
        addresses = self._addresses(host)
        self._require_own(host, addresses)
        return addresses

    def _addresses(self, host: str) -> Sequence[str]:
        found = targets.find(host, file=self._targets).storage_addresses
        if not found:
            raise FenceTargetError(host, "its storage address is not known", hint=_ADDRESSES)
        try:
            return [_compressed(address) for address in found]
        except ValueError as error:
            reason = "its storage address is no IP address"
            raise FenceTargetError(host, reason, hint=_ADDRESSES) from error

    def _require_own(self, host: str, addresses: Sequence[str]) -> None:
        """Refuse an address that is not of this host alone.

        The cluster refuses whatever it is told to, and says so: of a wrong address, too. The host
        would go on writing, and another one might be refused in its place.
        """
        listed = targets.storage_addresses(self._targets)
        for address in addresses:
            kind = ipaddress.ip_address(address)
            if kind.is_unspecified or kind.is_loopback or kind.is_multicast:
                reason = f"its storage address {address} is of no host in particular"
                raise FenceTargetError(host, reason, hint=_ADDRESSES)
            others = [
                name
                for name, theirs in listed.items()
                if name != host and address in map(_compressed, filter(_is_address, theirs))
            ]
            if others:
                reason = f"its storage address {address} is also that of {', '.join(others)}"
                raise FenceTargetError(host, reason, hint="Correct the list of targets")


def _documents(text: str) -> Sequence[Any]:
    """Return each JSON value of a text.

    Ceph prints addresses and ranges of addresses as two lists, one right behind the other.
    """
    found: list[Any] = []
    rest = text.strip()
    while rest:
        value, end = json.JSONDecoder().raw_decode(rest)
        found.append(value)
        rest = rest[end:].lstrip()
    if not found:
        raise ValueError("nothing was said")
    return found


def _compressed(address: str) -> str:
    return ipaddress.ip_address(address).compressed


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _entry(address: str) -> str:
    """Return what stands for all clients of an address."""
    return f"[{address}]:0/0" if ":" in address else f"{address}:0/0"
