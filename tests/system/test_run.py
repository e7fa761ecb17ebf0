# SPDX-License-Identifier: GPL-2.0-or-later
"""What `make run` starts: xl in dom0 creates web and db by their configuration files; web's page, seen from here, holds
what db said."""
import os
import re
import shutil
import socket
import urllib.request

from lab import HOSPES, IMAGES, LINUX, VMLINUZ, Machine, bound, check, scratch

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts", "run.sh")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@bound(500, build="plain")
def test_page():
    """The page is there, db counts on its disk, both shut down in good order before the machine goes off."""
    folder, port = scratch("run"), free_port()
    os.makedirs(folder, exist_ok=True)
    for name in ("dom0.gz", "web.img", "db.img"):
        shutil.copy(os.path.join(IMAGES, "demo", name), folder)
    env = {"HOSPES": HOSPES, "KERNEL": VMLINUZ, "DEMO": folder, "SMP": "2", "MEM": "1024", "ACCEL": "tcg", "PORT": str(port)}
    with Machine("run", command=[RUN], env=env) as m:
        m.expect("dom0: this is dom0's shell", 4 * LINUX)
        visits = []
        for _ in range(2):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as page:
                text = page.read().decode()
            check('This is the virtual server "web"' in text and "quince" in text, f"the page: {text}")
            visits += re.findall(r"visits: (\d+)", text)
        check(len(visits) == 2 and int(visits[1]) == int(visits[0]) + 1, f"visits: {visits}")
        m.line("poweroff")
        m.expect("Domain 2 has been shut down, reason code 0", 60)
        m.expect(r"\(hv\) dom0: powered off, and the machine with it", 60)
        m.wait_end()
