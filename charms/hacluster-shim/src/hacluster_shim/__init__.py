# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The fencing authority: credentials that are proven to work, for every hypervisor."""
