# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The two models, through Juju's client; knows nothing of Sunbeam."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import jubilant

from .errors import ActionFailedError, ApplicationMissingError, CloudError
from .ports import CharmFile, Clock, Model, Tell

LOOK_EVERY_S = 10.0
ACTION_WITHIN_S = 600.0
GONE_WITHIN_S = 900.0


class WallClock:
    """The machine's time."""

    def now_s(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclass(kw_only=True)
class Models:
    """What is asked of Juju; the verbs of ``ports.Cloud`` that need nothing else."""

    open_model: Callable[[Model], jubilant.Juju]
    clock: Clock = field(default_factory=WallClock)

    def ensure_secret(self, name: str, content: Mapping[str, str]) -> str:
        """Make the secret hold *content*; unchanged content makes no new revision."""
        juju = self.open_model(Model.MACHINES)
        with _asking(f"secret {name}", Model.MACHINES):
            held = self.secret(name)
            if held is None:
                return juju.add_secret(
                    name, content, info="of instance-recovery"
                ).unique_identifier
            if held != content:
                juju.update_secret(name, content)
        return self.secret_id(name) or name

    def secret(self, name: str) -> Mapping[str, str] | None:
        """Return what a secret holds, None if there is none."""
        found = self._show_secret(name, reveal=True)
        return cast("jubilant.RevealedSecret", found).content if found else None

    def secret_id(self, name: str) -> str | None:
        """Return the ID of a secret, None if there is none."""
        found = self._show_secret(name, reveal=False)
        return found.uri.unique_identifier if found else None

    def grant_secret(self, name: str, *, to: str) -> None:
        """Let an application read the secret."""
        with _asking(f"secret {name}", Model.MACHINES):
            self.open_model(Model.MACHINES).grant_secret(name, to)

    def remove_secret(self, name: str) -> None:
        """Remove the secret, if it is there."""
        if self.secret_id(name) is None:
            return
        with _asking(f"secret {name}", Model.MACHINES):
            self.open_model(Model.MACHINES).remove_secret(name)

    def deploy_file(self, charm: CharmFile) -> None:
        """Deploy the charm, or refresh the application to it."""
        juju = self.open_model(charm.model)
        there = self.status(charm.model).apps.get(charm.application)
        with _asking(charm.application, charm.model):
            if there:
                juju.refresh(charm.application, path=charm.path, resources=charm.resources or None)
                juju.config(charm.application, dict(charm.config))
                if charm.units not in (0, there.scale):
                    juju.cli("scale-application", charm.application, str(charm.units))
            else:
                juju.deploy(
                    charm.path,
                    charm.application,
                    bind=_bindings(charm.bindings),
                    config=dict(charm.config),
                    # Juju takes no number for a subordinate, and the client gives none for 1.
                    num_units=charm.units or 1,
                    resources=charm.resources or None,
                )

    def set_config(self, application: str, model: Model, config: Mapping[str, str]) -> None:
        """Set options of an application."""
        with _asking(application, model):
            self.open_model(model).config(application, dict(config))

    def disconnect(self, model: Model, offers: Sequence[str]) -> None:
        """Remove what *model* consumes of these offers, if anything."""
        juju = self.open_model(model)
        with _asking(f"what model {model.value} consumes", model):
            for name, remote in juju.status().app_endpoints.items():
                if remote.url.rpartition(".")[2] in offers:
                    juju.cli("remove-saas", name)

    def remove(self, model: Model, applications: Sequence[str]) -> None:
        """Remove applications, if they are there, and wait until they are gone."""
        juju = self.open_model(model)
        if going := [name for name in applications if name in self.present(model)]:
            with _asking(", ".join(going), model):
                juju.remove_application(*going, destroy_storage=True)
        until_s = self.clock.now_s() + GONE_WITHIN_S
        while left := [name for name in applications if name in self.present(model)]:
            if self.clock.now_s() >= until_s:
                raise CloudError(
                    f"{', '.join(left)} in model {model.value}",
                    "still there, though removed",
                    hint=f"Look at: juju status -m {model.value}",
                )
            self.clock.sleep(LOOK_EVERY_S)

    def present(self, model: Model) -> frozenset[str]:
        """Return the applications of a model."""
        return frozenset(self.status(model).apps)

    def status(self, model: Model) -> jubilant.Status:
        """Return all that Juju says of a model."""
        with _asking(f"model {model.value}", model):
            return self.open_model(model).status()

    def spaces(self) -> frozenset[str]:
        """Return the spaces of the model with the machines."""
        with _asking("spaces", Model.MACHINES):
            answer = self.open_model(Model.MACHINES).cli("spaces", "--format", "json")
        return frozenset(str(space["name"]) for space in json.loads(answer)["spaces"])

    def wait_active(
        self, model: Model, applications: Sequence[str], *, within_s: float, tell: Tell
    ) -> None:
        """Wait until all are active; the error tells which are not, and what they say."""
        until_s = self.clock.now_s() + within_s
        while left := self._unsettled(model, applications):
            if self.clock.now_s() >= until_s:
                raise CloudError(
                    f"not active in model {model.value}",
                    "; ".join(left),
                    hint=f"Look at: juju status -m {model.value}",
                )
            tell(f"{len(left)} left, first: {left[0]}")
            self.clock.sleep(LOOK_EVERY_S)

    def run(
        self, application: str, model: Model, action: str, params: Mapping[str, object]
    ) -> Mapping[str, str]:
        """Run an action on the leader."""
        if application not in self.present(model):
            raise ApplicationMissingError(
                application,
                f"model {model.value} has no such application",
                hint="Bring it about: sunbeam enable instance-recovery",
            )
        return self._act(f"{application}/leader", model, action, params)

    def run_at(
        self, application: str, machine: str, action: str, params: Mapping[str, object]
    ) -> Mapping[str, str]:
        """Run an action on the unit of a subordinate that is on that machine."""
        status = self.status(Model.MACHINES)
        units = (
            unit
            for principal in status.apps.values()
            for host in principal.units.values()
            if host.machine == machine
            for unit in host.subordinates
            if unit.startswith(f"{application}/")
        )
        unit = next(units, None)
        if unit is None:
            raise ApplicationMissingError(
                application,
                f"it has no unit on machine {machine}",
                hint=f"Look at: juju status -m {Model.MACHINES.value} {application}",
            )
        return self._act(unit, Model.MACHINES, action, params)

    def _act(
        self, unit: str, model: Model, action: str, params: Mapping[str, object]
    ) -> Mapping[str, str]:
        again = f"Look at: juju run -m {model.value} {unit} {action}"
        try:
            with _asking(f"{unit} {action}", model):
                task = self.open_model(model).run(unit, action, params, wait=ACTION_WITHIN_S)
        except jubilant.TaskError as error:
            said = error.task.message or error.task.stderr.strip() or error.task.status
            raise ActionFailedError(
                f"{unit} {action}", said, hint=again, results=error.task.results
            ) from error
        except (ValueError, TimeoutError) as error:
            raise CloudError(f"{unit} {action}", str(error), hint=again) from error
        return task.results

    def _unsettled(self, model: Model, applications: Sequence[str]) -> list[str]:
        """Return what is not active; a controller that is away for a moment is waited for."""
        try:
            status = self.open_model(model).status()
        except jubilant.CLIError as error:
            return [f"Juju does not answer: {_words(error)}"]
        return [
            sentence
            for name in applications
            if (sentence := _unrest(name, status.apps.get(name))) is not None
        ]

    def _show_secret(self, name: str, *, reveal: bool) -> jubilant.Secret | None:
        try:
            return cast(
                "jubilant.Secret",
                self.open_model(Model.MACHINES).show_secret(name, reveal=reveal),
            )
        except jubilant.CLIError as error:
            if "not found" in error.stderr:
                return None
            raise _failure(f"secret {name}", error, Model.MACHINES) from error


def _unrest(name: str, application: jubilant.statustypes.AppStatus | None) -> str | None:
    if application is None:
        return f"{name} is not there yet"
    states = {name: application.app_status}
    if not application.subordinate_to:
        states |= {unit: said.workload_status for unit, said in application.units.items()}
    for who, state in states.items():
        if state.current != "active":
            return f"{who} is {state.current or 'unknown'}: {state.message or 'no word yet'}"
    return None


def _bindings(bindings: Sequence[Mapping[str, str]]) -> str | None:
    words = (
        f"{each['endpoint']}={each['space']}" if "endpoint" in each else each["space"]
        for each in bindings
    )
    return " ".join(words) or None


def _words(error: jubilant.CLIError) -> str:
    """Return what Juju said last."""
    lines = [line for line in (error.stderr or "").splitlines() if line.strip()]
    return lines[-1].removeprefix("ERROR ") if lines else f"it ended with {error.returncode}"


def _failure(what: str, error: jubilant.CLIError, model: Model) -> CloudError:
    return CloudError(what, _words(error), hint=f"Look at: juju status -m {model.value}")


@contextlib.contextmanager
def _asking(what: str, model: Model) -> Generator[None]:
    """Say in a sentence what Juju refused."""
    try:
        yield
    except jubilant.CLIError as error:
        raise _failure(what, error, model) from error
