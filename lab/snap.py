# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A hypervisor in the shape of the snap ``openstack-hypervisor``, and a charm beside it.

Everything is where the snap has it: Nova's and libvirt's files and libvirt's socket in the snap's
common directory, services under the snap's names. libvirtd and QEMU are real. nova-compute is a
process that does nothing: what is looked at is when it may run, and who starts it.
"""

import jubilant

from . import compute, deployment, guest, host, juju, maas, recorder
from .host import Host

COMMON = "/var/snap/openstack-hypervisor/common"
URI = f"qemu+unix:///system?socket={COMMON}/run/libvirt/libvirt-sock"
NOVA_COMPUTE = "snap.openstack-hypervisor.nova-compute.service"
LIBVIRTD = "snap.openstack-hypervisor.libvirtd.service"
VIRTLOGD = "snap.openstack-hypervisor.virtlogd.service"
KEYSTONE = "charmed-keystone"

_UNIT = """[Unit]
Description=Service for snap application openstack-hypervisor.{app}
{order}

[Service]
ExecStart={command}
KillMode=process

[Install]
WantedBy=multi-user.target
"""
_SERVICES = {
    VIRTLOGD: ("virtlogd", "", "/usr/sbin/virtlogd"),
    LIBVIRTD: (
        "libvirtd",
        f"After={VIRTLOGD}",
        f"/usr/sbin/libvirtd --config {COMMON}/etc/libvirt/libvirtd.conf",
    ),
    NOVA_COMPUTE: ("nova-compute", f"After={LIBVIRTD}", "/usr/bin/sleep infinity"),
}

_GUEST = """<domain type='qemu'>
  <name>{uuid}</name>
  <uuid>{uuid}</uuid>
  <metadata>
    <nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1"/>
  </metadata>
  <memory unit='MiB'>96</memory>
  <os>
    <type machine='pc'>hvm</type>
    <kernel>{kernel}</kernel>
    <initrd>{initramfs}</initrd>
    <cmdline>console=ttyS0 quiet panic=1 answers={answers}</cmdline>
  </os>
  <devices>
    <channel type='unix'>
      <target type='virtio' name='org.qemu.guest_agent.0'/>
    </channel>
  </devices>
</domain>
"""


def ensure_up(each: Host, *, nova_host: str) -> jubilant.Juju:
    """Bring the hypervisor up beside a cloud that only remembers, with our monitors on it.

    Args:
        each: The machine.
        nova_host: Its name in Nova's configuration, another one than the machine's own.
    """
    _install(each, nova_host=nova_host)
    host.ensure_up([each])
    maas.ensure_up()
    recorder.ensure_up([nova_host])
    deployment.stage()
    client = juju.ensure_up()
    if deployment.MONITORS not in client.status().apps:
        _deploy(client, machine=str(each.number - 1))
    deployment.wait_active(client)
    return client


def _install(each: Host, *, nova_host: str) -> None:
    host.write(each, f"{COMMON}/etc/nova/nova.conf", f"[DEFAULT]\nhost = {nova_host}\n")
    libvirtd = compute.LIBVIRTD_CONFIG.format(uuid=each.uuid, address=each.address())
    sockets = f'unix_sock_dir = "{COMMON}/run/libvirt"\n'
    host.write(each, f"{COMMON}/etc/libvirt/libvirtd.conf", libvirtd + sockets)
    host.write(each, f"{COMMON}/run/libvirt/.keep", "")
    # Here libvirtd is the distribution's, which looks for this one file in its own place.
    host.write(each, "/etc/libvirt/qemu.conf", compute.QEMU_CONFIG)
    for name, (app, order, command) in _SERVICES.items():
        host.install_unit(each, name, _UNIT.format(app=app, order=order, command=command))


def _deploy(client: jubilant.Juju, *, machine: str) -> None:
    stage, hypervisor, monitors = deployment.STAGE, deployment.HYPERVISOR, deployment.MONITORS
    client.deploy(stage / hypervisor, hypervisor, to=[machine])
    deploy_keystone(client)
    client.deploy(stage / monitors, monitors)
    client.integrate(f"{monitors}:container", f"{hypervisor}:juju-info")
    client.integrate(f"{monitors}:identity-credentials", f"{KEYSTONE}:identity-credentials")


def deploy_keystone(client: jubilant.Juju) -> None:
    """Deploy the Keystone that gives accounts of the recorder."""
    where = {"host": recorder.ADDRESS, "port": str(recorder.PORT)}
    client.deploy(deployment.STAGE / KEYSTONE, KEYSTONE, config=where)


def start_guest(each: Host, *, uuid: str, answers: int = 1_000_000) -> None:
    """Start a guest that has no disk, defined as Nova defines its own.

    Args:
        each: Where.
        uuid: Its name for Nova.
        answers: How often its agent answers before the guest hangs.
    """
    virsh = ["virsh", "--connect", URI]
    files = guest.build(guest.AGENT)
    xml = _GUEST.format(uuid=uuid, answers=answers, kernel=files.kernel, initramfs=files.initramfs)
    host.run(each, [*virsh, "define", "/dev/stdin"], input=xml)
    host.run(each, [*virsh, "start", uuid])
