# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

import pytest
from fakes import Clock, FakeCloud, Transcript


@pytest.fixture
def cloud() -> FakeCloud:
    return FakeCloud()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def show() -> Transcript:
    return Transcript()
