# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Instance recovery as a feature of Sunbeam; ``feature.py`` is what Sunbeam loads."""
