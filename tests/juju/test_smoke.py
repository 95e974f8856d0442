# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""The smallest proof with pytest-operator: the packed charm deploys, and says what it needs."""

import os
import shutil

import pytest

from tests.juju.conftest import image, packed

pytestmark = pytest.mark.juju


@pytest.mark.abort_on_fail
async def test_packed_charm_deploys_and_asks_for_its_relations(request):
    if shutil.which("juju") is None or not os.environ.get("JUJU_CONTROLLER"):
        pytest.skip("JUJU_CONTROLLER names no controller: this test wants a real one")
    charm = packed("masakari-k8s")
    ops_test = request.getfixturevalue("ops_test")
    model = ops_test.model

    await model.deploy(str(charm), application_name="masakari", resources=image())
    await model.wait_for_idle(apps=["masakari"], status="blocked", timeout=900)

    unit = model.applications["masakari"].units[0]
    assert unit.workload_status_message.startswith("integrate with ")
