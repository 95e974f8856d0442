# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""When the lab calls a host a hypervisor."""

import pytest

from lab import compute


@pytest.mark.parametrize(
    ("reported_s", "heard"),
    [
        pytest.param({"h1": 99}, False, id="of the process before it"),
        pytest.param({"h1": 100}, False, id="perhaps of the process before it"),
        pytest.param({"h1": 101}, True, id="its own"),
        pytest.param({"h2": 101}, False, id="another host's"),
    ],
)
def test_a_host_is_heard_by_a_report_of_the_process_that_runs_now(reported_s, heard):
    assert compute.is_heard(reported_s, {"h1": 100}) is heard
