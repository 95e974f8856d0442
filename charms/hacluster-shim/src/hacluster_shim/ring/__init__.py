# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The Pacemaker ring: Corosync members, pacemaker-remote hypervisors, and what runs on them."""
