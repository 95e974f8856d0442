# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import enum
import importlib
import json

import yaml
from sunbeam.core.manifest import FeatureManifest, Manifest
from sunbeam.core.terraform import TerraformHelper


class Networks(enum.Enum):
    PUBLIC = "public"
    STORAGE = "storage"
    STORAGE_CLUSTER = "storage-cluster"
    INTERNAL = "internal"
    DATA = "data"
    MANAGEMENT = "management"


class Deployment:
    """Of the real one: the manifest's way to a feature, and one Terraform for each plan."""

    juju_account = None

    def __init__(self, *, name, url, type, token=""):
        self.name, self.url, self.type, self.token = name, url, type, token
        self._manifest = None
        self._plans = {}
        if type == "maas":
            self.storage_ippool_label = f"{name}-storage-ippool"

    def get_feature_manager(self):
        return importlib.import_module("sunbeam.feature_manager").FeatureManager()

    def get_manifest(self, manifest_file=None):
        if self._manifest is None:
            if manifest_file is not None:
                said = yaml.safe_load(manifest_file.read_text("utf-8"))
            else:
                said = yaml.safe_load(self.get_client().cluster.get_latest_manifest()["data"])
            self._manifest = self.parse_manifest(said)
        return self._manifest

    def parse_manifest(self, manifest_data):
        features = {}
        for name, feature in self.get_feature_manager().features().items():
            said = manifest_data.get("features", {}).get(name, {})
            default = feature.default_software_overrides()
            software = said.get("software", {}).get("charms", {})
            if unknown := software.keys() - default.charms.keys():
                raise ValueError(f"Manifest Software charms keys should be one of {unknown}")
            charms = {
                key: charm.model_copy(update=software.get(key, {}))
                for key, charm in default.charms.items()
            }
            for key, charm in charms.items():
                charm.__pydantic_extra__.update(
                    {k: v for k, v in software.get(key, {}).items() if k == "charm"}
                )
            default.charms = charms
            config = None
            if said.get("config"):
                config = feature.config_type().model_validate(said["config"])
            features[name] = FeatureManifest(config=config, software=default)
        return Manifest(features=features)

    def get_tfhelper(self, tfplan):
        tfvar_map = {}
        for feature in self.get_feature_manager().features().values():
            tfvar_map |= feature.manifest_attributes_tfvar_map()
        folder = self.plans_directory / tfplan
        folder.mkdir(parents=True, exist_ok=True)
        return self._plans.setdefault(
            tfplan, TerraformHelper(folder, tfplan, tfvar_map.get(tfplan, {}))
        )

    def get_juju_helper(self, keystone=False):
        raise NotImplementedError

    def get_client(self):
        raise NotImplementedError

    def get_space(self, network):
        raise NotImplementedError

    def get_region_name(self):
        return json.loads(self.get_client().cluster.get_config("Region"))["region"]
