# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import pathlib
from typing import Generic, TypeVar

import click
from sunbeam.clusterd.service import ConfigItemNotFoundException
from sunbeam.core.common import read_config, update_config

FEATURES = {}
ConfigType = TypeVar("ConfigType")


class BaseFeature:
    """Of the real one: registered by its name, its commands by the names of groups."""

    group = None

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if name := getattr(cls, "name", None):
            FEATURES[name] = cls

    def config_type(self): ...

    def upgrade_hook(self, deployment, upgrade_release=False): ...

    def default_software_overrides(self): ...

    def manifest_attributes_tfvar_map(self):
        return {}

    def preseed_questions_content(self):
        return []

    def get_feature_info(self, client):
        try:
            return read_config(client, f"Feature-{self.name}")
        except ConfigItemNotFoundException:
            return {}

    def update_feature_info(self, client, info):
        known = self.get_feature_info(client) | info | {"version": str(self.version)}
        update_config(client, f"Feature-{self.name}", known)

    def register(self, cli, conditions={}):
        groups = {"init": cli, **cli.commands}
        for group, commands in self.commands(conditions).items():
            for each in commands:
                command = each["command"]
                command.callback = _bound(command.callback, self)
                groups[group].add_command(command, each["name"])
                groups[f"{group}.{each['name']}"] = command


def _bound(callback, feature):
    return lambda *args, **params: callback(feature, *args, **params)


class EnableDisableFeature(BaseFeature, Generic[ConfigType]):
    """Of the real one: the flow around the two plans."""

    def __init__(self):
        self.user_manifest = None

    def is_enabled(self, client):
        return self.get_feature_info(client).get("enabled", "false").lower() == "true"

    def run_enable_plans(self, deployment, config, show_hints): ...

    def run_disable_plans(self, deployment, show_hints): ...

    def enable_feature(self, deployment, config, show_hints):
        given = click.get_current_context().parent.params.get("manifest")
        self.user_manifest = pathlib.Path(given) if given else None
        deployment.get_manifest(self.user_manifest)
        self.run_enable_plans(deployment, config, show_hints)
        self.update_feature_info(deployment.get_client(), {"enabled": "true"})

    def disable_feature(self, deployment, show_hints):
        self.run_disable_plans(deployment, show_hints)
        self.update_feature_info(deployment.get_client(), {"enabled": "false"})

    def enabled_commands(self):
        return {}

    def commands(self, conditions={}):
        inside = f".{self.group.name}" if self.group else ""
        found = {
            f"enable{inside}": [{"name": self.name, "command": self.enable_cmd}],
            f"disable{inside}": [{"name": self.name, "command": self.disable_cmd}],
        }
        return found | self.enabled_commands() if conditions.get("enabled") else found
