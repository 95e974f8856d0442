# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Which words of the command ``instance-ha`` an action stands for; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Parameters = Mapping[str, object]
"""What Juju was given, defaults included."""


class ParameterError(Exception):
    """Parameters that Juju's schema lets pass and the command would not understand."""


_EVERYWHERE = {"who": "author"}
"""What the command calls otherwise than Juju's users do, in every verb."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One verb of the command."""

    words: str
    result: str
    """Key of the action's result."""
    places: tuple[str, ...] = ()
    """Parameters that are given by their place."""
    options: tuple[str, ...] = ()
    """Parameters that are given by their name; what is empty or false is left out."""
    switches: tuple[str, ...] = ()
    """Those of three values: true, false as ``--no-NAME``, and absent."""
    spelt: Mapping[str, str] = field(default_factory=dict[str, str])
    """Parameter -> the command's own name of it, where that differs beside ``who``."""
    exclusive: tuple[str, ...] = ()
    """Parameters of which one may be given."""
    needs_one: str = ""
    """What to run to find one of ``exclusive``, where one has to be given."""
    confirmed: bool = False
    """Whether it is done only with ``confirm=true``."""
    input: str = ""
    """Parameter that the command reads from its standard input."""
    timeout_s: float = 60

    def argv(self, params: Parameters) -> list[str]:
        """Return the words for the command.

        Raises:
            ParameterError: if the command would refuse or misread them.
        """
        self._check(params)
        named = [*self._options(params), *self._switches(params)]
        placed = [str(params[name]) for name in self.places if params.get(name)]
        return [*self.words.split(), *placed, *named]

    def stdin(self, params: Parameters) -> str | None:
        """Return what the command reads, if it reads anything."""
        return str(params[self.input]) if self.input else None

    def _check(self, params: Parameters) -> None:
        for name in self.places:
            if str(params.get(name, "")).startswith("-"):
                raise ParameterError(f"{name}={params[name]} begins with a dash; give a name")
        given = [name for name in self.exclusive if params.get(name)]
        if len(given) > 1:
            raise ParameterError(f"{' and '.join(given)} exclude each other; give one of them")
        if self.needs_one and not given:
            wanted = " or ".join(self.exclusive)
            raise ParameterError(f"needs {wanted}; run {self.needs_one} to find them")
        if self.confirmed and not (params.get("confirm") or params.get("dry-run")):
            subject = f" to {params[self.places[0]]}" if self.places else ""
            raise ParameterError(
                f"nothing was done{subject}, as this cannot be taken back; "
                "run it with dry-run=true to see what would be done, and with confirm=true if "
                "you mean it"
            )

    def _options(self, params: Parameters) -> Iterator[str]:
        for name in self.options:
            value, spelt = params.get(name), {**_EVERYWHERE, **self.spelt}.get(name, name)
            if value is True:
                yield f"--{spelt}"
            elif value:
                yield f"--{spelt}={value}"  # one word, so that a dash begins no other option

    def _switches(self, params: Parameters) -> Iterator[str]:
        for name in self.switches:
            if name in params:
                yield f"--{name}" if params[name] else f"--no-{name}"


_LONG_S = 6 * 3600.0
"""Live migrations are followed to their end; each has its own patience."""
_MINUTES_S = 600.0
"""Power controllers are asked a few at a time, and some are slow."""

COMMANDS: Mapping[str, Command] = {
    "list-segments": Command(words="segment list", result="segments"),
    "show-segment": Command(words="segment show", result="segment", places=("segment",)),
    "create-segment": Command(
        words="segment create",
        result="segment",
        places=("name",),
        options=("recovery-method", "description", "who"),
    ),
    "update-segment": Command(
        words="segment update",
        result="segment",
        places=("segment",),
        options=("name", "recovery-method", "description", "who"),
        switches=("enabled",),
    ),
    "delete-segment": Command(
        words="segment delete",
        result="segment",
        places=("segment",),
        options=("dry-run", "who"),
        confirmed=True,
    ),
    "list-hosts": Command(words="host list", result="hosts", places=("segment",)),
    "add-host": Command(
        words="host add",
        result="host",
        places=("segment", "host"),
        options=("reserved", "who"),
    ),
    "update-host": Command(
        words="host update",
        result="host",
        places=("host",),
        options=("who",),
        switches=("reserved", "on-maintenance"),
    ),
    "remove-host": Command(
        words="host remove",
        result="host",
        places=("host",),
        options=("dry-run", "who"),
        confirmed=True,
    ),
    "reserve-host": Command(
        words="host reserve", result="host", places=("host",), options=("who",)
    ),
    "restore-host": Command(
        words="host restore", result="host", places=("host",), options=("who",)
    ),
    "return-host": Command(words="host return", result="host", places=("host",), options=("who",)),
    "plan-enrolment": Command(words="host plan", result="plan"),
    "list-notifications": Command(
        words="notification list", result="notifications", options=("host", "status", "limit")
    ),
    "show-notification": Command(
        words="notification show", result="notification", places=("notification",)
    ),
    "list-moves": Command(
        words="move list",
        result="moves",
        places=("notification",),
        options=("host",),
        exclusive=("notification", "host"),
        needs_one="list-notifications",
    ),
    "show-move": Command(words="move show", result="move", places=("notification", "move")),
    "list-restarts": Command(words="restart list", result="restarts", options=("server", "limit")),
    "list-findings": Command(words="finding list", result="findings"),
    "show-guards": Command(words="guard show", result="guards", places=("host",)),
    "show-matrix": Command(words="matrix show", result="matrix", options=("segment",)),
    "set-matrix": Command(
        words="matrix set -",
        result="matrix",
        options=("segment", "force", "dry-run", "reason", "who"),
        input="rows",
    ),
    "reset-matrix": Command(
        words="matrix reset", result="matrix", options=("segment", "reason", "who")
    ),
    "list-matrices": Command(
        words="matrix history", result="matrices", options=("segment", "limit")
    ),
    "pause-recovery": Command(
        words="pause",
        result="pause",
        options=("segment", "host", "reason", "duration", "who"),
        spelt={"duration": "for"},
        exclusive=("segment", "host"),
    ),
    "resume-recovery": Command(
        words="resume",
        result="pauses",
        places=("id",),
        options=("segment", "host", "who"),
        exclusive=("id", "segment", "host"),
    ),
    "show-pauses": Command(words="pauses", result="pauses", options=("all",)),
    "move-back": Command(
        words="move-back",
        result="moves",
        places=("host",),
        options=("at-once", "dry-run", "who"),
        timeout_s=_LONG_S,
    ),
    "test-fencing": Command(
        words="fence test", result="power", places=("host",), timeout_s=_MINUTES_S
    ),
    "simulate-failure": Command(
        words="simulate",
        result="simulation",
        places=("hosts",),
        options=("zone",),
        exclusive=("hosts", "zone"),
        needs_one="list-hosts",
        timeout_s=_MINUTES_S,
    ),
    "show-readiness": Command(words="readiness", result="readiness", timeout_s=_MINUTES_S),
    "run-drill": Command(
        words="drill",
        result="drill",
        places=("host",),
        options=("again", "dry-run", "who"),
        confirmed=True,
        timeout_s=_LONG_S,
    ),
    "list-deeds": Command(words="journal list", result="deeds", options=("limit",)),
    "purge-database": Command(
        words="purge",
        result="purged",
        options=("older-than", "dry-run", "who"),
        confirmed=True,
        timeout_s=_LONG_S,
    ),
    "check-upgrade": Command(words="check-upgrade", result="checks"),
    "list-incidents": Command(words="incident list", result="incidents", options=("host",)),
    "show-incident": Command(
        words="incident show",
        result="incident",
        places=("id",),
        options=("host",),
        exclusive=("id", "host"),
        needs_one="list-incidents",
    ),
    "approve-incident": Command(
        words="incident approve",
        result="incident",
        places=("id",),
        options=("host", "reason", "who"),
        exclusive=("id", "host"),
        needs_one="list-incidents",
    ),
}
"""Action -> its command."""
