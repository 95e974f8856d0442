# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import pathlib

import pydantic
import yaml


class CharmManifest(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    channel: str | None = None
    revision: int | None = None
    config: dict[str, object] | None = None


class TerraformManifest(pydantic.BaseModel):
    source: pathlib.Path


class SoftwareConfig(pydantic.BaseModel):
    charms: dict[str, CharmManifest] = {}
    terraform: dict[str, TerraformManifest] = {}


class FeatureConfig(pydantic.BaseModel): ...


class FeatureManifest(pydantic.BaseModel):
    config: pydantic.SerializeAsAny[FeatureConfig] | None = None
    software: SoftwareConfig = SoftwareConfig()


class Manifest(pydantic.BaseModel):
    features: dict[str, FeatureManifest] = {}

    def get_feature(self, name):
        return self.features.get(name)


class AddManifestStep:
    def __init__(self, client, manifest_file=None, clear=False):
        self.client, self.manifest_file = client, manifest_file

    def run(self, context):
        data = yaml.safe_dump(yaml.safe_load(self.manifest_file.read_text("utf-8")))
        self.client.cluster.add_manifest(data=data)
