# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import json

import click


class SunbeamException(Exception): ...


def read_config(client, key):
    return json.loads(client.cluster.get_config(key))


def update_config(client, key, config):
    client.cluster.update_config(key, json.dumps(config))


def run_plan(plan, console, no_hint=True, no_raise=False):
    for step in plan:
        if reason := step.run(None):
            raise click.ClickException(reason)
