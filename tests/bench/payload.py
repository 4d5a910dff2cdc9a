# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible sends to a host for ipvs_table with a large table: the very file, with the module and its options in it.

It runs on the controller and writes .cache/bench/SERVICES.py, for the guest in which test_process.py runs it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from test_process import DIRECTORY, SIZES, table


def write(services: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        play = {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            # The file is made and sent, and nobody reads it: this machine's table is none of our business.
            "vars": {"ansible_python_interpreter": "/bin/true"},
            "tasks": [{"name": "Fill the table", "lvs.topology.ipvs_table": {"services": table(services)}}],
        }
        playbook = Path(directory, "play.json")
        playbook.write_text(json.dumps([play]))
        environment = {**os.environ, "ANSIBLE_KEEP_REMOTE_FILES": "1", "ANSIBLE_PIPELINING": "0"}
        environment["ANSIBLE_REMOTE_TMP"] = directory
        subprocess.run(["ansible-playbook", str(playbook)], env=environment, capture_output=True, check=False)
        (sent,) = Path(directory).glob("*/AnsiballZ_ipvs_table.py")
        shutil.copyfile(sent, DIRECTORY / f"{services}.py")


if __name__ == "__main__":
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for size in SIZES:
        write(size)
