# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
def get_admin_connection(jhelper, deployment):
    raise NotImplementedError
