# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The ring's keys: made by the leader, kept as Juju secrets, never in a databag of ours."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass

import ops

RING_LABEL = "ring-keys"
REMOTE_LABEL = "remote-key"
_COROSYNC_BYTES = 256
_PACEMAKER_BYTES = 4096


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What members prove themselves with, in base64."""

    corosync: str
    pacemaker: str
    """Remotes hold it too."""

    def __repr__(self) -> str:
        """Show which keys they are, and not the keys."""
        return f"Keys({self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        """Which keys they are; says nothing about them."""
        return hashlib.sha256(f"{self.corosync}:{self.pacemaker}".encode()).hexdigest()[:16]


def generate() -> Keys:
    """Return new keys."""
    return Keys(
        corosync=base64.b64encode(secrets.token_bytes(_COROSYNC_BYTES)).decode(),
        pacemaker=base64.b64encode(secrets.token_bytes(_PACEMAKER_BYTES)).decode(),
    )


def ensure(charm: ops.CharmBase) -> tuple[str, Keys]:
    """Return the secret ID of the ring's keys, and the keys, made now if there are none.

    The leader only.
    """
    try:
        secret = charm.model.get_secret(label=RING_LABEL)
    except ops.SecretNotFoundError:
        keys = generate()
        secret = charm.app.add_secret(_ring_content(keys), label=RING_LABEL)
        charm.app.add_secret(_remote_content(keys), label=REMOTE_LABEL)
        return str(secret.get_info().id), keys
    return str(secret.get_info().id), _read(secret.peek_content())


def rotate(charm: ops.CharmBase) -> Keys:
    """Replace the keys by new ones; the leader only."""
    keys = generate()
    ring, remote = (charm.model.get_secret(label=label) for label in (RING_LABEL, REMOTE_LABEL))
    ring.set_content(_ring_content(keys))
    ring.get_content(refresh=True)
    remote.set_content(_remote_content(keys))
    remote.get_content(refresh=True)
    return keys


def read(charm: ops.CharmBase, secret_id: str) -> Keys | None:
    """Return the newest keys, or None while this unit may not read them."""
    try:
        return _read(charm.model.get_secret(id=secret_id).get_content(refresh=True))
    except ops.ModelError:
        return None


def remote_secret(charm: ops.CharmBase) -> ops.Secret:
    """Return the secret for remotes, which holds Pacemaker's key alone; the leader only."""
    return charm.model.get_secret(label=REMOTE_LABEL)


def _ring_content(keys: Keys) -> dict[str, str]:
    return {"corosync-authkey": keys.corosync, "pacemaker-authkey": keys.pacemaker}


def _remote_content(keys: Keys) -> dict[str, str]:
    return {"pacemaker-key": keys.pacemaker}


def _read(content: dict[str, str]) -> Keys:
    return Keys(corosync=content["corosync-authkey"], pacemaker=content["pacemaker-authkey"])
