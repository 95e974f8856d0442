# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Hook tools that read and write relations."""

import json

from lab.juju.arguments import Arguments
from lab.juju.context import HookContext
from lab.juju.errors import ToolError
from lab.juju.model import Relation

from .catalogue import Tool, as_json, tool

TOOLS: dict[str, Tool] = {}


def find(context: HookContext, reference: str) -> Relation:
    """Return the relation that ``-r`` names, by default that of the hook."""
    reference = reference or context.env.get("JUJU_RELATION_ID", "")
    endpoint, _, number = reference.rpartition(":")
    relation = context.model.relations.get(int(number)) if number.isdigit() else None
    if relation is None or relation.id not in context.unit.told:
        raise ToolError(f'invalid value "{reference}" for option -r: relation not found')
    if endpoint and relation.endpoints.get(context.unit.app) != endpoint:
        raise ToolError(f'invalid value "{reference}" for option -r: relation not found')
    return relation


@tool(TOOLS, "relation-ids")
def relation_ids(context: HookContext, arguments: Arguments) -> str:
    """List the relations of an endpoint that the unit has entered."""
    endpoint = arguments.word("endpoint name")
    return as_json(
        [
            f"{endpoint}:{relation.id}"
            for relation in context.model.relations_of(context.unit.app)
            if relation.endpoints[context.unit.app] == endpoint
            and relation.id in context.unit.told
        ]
    )


@tool(TOOLS, "relation-list", values="-r", switches="--app")
def relation_list(context: HookContext, arguments: Arguments) -> str:
    """List the remote units that the unit was told of, or name the remote application."""
    relation = find(context, arguments.get("-r"))
    if arguments.has("--app"):
        return as_json(relation.other(context.unit.app))
    return as_json(sorted(context.unit.told[relation.id].members))


@tool(TOOLS, "relation-model-get", values="-r")
def relation_model_get(context: HookContext, arguments: Arguments) -> str:
    """Say in which model the other end is: always this one."""
    find(context, arguments.get("-r"))
    return as_json({"uuid": context.model.uuid})


@tool(TOOLS, "relation-get", values="-r", switches="--app")
def relation_get(context: HookContext, arguments: Arguments) -> str:
    """Read a databag, or one key of it."""
    relation = find(context, arguments.get("-r"))
    key, who = (
        (*arguments.words, "-", "")[:2]
        if not arguments.words
        else (
            arguments.words[0],
            arguments.words[1] if len(arguments.words) > 1 else "",
        )
    )
    who = who or context.env.get("JUJU_REMOTE_UNIT") or context.env.get("JUJU_REMOTE_APP", "")
    if arguments.has("--app"):
        who = who.partition("/")[0]
    _refuse_strangers(context, relation, who, app_bag=arguments.has("--app"))
    bag = context.bag(relation, who)
    return as_json(bag if key == "-" else bag.get(key))


def _refuse_strangers(
    context: HookContext, relation: Relation, who: str, *, app_bag: bool
) -> None:
    if who.partition("/")[0] not in relation.endpoints or app_bag == ("/" in who):
        raise ToolError("permission denied")
    own_app = app_bag and who == context.unit.app
    if own_app and not relation.peer and not context.leader:
        raise ToolError("permission denied")


@tool(TOOLS, "relation-set", values="-r --file", switches="--app")
def relation_set(context: HookContext, arguments: Arguments) -> str:
    """Write the unit's databag, or as leader the application's; an empty value removes a key."""
    relation = find(context, arguments.get("-r"))
    if arguments.has("--app") and not context.leader:
        raise ToolError("cannot write relation settings")
    pairs = dict(word.split("=", 1) for word in arguments.words)
    if arguments.get("--file"):
        pairs |= json.loads(arguments.stdin)
    app_bag = arguments.has("--app")
    bag = context.writable_bag(relation, context.unit.app if app_bag else context.unit.name)
    for key, value in pairs.items():
        if value == "":
            bag.pop(key, None)
        else:
            bag[key] = value
    return ""
