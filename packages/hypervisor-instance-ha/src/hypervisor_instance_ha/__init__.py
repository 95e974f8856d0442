# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Eyes and guard on a hypervisor; the standard library and the distribution's libvirt only.

It runs where memory belongs to guests and where nothing may have to be downloaded, so it brings no
client libraries: a process that watches needs 18 MiB, one with openstacksdk 52.
"""
