# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""One running hook, and what it wrote so far.

As in Juju, the writes of a hook are kept aside: its own tools read them back, everybody else sees
them once the hook has ended well, and a failed hook leaves nothing behind.
"""

import dataclasses
import secrets

from . import model as m
from .errors import FlushError


@dataclasses.dataclass(kw_only=True)
class HookContext:
    """The world of one hook: the model, and this hook's writes over it."""

    model: m.Model
    unit: m.Unit
    id: str
    hook: str = ""
    env: dict[str, str] = dataclasses.field(default_factory=dict)
    task: m.Task | None = None
    bags: dict[tuple[int, str], dict[str, str]] = dataclasses.field(default_factory=dict)
    secrets: dict[str, m.Secret] = dataclasses.field(default_factory=dict)
    removed: set[str] = dataclasses.field(default_factory=set)
    reads: dict[str, m.Consumer] = dataclasses.field(default_factory=dict)
    ports: set[str] = dataclasses.field(default_factory=set)
    state: dict[str, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def begin(
        cls,
        model: m.Model,
        *,
        unit: m.Unit,
        hook: str,
        env: dict[str, str],
        task: m.Task | None = None,
    ) -> "HookContext":
        """Return the context of a hook that starts now."""
        return cls(
            model=model,
            unit=unit,
            hook=hook,
            id=f"{unit.name}-{hook.rpartition('/')[2]}-{secrets.token_hex(8)}",
            env=env,
            task=task,
            ports=set(unit.ports),
            state=dict(unit.state),
        )

    @property
    def app(self) -> m.Application:
        """The unit's application."""
        return self.model.applications[self.unit.app]

    @property
    def leader(self) -> bool:
        """Whether the unit leads."""
        return self.model.is_leader(self.unit)

    def bag(self, relation: m.Relation, who: str) -> dict[str, str]:
        """Return a databag as this hook sees it."""
        return self.bags.get((relation.id, who), relation.bags.get(who, {}))

    def writable_bag(self, relation: m.Relation, who: str) -> dict[str, str]:
        """Return this hook's own copy of a databag."""
        return self.bags.setdefault((relation.id, who), dict(relation.bags.get(who, {})))

    def all_secrets(self) -> list[m.Secret]:
        """Return every secret as this hook sees it, whoever may read it."""
        merged = {**self.model.secrets, **self.secrets}
        return [secret for name, secret in merged.items() if name not in self.removed]

    def writable_secret(self, secret: m.Secret) -> m.Secret:
        """Return this hook's own copy of a secret."""
        return self.secrets.setdefault(secret.id, secret.model_copy(deep=True))

    def consumer(self, secret: m.Secret) -> m.Consumer | None:
        """Return what the unit reads of *secret*, or None if it never did."""
        stored = self.model.consumers.get(secret.id, {}).get(self.unit.name)
        return self.reads.get(secret.id, stored)

    def writable_consumer(self, secret: m.Secret) -> m.Consumer:
        """Return this hook's own copy of what the unit reads; new ones read the newest kept."""
        if secret.id not in self.reads:
            stored = self.model.consumers.get(secret.id, {}).get(self.unit.name)
            kept = self.model.secrets.get(secret.id, secret)
            self.reads[secret.id] = (
                stored.model_copy()
                if stored
                else m.Consumer(revision=kept.latest, told=kept.latest)
            )
        return self.reads[secret.id]

    def flush(self) -> None:
        """Keep what the hook wrote.

        Raises:
            FlushError: if two secrets of one owner share a label; nothing is kept then
                (juju-trace: the tool accepts it, the hook fails at its end).
        """
        self._refuse_duplicate_labels()
        for (number, who), bag in self.bags.items():
            if number in self.model.relations:
                self.model.relations[number].write(who, bag)
        self.model.secrets.update(self.secrets)
        for name in self.removed:
            self.model.secrets.pop(name, None)
            self.model.consumers.pop(name, None)
        for name, consumer in self.reads.items():
            if name in self.model.secrets:
                self.model.consumers.setdefault(name, {})[self.unit.name] = consumer
        self.unit.ports, self.unit.state = self.ports, self.state

    def _refuse_duplicate_labels(self) -> None:
        seen: set[tuple[str, str]] = set()
        for secret in self.all_secrets():
            if not secret.label or not secret.owner:
                continue
            if (secret.owner, secret.label) in seen:
                raise FlushError(f'secret with label "{secret.label}" already exists')
            seen.add((secret.owner, secret.label))
