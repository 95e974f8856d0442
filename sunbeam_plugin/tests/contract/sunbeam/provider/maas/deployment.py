# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
def is_maas_deployment(deployment):
    return deployment.type == "maas"
