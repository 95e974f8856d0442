# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
CONSUL_CHANNEL = "1.19/edge"
OPENSTACK_CHANNEL = "2026.1/edge"
