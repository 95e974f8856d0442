# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
class MaasClient:
    @classmethod
    def from_deployment(cls, deployment):
        return cls()
