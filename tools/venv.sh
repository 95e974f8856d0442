#!/bin/sh
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
#
# Usage: venv.sh DIRECTORY
# Makes the virtual environment that `make` works from: tox, and what the lab's own command imports.
set -eu

venv=$1
export UV_PYTHON_DOWNLOADS=never
export UV_CONSTRAINT=constraints.txt

python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "python3 is older than 3.11; install Python 3.11 or later and try again" >&2
    exit 1
}

if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" -ne 0 ]; then
        echo "python3 lacks its venv module; run: sudo apt-get install python3-venv" >&2
        exit 1
    fi
    echo "== python3 lacks its venv module: installing python3-venv"
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends python3-venv
fi

echo "== making $venv"
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install -q --disable-pip-version-check -c constraints.txt uv
"$venv/bin/uv" pip install -q --python "$venv/bin/python" --group tools --group lab \
    -e packages/instance-ha -e packages/instance-ha-relations
touch "$venv/ready"
