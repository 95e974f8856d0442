# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Hand the power to fence to whoever is related: a copy of the key as a secret of ours."""

import ops

from hacluster_shim.snapshot import FENCING, Maas
from instance_ha_relations import fencing
from instance_ha_relations.fencing import FencingData, FencingTarget

LABEL = "fencing-credentials"
BMCS_LABEL = "bmc-credentials"
CEPH_LABEL = "ceph-credentials"


def publish(charm: ops.CharmBase, maas: Maas, targets: dict[str, FencingTarget]) -> None:
    """Write the fencing databag of every relation; the leader only.

    The operator's secret stays the operator's: what is granted is a secret of this application
    with the same content, so that both can be revoked apart.
    """
    relations = charm.model.relations[FENCING]
    if not relations:
        return
    key = _ensure_secret(charm, {"api-key": maas.api_key.get_secret_value()}, label=LABEL)
    bmcs = _ensure_secret(charm, {"bmcs": maas.bmcs}, label=BMCS_LABEL) if maas.bmcs else None
    ceph = _ceph_secret(charm, maas)
    for relation in relations:
        for secret in filter(None, (key, bmcs, ceph)):
            secret.grant(relation)
        data = FencingData(
            mode="maas",
            maas_url=maas.url,
            credentials=key.get_info().id,
            ca=maas.ca or None,
            bmcs=bmcs.get_info().id if bmcs else None,
            ceph_hosts=maas.ceph.hosts if maas.ceph else [],
            ceph_user=maas.ceph.user if maas.ceph else None,
            ceph_credentials=ceph.get_info().id if ceph else None,
            rungs=maas.rungs,
            segment_rungs=maas.segment_rungs,
            targets=targets,
        )
        fencing.write(relation, charm.app, data)


def _ceph_secret(charm: ops.CharmBase, maas: Maas) -> ops.Secret | None:
    if maas.ceph is None:
        return None
    content = {"key": maas.ceph.key.get_secret_value()}
    return _ensure_secret(charm, content, label=CEPH_LABEL)


def _ensure_secret(charm: ops.CharmBase, content: dict[str, str], *, label: str) -> ops.Secret:
    try:
        secret = charm.model.get_secret(label=label)
    except ops.SecretNotFoundError:
        return charm.app.add_secret(content, label=label)
    if secret.peek_content() != content:
        secret.set_content(content)
        secret.get_content(refresh=True)
    return secret
