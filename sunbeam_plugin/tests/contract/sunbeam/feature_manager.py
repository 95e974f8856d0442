# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import importlib

from sunbeam.features.interface.v1 import base


class FeatureManager:
    """Of the real one: what is loaded, registered and upgraded."""

    _features = {}

    def __init__(self):
        importlib.import_module("sunbeam.features.instance_recovery.feature")
        for name, feature in base.FEATURES.items():
            self._features.setdefault(name, feature())

    def features(self):
        return self._features

    def register(self, cli, deployment):
        for feature in self.features().values():
            enabled = feature.is_enabled(deployment.get_client())
            feature.register(cli, {"enabled": enabled})

    def update_features(self, deployment, upgrade_release=False):
        for feature in self.features().values():
            if feature.is_enabled(deployment.get_client()):
                feature.upgrade_hook(deployment, upgrade_release=upgrade_release)
