# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import pathlib

import ops
import pytest

from .cloud import Cloud


@pytest.fixture
def cloud(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    here = Cloud(tmp_path)
    replan = ops.Container.replan

    def counted(container: ops.Container) -> None:
        here.replans.append(container.name)
        replan(container)

    monkeypatch.setattr(ops.Container, "replan", counted)
    return here
