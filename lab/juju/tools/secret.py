# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Hook tools that keep, grant and read secrets."""

import secrets as entropy
import time

from lab.juju.arguments import Arguments
from lab.juju.context import HookContext
from lab.juju.errors import NotPlayedError, ToolError
from lab.juju.model import Grant, Secret

from .catalogue import Tool, as_json, tool

TOOLS: dict[str, Tool] = {}

ROTATION_S = {
    "never": None,
    "hourly": 3600.0,
    "daily": 86400.0,
    "weekly": 604800.0,
    "monthly": 2592000.0,
    "quarterly": 7776000.0,
    "yearly": 31536000.0,
}


def bare(reference: str) -> str:
    """Return the id in ``secret:ID``, ``secret://MODEL/ID`` or ``ID``."""
    return reference.rpartition("/")[2].removeprefix("secret:")


def owned(context: HookContext, secret: Secret) -> bool:
    """Say whether the unit or its application owns *secret*."""
    return bool(secret.owner) and secret.owner in (context.unit.name, context.unit.app)


def granted(context: HookContext, secret: Secret) -> bool:
    """Say whether a relation, or the operator, lets the unit read *secret*."""
    return any(_covers(context, grant) for grant in secret.grants)


def _covers(context: HookContext, grant: Grant) -> bool:
    if grant.relation is None:
        return grant.app == context.unit.app
    relation = context.model.relations.get(grant.relation)
    here = relation is not None and context.unit.app in relation.endpoints
    return here and grant.unit in ("", context.unit.name)


def _find(context: HookContext, arguments: Arguments) -> Secret:
    reference = bare(arguments.words[0]) if arguments.words else ""
    label = arguments.get("--label")
    for secret in context.all_secrets():
        consumer = context.consumer(secret)
        by_label = (
            not reference
            and label != ""
            and (
                (owned(context, secret) and secret.label == label)
                or (consumer is not None and consumer.label == label)
            )
        )
        if secret.id == reference or by_label:
            return secret
    raise ToolError(f'secret "{reference or label}" not found')


def _readable(context: HookContext, arguments: Arguments) -> Secret:
    secret = _find(context, arguments)
    if not owned(context, secret) and not granted(context, secret):
        raise ToolError("permission denied")
    return secret


def _mine(context: HookContext, arguments: Arguments) -> Secret:
    """Return a secret that the unit may change: its own, or as leader its application's."""
    secret = _find(context, arguments)
    by_leader = secret.owner == context.unit.app and context.leader
    if secret.owner != context.unit.name and not by_leader:
        raise ToolError("permission denied")
    return secret


def _describe(secret: Secret, arguments: Arguments) -> None:
    if arguments.get("--expire"):
        raise NotPlayedError("expiry of secrets")
    secret.label = arguments.get("--label", secret.label)
    secret.description = arguments.get("--description", secret.description)
    if rotate := arguments.get("--rotate"):
        period_s = ROTATION_S[rotate]
        secret.rotate = rotate
        secret.rotates_at = None if period_s is None else time.time() + period_s


@tool(TOOLS, "secret-add", values="--label --description --expire --rotate --owner")
def secret_add(context: HookContext, arguments: Arguments) -> str:
    """Keep a new secret of the application or the unit; print its URI."""
    by_unit = arguments.get("--owner", "application") == "unit"
    if not by_unit and not context.leader:
        raise ToolError("this unit is not the leader")
    content = {**arguments.content, **dict(word.split("=", 1) for word in arguments.words)}
    if not content:
        raise ToolError("missing secret value")
    owner = context.unit.name if by_unit else context.unit.app
    secret = Secret(id=entropy.token_hex(10), owner=owner, revisions={1: content})
    _describe(secret, arguments)
    context.secrets[secret.id] = secret
    return f"secret://{context.model.uuid}/{secret.id}\n"  # juju-trace: secret URI forms


@tool(TOOLS, "secret-get", values="--label", switches="--refresh --peek")
def secret_get(context: HookContext, arguments: Arguments) -> str:
    """Read a secret; the unit stays at the revision it read first until it refreshes.

    juju-trace: the owner is a consumer too once it reads.
    """
    secret = _readable(context, arguments)
    if arguments.has("--peek"):
        return as_json(secret.revisions[secret.latest])
    consumer = context.writable_consumer(secret)
    if arguments.words and arguments.get("--label"):
        consumer.label = arguments.get("--label")
    if arguments.has("--refresh") or consumer.revision not in secret.revisions:
        consumer.revision = secret.latest
        consumer.told = max(consumer.told, secret.latest)
    return as_json(secret.revisions[consumer.revision])


@tool(TOOLS, "secret-set", values="--label --description --expire --rotate --owner")
def secret_set(context: HookContext, arguments: Arguments) -> str:
    """Give a secret a new revision, or other metadata; the same content is no new revision."""
    by_id = Arguments(words=arguments.words[:1])
    secret = context.writable_secret(_mine(context, by_id))
    _describe(secret, arguments)
    content = {**arguments.content, **dict(w.split("=", 1) for w in arguments.words[1:])}
    if content and content != secret.revisions[secret.latest]:
        secret.revisions[secret.latest + 1] = content
    return ""


@tool(TOOLS, "secret-grant", values="--relation --unit")
def secret_grant(context: HookContext, arguments: Arguments) -> str:
    """Let the other end of a relation read a secret."""
    secret = context.writable_secret(_mine(context, arguments))
    grant = _grant(context, arguments)
    if grant not in secret.grants:
        secret.grants.append(grant)
    return ""


@tool(TOOLS, "secret-revoke", values="--relation --app --unit")
def secret_revoke(context: HookContext, arguments: Arguments) -> str:
    """Take a grant back."""
    if arguments.get("--app"):
        raise NotPlayedError("option --app of secret-revoke")
    secret = context.writable_secret(_mine(context, arguments))
    grant = _grant(context, arguments)
    secret.grants = [kept for kept in secret.grants if kept != grant]
    return ""


def _grant(context: HookContext, arguments: Arguments) -> Grant:
    number = arguments.get("--relation").rpartition(":")[2]
    if not number.isdigit() or int(number) not in context.model.relations:
        raise ToolError(f'relation "{number}" not found')
    far = context.model.relations[int(number)].other(context.unit.app)
    return Grant(relation=int(number), app=far, unit=arguments.get("--unit"))


@tool(TOOLS, "secret-remove", values="--revision")
def secret_remove(context: HookContext, arguments: Arguments) -> str:
    """Forget one revision, or the whole secret with its last one."""
    secret = context.writable_secret(_mine(context, arguments))
    if arguments.get("--revision"):
        secret.revisions.pop(int(arguments.get("--revision")), None)
    if not arguments.get("--revision") or not secret.revisions:
        context.removed.add(secret.id)
        context.secrets.pop(secret.id)
    return ""


@tool(TOOLS, "secret-ids")
def secret_ids(context: HookContext, arguments: Arguments) -> str:
    """List the secrets of the unit and its application, as bare ids (juju-trace)."""
    del arguments
    return as_json([secret.id for secret in context.all_secrets() if owned(context, secret)])


@tool(TOOLS, "secret-info-get", values="--label")
def secret_info_get(context: HookContext, arguments: Arguments) -> str:
    """Describe a secret of one's own, with who may read it (juju-trace: access)."""
    secret = _mine(context, arguments)
    info: dict[str, object] = {
        "revision": secret.latest,
        "owner": "unit" if "/" in secret.owner else "application",
        "rotation": secret.rotate,
    }
    info |= {k: v for k in ("label", "description") if (v := getattr(secret, k))}
    if access := [entry for grant in secret.grants if (entry := _access(context, grant))]:
        info["access"] = access
    return as_json({secret.id: info})


def _access(context: HookContext, grant: Grant) -> dict[str, str]:
    relation = context.model.relations.get(-1 if grant.relation is None else grant.relation)
    if relation is None:
        return {}
    near, far = context.unit.app, relation.other(context.unit.app)
    unit = grant.unit.replace("/", "-")
    return {
        "target": f"unit-{unit}" if unit else f"application-{far}",
        "scope": f"relation-{far}.{relation.endpoints[far]}#{near}.{relation.endpoints[near]}",
        "role": "view",
    }
