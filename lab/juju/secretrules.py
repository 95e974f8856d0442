# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Which hook about a secret comes next for a unit."""

from .event import Event, Sighting
from .model import Consumer, Model, Secret, Unit
from .tools.secret import ROTATION_S


def changed(model: Model, unit: Unit, seen: Sighting) -> Event | None:
    """Return the next rotation, change or removable revision that *unit* was not told of."""
    for secret in model.secrets.values():
        if event := (
            _rotate(model, unit, secret, seen.wall_s)
            or _changed(model, unit, secret)
            or _removable(model, unit, secret)
        ):
            return event
    return None


def _owns(model: Model, unit: Unit, secret: Secret) -> bool:
    return secret.owner == unit.name or (secret.owner == unit.app and model.is_leader(unit))


def _rotate(model: Model, unit: Unit, secret: Secret, wall_s: float) -> Event | None:
    due = secret.rotates_at is not None and secret.rotates_at <= wall_s
    if not due or not _owns(model, unit, secret):
        return None

    def done() -> None:
        if kept := model.secrets.get(secret.id):  # the hook may have replaced or removed it
            kept.rotates_at = wall_s + (ROTATION_S[kept.rotate] or 0)

    env = {"JUJU_SECRET_ID": f"secret:{secret.id}", "JUJU_SECRET_LABEL": secret.label}
    return Event(hook="secret-rotate", env=env, done=done)


def _changed(model: Model, unit: Unit, secret: Secret) -> Event | None:
    """Tell consumers, the owner too once it read (juju-trace: action newrev)."""
    consumer = model.consumers.get(secret.id, {}).get(unit.name)
    if consumer is None or max(consumer.revision, consumer.told) >= secret.latest:
        return None
    latest = secret.latest
    label = consumer.label or (secret.label if _owns(model, unit, secret) else "")
    env = {"JUJU_SECRET_ID": f"secret:{secret.id}", "JUJU_SECRET_LABEL": label}

    def done() -> None:
        # the hook may have replaced the entry by reading, or removed the secret
        if kept := model.consumers.get(secret.id, {}).get(unit.name):
            kept.told = max(kept.told, latest)

    return Event(hook="secret-changed", env=env, done=done)


def _removable(model: Model, unit: Unit, secret: Secret) -> Event | None:
    if not _owns(model, unit, secret):
        return None
    consumers: list[Consumer] = list(model.consumers.get(secret.id, {}).values())
    used = {consumer.revision for consumer in consumers} | {secret.latest}
    for revision in sorted(set(secret.revisions) - used - secret.told_removable):
        env = {
            "JUJU_SECRET_ID": secret.id,  # juju-trace: bare, unlike secret-changed
            "JUJU_SECRET_LABEL": secret.label,
            "JUJU_SECRET_REVISION": str(revision),
        }
        return Event(
            hook="secret-remove",
            env=env,
            done=lambda r=revision: _remember_removable(model, secret.id, r),
        )
    return None


def _remember_removable(model: Model, secret_id: str, revision: int) -> None:
    if secret_id in model.secrets:  # the hook may have removed it
        model.secrets[secret_id].told_removable.add(revision)
