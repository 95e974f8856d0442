# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import json

from sunbeam.clusterd.service import ConfigItemNotFoundException
from sunbeam.core.common import read_config, update_config


class TerraformException(Exception): ...


class TerraformStateLockedException(Exception): ...


class TerraformHelper:
    """Of the real one: what is kept of variables, and that the manifest's options win."""

    def __init__(self, path, plan, tfvar_map):
        self.path, self.plan, self.tfvar_map = path, plan, tfvar_map

    def init(self): ...

    def apply(self, extra_args=None, reporter=None): ...

    def destroy(self, reporter=None): ...

    def output(self, hide_output=False):
        return {}

    def write_tfvars(self, vars, location=None):
        (self.path / "terraform.tfvars.json").write_text(json.dumps(vars))

    def _said(self, manifest):
        found = {}
        for charm, words in self.tfvar_map.get("charms", {}).items():
            for feature in manifest.features.values():
                said = feature.software.charms[charm].model_dump(exclude_none=True)
                found |= {variable: said[word] for word, variable in words.items() if word in said}
        return found

    def update_tfvars_and_apply_tf(
        self,
        client,
        manifest,
        tfvar_config=None,
        override_tfvars=None,
        tf_apply_extra_args=None,
        reporter=None,
    ):
        said = self._said(manifest)
        variables = said | {
            name: value | said.get(name, {}) if name.endswith("-config") else value
            for name, value in override_tfvars.items()
        }
        self._apply(client, tfvar_config, variables, list(override_tfvars), reporter)

    def update_partial_tfvars_and_apply_tf(
        self,
        client,
        manifest,
        charms,
        tfvar_config=None,
        tf_apply_extra_args=None,
        reporter=None,
    ):
        try:
            variables = read_config(client, tfvar_config)
        except ConfigItemNotFoundException:
            variables = {}
        kept = variables.pop("_computed_keys", [])
        variables |= {n: v for n, v in self._said(manifest).items() if n not in kept}
        self._apply(client, tfvar_config, variables, kept, reporter)

    def _apply(self, client, key, variables, kept, reporter):
        update_config(client, key, variables | {"_computed_keys": kept})
        self.write_tfvars(variables)
        self.apply(reporter=reporter)
