# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The ``juju`` commands that reach into units: actions, shells, and the operator's secrets."""

import time
from collections.abc import Mapping

import yaml

from lab.process import deadline

from . import controller, runner
from .commands import Reply, Request, as_json, command, pairs
from .errors import NotPlayedError, RequestError
from .model import Secret, Task, Unit

_SHELL = {
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}
_PATIENCE_S = 60.0
"""How long ``juju run`` waits if not told otherwise, as the real one."""


@command("run", values="--wait --params")
def run(request: Request) -> Reply:
    """Run an action and wait for its end."""
    agent = request.agent
    given = {key: yaml.safe_load(text) for key, text in pairs(request.words[2:]).items()}
    with agent.changing() as model:
        params = {**request.file("--params"), **given}
        task = controller.request_action(model, request.words[0], request.words[1], params)
    wait = request.arguments.get("--wait")
    end = time.monotonic() + deadline(float(wait.removesuffix("s")) if wait else _PATIENCE_S)
    with agent.changed:
        agent.changed.wait_for(lambda: task.over, timeout=end - time.monotonic())
        if not task.over:
            message = f"timed out waiting for results from: unit {task.unit}"
            return Reply(errors=f"ERROR {message}\n", code=1)
        return _result(request, task)


def _result(request: Request, task: Task) -> Reply:
    said = task.model_dump(include={"status", "message", "log", "results"})
    if request.arguments.get("--format") == "json":
        output = as_json({task.unit: said | {"id": str(task.id)}}).output
    else:
        output = _plain(task.results)
    if task.status == "completed":
        return Reply(output=output)
    code = task.results.get("return-code", 0)
    errors = f"Action id {task.id} failed: {task.message}\n"
    errors += f'ERROR the following task failed:\n - id "{task.id}" with return code {code}\n'
    return Reply(output=output, errors=errors, code=1)


def _plain(results: Mapping[str, object]) -> str:
    """Return the results of a single task as Juju prints them for people: as YAML."""
    shown = {key: value for key, value in results.items() if key != "return-code"}
    return yaml.dump(shown, Dumper=_Readable, width=2**20) if shown else ""


class _Readable(yaml.SafeDumper):
    """Keeps the lines of a text apart, as Juju's YAML does."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Readable.add_representer(str, _text)


@command("exec", values="--unit --machine --wait", verbatim_after=1)
def execute(request: Request) -> Reply:
    """Run a shell command where a unit lives, outside of any hook."""
    unit = _unit(request, request.arguments.get("--unit") or request.arguments.get("--machine"))
    outcome = _shell(request, unit, " ".join(request.words))
    results = {"return-code": outcome.code, "stdout": outcome.stdout, "stderr": outcome.stderr}
    status = "failed" if outcome.code else "completed"
    task = {"id": "0", "status": status, "message": "", "log": [], "results": results}
    reply = as_json({unit.name: task})
    if request.arguments.get("--format") != "json":
        reply = Reply(output=outcome.stdout, errors=outcome.stderr)
    if outcome.code == 0:
        return reply
    errors = f"{reply.errors}ERROR the following task failed\n"
    return Reply(output=reply.output, errors=errors, code=1)


@command("ssh", values="--container", switches="--no-host-key-checks", verbatim_after=1)
def ssh(request: Request) -> Reply:
    """Run a shell command where a unit lives, or in one of its containers."""
    if len(request.words) < 2:
        raise NotPlayedError("ssh without a command")
    unit = _unit(request, request.words[0].rpartition("@")[2])
    container = request.arguments.get("--container")
    outcome = _shell(request, unit, " ".join(request.words[1:]), container=container)
    return Reply(output=outcome.stdout, errors=outcome.stderr, code=outcome.code)


def _shell(request: Request, unit: Unit, line: str, *, container: str = "") -> runner.Outcome:
    place = request.agent.place(unit)
    known = request.agent.model.applications[unit.app].charm.containers
    if container == "charm":
        container = ""
    elif container and container not in known:
        raise RequestError(f'container "{container}" not found in {unit.name}')
    return runner.execute(
        place, ["sh", "-c", line], directory="/", variables=_SHELL, container=container
    )


def _unit(request: Request, target: str) -> Unit:
    """Return the unit that *target* names, or any on the machine of that number."""
    with request.agent.changed:
        model = request.agent.model
        if not target.isdigit():
            return model.unit(target)
        for unit in model.units.values():
            if unit.machine == int(target):
                return unit
    raise RequestError(f"machine {target} not found: no unit runs on it")


@command("add-secret", values="--file --info")
def add_secret(request: Request) -> Reply:
    """Keep a secret of the operator; print its URI."""
    content = _content(request, words=request.words[1:])
    with request.agent.changing() as model:
        info = request.arguments.get("--info")
        secret = controller.add_secret(model, request.words[0], content, info=info)
    return Reply(output=f"secret:{secret.id}\n")


def _content(request: Request, *, words: tuple[str, ...]) -> dict[str, str]:
    values = {**request.file("--file"), **pairs(words)}
    return {key: str(value) for key, value in values.items()}


@command("update-secret", values="--file --info --name", switches="--auto-prune")
def update_secret(request: Request) -> Reply:
    """Give a secret of the operator a new revision."""
    for unplayed in ("--name", "--auto-prune"):
        if request.arguments.get(unplayed):
            raise NotPlayedError(f"update-secret {unplayed}")
    content = _content(request, words=request.words[1:])
    with request.agent.changing() as model:
        controller.update_secret(model, request.words[0], content)
    return Reply()


@command("grant-secret")
def grant_secret(request: Request) -> Reply:
    """Let applications read a secret of the operator."""
    with request.agent.changing() as model:
        controller.grant_secret(model, request.words[0], request.words[1].split(","))
    return Reply()


@command("revoke-secret")
def revoke_secret(request: Request) -> Reply:
    """Take such a grant back."""
    with request.agent.changing() as model:
        controller.revoke_secret(model, request.words[0], request.words[1].split(","))
    return Reply()


@command("remove-secret")
def remove_secret(request: Request) -> Reply:
    """Forget a secret of the operator."""
    with request.agent.changing() as model:
        secret = controller.user_secret(model, request.words[0])
        del model.secrets[secret.id]
        model.consumers.pop(secret.id, None)
    return Reply()


@command("secrets", values="--owner")
def secrets(request: Request) -> Reply:
    """List the secrets, without what they hold."""
    if request.arguments.get("--owner"):
        raise NotPlayedError("secrets --owner")
    with request.agent.changed:
        return as_json({s.id: _described(s) for s in request.agent.model.secrets.values()})


@command("show-secret", values="--revision", switches="--reveal")
def show_secret(request: Request) -> Reply:
    """Describe one secret, and with ``--reveal`` tell what it holds."""
    name = request.words[0].rpartition("/")[2].removeprefix("secret:")
    with request.agent.changed:
        every = request.agent.model.secrets.values()
        secret = next((s for s in every if name in (s.id, s.owner == "" and s.label)), None)
        if secret is None:
            raise RequestError(f'secret "{name}" not found')
        answer = _described(secret)
        if request.arguments.has("--reveal"):
            revision = int(request.arguments.get("--revision") or secret.latest)
            answer |= {"content": {"Data": secret.revisions[revision], "Checksum": ""}}
        return as_json({secret.id: answer})


def _described(secret: Secret) -> dict[str, object]:
    stamp = secret.created.replace(" ", "T")
    name = {"label": secret.label} if secret.owner else {"name": secret.label}
    return {
        "revision": secret.latest,
        "owner": secret.owner or "<model>",
        "description": secret.description,
        "created": stamp,
        "updated": stamp,
        "rotation": secret.rotate,
        **name,
    }
