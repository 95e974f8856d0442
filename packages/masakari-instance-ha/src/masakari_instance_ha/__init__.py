# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Instance HA at Masakari's extension points: tasks, host-monitor driver, fencers, store."""
