# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The ``juju`` command as far as the lab plays it: enough for jubilant, and for people.

Whatever is not here, a command or one option of it, is refused as not played.
"""

import dataclasses
import json
import pathlib
import shutil
from collections.abc import Callable, Sequence
from typing import Any

import yaml

from . import charmdir, controller
from .agent import Agent
from .arguments import SWITCH, VALUE, Arguments, parse
from .errors import NotPlayedError, RequestError
from .model import JUJU_VERSION, Application
from .status import show_unit, status

ALIASES = {"-n": "--num-units", "-m": "--model", "-o": "--output", "-u": "--unit"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """One call of the ``juju`` command."""

    agent: Agent
    arguments: Arguments
    directory: pathlib.Path
    """Where the caller stands; paths are relative to it."""

    @property
    def words(self) -> tuple[str, ...]:
        """The words that are no options."""
        return self.arguments.words

    def file(self, option: str) -> dict[str, Any]:
        """Return the content of the YAML file that *option* names, empty without it."""
        name = self.arguments.get(option)
        return yaml.safe_load((self.directory / name).read_text()) or {} if name else {}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reply:
    """What a command prints, and its exit code."""

    output: str = ""
    errors: str = ""
    code: int = 0


Answer = Callable[[Request], Reply]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Command:
    """A command: how it answers, its options, and from which word on they are not its own."""

    answer: Answer
    options: dict[str, bool]
    verbatim_after: int | None = None


COMMANDS: dict[str, Command] = {}


def command(
    name: str, *, values: str = "", switches: str = "", verbatim_after: int | None = None
) -> Callable[[Answer], Answer]:
    """Enter the decorated function as a command with options separated by blanks."""
    options = dict.fromkeys(f"--model --format {values}".split(), VALUE)
    options |= dict.fromkeys(switches.split(), SWITCH)

    def enter(answer: Answer) -> Answer:
        COMMANDS[name] = Command(answer=answer, options=options, verbatim_after=verbatim_after)
        return answer

    return enter


def answer(agent: Agent, argv: Sequence[str], *, directory: pathlib.Path) -> Reply:
    """Answer one call of ``juju``.

    Raises:
        JujuError: with what a real Juju would print, or that it is not played.
    """
    name = argv[0] if argv else "help"
    if name not in COMMANDS:
        raise NotPlayedError(f"juju {name}")
    played = COMMANDS[name]
    arguments = parse(
        f"juju {name}",
        argv[1:],
        options=played.options,
        short=ALIASES,
        verbatim_after=played.verbatim_after,
    )
    model = arguments.get("--model") or agent.model.name
    if model.rpartition(":")[2].rpartition("/")[2] != agent.model.name:
        raise RequestError(f'model "{model}" not found: the lab has one, "{agent.model.name}"')
    return played.answer(Request(agent=agent, arguments=arguments, directory=directory))


def as_json(value: object) -> Reply:
    """Return a reply in JSON."""
    return Reply(output=f"{json.dumps(value)}\n")


def pairs(words: Sequence[str]) -> dict[str, str]:
    """Read ``KEY=VALUE`` words."""
    if bad := [word for word in words if "=" not in word]:
        raise NotPlayedError(f"`{bad[0]}` where KEY=VALUE is expected")
    return dict(word.split("=", 1) for word in words)


def typed(app_charm: charmdir.Charm, values: dict[str, str]) -> dict[str, Any]:
    """Turn option values into what their types say; the rest fails where it is checked."""
    answer: dict[str, Any] = {}
    for key, text in values.items():
        kind = app_charm.options[key].type if key in app_charm.options else "string"
        plain = text if kind in ("string", "secret") else yaml.safe_load(text)
        answer[key] = plain
    return answer


def _machines(text: str) -> list[int]:
    numbers = [word for word in text.split(",") if word]
    if bad := [word for word in numbers if not word.isdigit()]:
        raise NotPlayedError(f"placement {bad[0]}: the lab has machines 0, 1, 2 ...")
    return [int(word) for word in numbers]


@command(
    "deploy",
    values="--bind --config --resource --num-units --to --base --constraints --channel",
    switches="--trust --force",
)
def deploy(request: Request) -> Reply:
    """Deploy a staged charm directory or a .charm file."""
    options, agent = request.arguments, request.agent
    for unplayed in ("--channel", "--constraints"):
        if options.get(unplayed):
            raise NotPlayedError(f"deploy {unplayed}: the lab deploys local charms only")
    source = request.directory / request.words[0]
    if source.suffix in (".yaml", ".yml"):
        raise NotPlayedError("bundles: deploy and integrate one by one")
    incoming = agent.state / "charms" / "incoming"
    with agent.changing() as model:
        charm = charmdir.keep(source, at=incoming)
        name = request.words[1] if len(request.words) > 1 else charm.name
        machines = _machines(options.get("--to"))
        app = controller.deploy(
            model,
            charm,
            name=name,
            config=typed(charm, pairs(options.all("--config"))),
            resources=pairs(options.all("--resource")),
            units=int(options.get("--num-units") or max(1, len(machines))),
            machines=machines,
            trust=options.has("--trust"),
        )
        controller.bind(app, pairs((options.get("--bind") or "").split()))
        _keep_charm(agent, name, incoming)
    return Reply(errors=f'Deploying "{name}" from local charm "{charm.name}"\n')


def _keep_charm(agent: Agent, app: str, incoming: pathlib.Path) -> None:
    kept = agent.charm_directory(app)
    shutil.rmtree(kept, ignore_errors=True)
    incoming.rename(kept)


@command(
    "refresh", values="--path --resource --config", switches="--force --force-base --force-units"
)
def refresh(request: Request) -> Reply:
    """Give an application another charm."""
    options, agent = request.arguments, request.agent
    if not options.get("--path"):
        raise NotPlayedError("refresh without --path: there is no store")
    incoming = agent.state / "charms" / "incoming"
    with agent.changing() as model:
        app = model.application(request.words[0])
        charm = charmdir.keep(request.directory / options.get("--path"), at=incoming)
        controller.refresh(app, charm, resources=pairs(options.all("--resource")))
        controller.set_config(app, typed(charm, pairs(options.all("--config"))))
        _keep_charm(agent, app.name, incoming)
    return Reply()


@command("config", values="--reset")
def config(request: Request) -> Reply:
    """Read or set an application's options."""
    with request.agent.changing() as model:
        app = model.application(request.words[0])
        resets = [key for text in request.arguments.all("--reset") for key in text.split(",")]
        if len(request.words) == 1 and not resets:
            return as_json(_settings(app))
        if len(request.words) == 2 and "=" not in request.words[1]:
            return Reply(output=f"{app.settings().get(request.words[1], '')}\n")
        values = typed(app.charm, pairs(request.words[1:]))
        controller.set_config(app, values, reset=resets)
    return Reply()


def _settings(app: Application) -> dict[str, Any]:
    settings = {
        key: {
            "type": app.charm.options[key].type,
            "value": value,
            "source": "user" if key in app.config else "default",
            "default": app.charm.options[key].default,
        }
        for key, value in app.settings().items()
    }
    return {"application": app.name, "charm": app.charm.name, "settings": settings}


@command("integrate")
def integrate(request: Request) -> Reply:
    """Relate two applications."""
    with request.agent.changing() as model:
        controller.integrate(model, request.words[0], request.words[1])
    return Reply()


@command("remove-relation", switches="--force")
def remove_relation(request: Request) -> Reply:
    """Begin the end of a relation."""
    with request.agent.changing() as model:
        controller.remove_relation(model, request.words[0], request.words[1])
    return Reply()


@command("add-unit", values="--num-units --to")
def add_unit(request: Request) -> Reply:
    """Add units."""
    machines = _machines(request.arguments.get("--to"))
    count = int(request.arguments.get("--num-units") or max(1, len(machines)))
    with request.agent.changing() as model:
        controller.add_units(model, request.words[0], count=count, machines=machines)
    return Reply()


@command("remove-unit", values="--num-units", switches="--no-prompt --destroy-storage")
def remove_unit(request: Request) -> Reply:
    """Begin the end of units, given by name or by number from the highest."""
    with request.agent.changing() as model:
        names = list(request.words)
        if count := int(request.arguments.get("--num-units") or 0):
            units = model.units_of(request.words[0])
            names = [unit.name for unit in units[-count:]]
        for name in names:
            controller.remove_unit(model, name)
    return Reply()


@command("remove-application", switches="--no-prompt --destroy-storage")
def remove_application(request: Request) -> Reply:
    """Begin the end of applications."""
    with request.agent.changing() as model:
        for name in request.words:
            controller.remove_application(model, name)
    return Reply()


@command("resolved", switches="--no-retry --all")
def resolved(request: Request) -> Reply:
    """Let failed hooks run again, or pass over them."""
    retry = not request.arguments.has("--no-retry")
    with request.agent.changing() as model:
        units = [model.unit(name) for name in request.words]
        if request.arguments.has("--all"):
            units = [unit for unit in model.units.values() if unit.failure]
        for unit in units:
            request.agent.resolve(unit, retry=retry)
    return Reply()


@command("trust", values="--scope", switches="--remove")
def trust(request: Request) -> Reply:
    """Trust an application with the cloud's credentials; the lab has none to give."""
    with request.agent.changing() as model:
        model.application(request.words[0]).trust = not request.arguments.has("--remove")
    return Reply()


@command("status")
def show_status(request: Request) -> Reply:
    """Tell the state of the model."""
    if request.arguments.get("--format", "json") != "json":
        raise NotPlayedError("status in another format than json")
    with request.agent.changed:
        return as_json(status(request.agent))


@command("show-unit")
def show_one_unit(request: Request) -> Reply:
    """Tell the databags of a unit."""
    with request.agent.changed:
        return as_json(show_unit(request.agent, request.agent.model.unit(request.words[0])))


@command("model-config")
def model_config(request: Request) -> Reply:
    """Read or set how often update-status comes, the one setting that is played."""
    with request.agent.changing() as model:
        for key, value in pairs(request.words).items():
            if key != "update-status-hook-interval":
                raise NotPlayedError(f"model-config {key}")
            model.update_status_s = _seconds(value)
        interval = f"{model.update_status_s:g}s"
    if request.words:
        return Reply()
    return as_json({"update-status-hook-interval": {"Value": interval, "Source": "model"}})


def _seconds(text: str) -> float:
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    if text[-1:] not in units or not text[:-1].replace(".", "", 1).isdigit():
        raise RequestError(f'"{text}" is no duration; say 10s, 5m or 1h')
    return float(text[:-1]) * units[text[-1]]


@command("debug-log", values="--limit", switches="--replay --no-tail")
def debug_log(request: Request) -> Reply:
    """Print the last lines of the log."""
    log = request.agent.trace.log
    lines = log.read_text(errors="replace").splitlines(keepends=True) if log.exists() else []
    limit = int(request.arguments.get("--limit") or 0)
    return Reply(output="".join(lines[-limit:]))


@command("version", switches="--all")
def version(request: Request) -> Reply:
    """Tell which Juju is played."""
    del request
    return as_json({"version": f"{JUJU_VERSION}-lab", "git-commit": "", "git-tree-state": ""})


@command("switch")
def switch(request: Request) -> Reply:
    """Stay: there is one model."""
    return Reply(output=f"lab:{request.agent.model.name}\n")


@command("models")
def models(request: Request) -> Reply:
    """List the one model."""
    name = request.agent.model.name
    return as_json({"models": [{"name": name, "short-name": name}], "current-model": name})
