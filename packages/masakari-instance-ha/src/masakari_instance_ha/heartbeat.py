# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Signs of life of an engine while it works on a notification."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING

from instance_ha.errors import StoreUnreachableError

if TYPE_CHECKING:
    from collections.abc import Generator

    from masakari_instance_ha.store import Store

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def beating(store: Store, *, notification: str, by: str, every_s: float) -> Generator[None]:
    """Say that *by* works on *notification*, from now until the block ends.

    A thread of its own does it, because one question to a slow BMC lasts longer than the silence
    after which the controller gives the notification to another engine.

    Raises:
        StoreUnreachableError: if not even the first sign could be written.
    """
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(every_s):
            try:
                store.beat(notification, by=by)
            except StoreUnreachableError as error:
                logger.warning("notification %s: no sign of life: %s", notification, error)

    store.beat(notification, by=by)
    thread = threading.Thread(target=beat, name=f"beat-{notification}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
