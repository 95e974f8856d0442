# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""What operators do and see, through ``juju`` alone.

Each scenario is a function that takes a ``jubilant.Juju``: the lab's stand-in and a real
controller play the same ones. None of them looks behind Juju; faults of hosts and networks are
the lab's.
"""
