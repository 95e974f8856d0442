# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The controller of clouds whose hypervisors a Pacemaker ring watches and fences.

It runs on every member of the ring and needs no Consul, no shared database and no plugin in
Masakari: the ring says who is lost, who is off, and which member may speak of it.
"""
