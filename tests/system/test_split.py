# SPDX-License-Identifier: GPL-2.0-or-later
"""Split drivers: servers whose disks and network have their back halves in dom0 or in another server, set up by
Debian's xl and its scripts."""
import re

from lab import LINUX, VMLINUZ, Machine, bound, check, module
from test_xl import OPTIONS, RAMDISK, Dom0

WORKS = 120             # seconds that a transfer or a script may need on a busy machine


class Back(Dom0):
    """dom0 with a bridge, an address on it, and files that are to be disks."""

    def __init__(self, name, options="", mem=1536, extra=()):
        modules = [module(VMLINUZ, "console=hvc0 quiet panic=-1"), module(RAMDISK)]
        Machine.__init__(self, name, modules, f"{OPTIONS} {options}", mem=mem, extra=extra)

    def prepare(self, disks):
        self.ready()
        self.do("ip address add 10.9.0.1/24 dev xenbr0; httpd -h /tmp")
        for disk in disks:
            self.do(f"dd if=/dev/urandom of=/tmp/{disk} bs=64k count=128", WORKS)

    def inside(self, name, command, seconds=WORKS, code=0):
        """A command line in a server."""
        return self.do(f"inside {name} '{command}'", seconds, code)

    def sums(self, *paths, server=None):
        """MD5 sums of files in dom0 or in a server."""
        command = "md5sum " + " ".join(paths)
        text = self.inside(server, command) if server else self.do(command, WORKS)
        return re.findall(r"^([0-9a-f]{32})  ", text, re.M)

    def number(self, command, server=None):
        text = self.inside(server, command) if server else self.do(command)
        found = re.findall(r"\b(\d+)\b", text)
        check(found, f"`{command}` says no number: {text}")
        return int(found[-1])

    def left(self):
        """What a destroyed server could have left behind: frames, dom0's event channels, back halves, loop devices."""
        return (self.free(), self.number("grep -c xen-dyn /proc/interrupts"), self.do("ls /sys/bus/xen-backend/devices"),
                self.do("losetup -a | sort"))


@bound(700)
def test_devices():
    """Data pass by disks and network both ways, unharmed; devices come and go; a server dies while they are busy."""
    with Back("split-devices", options="dom0_max_vcpus=2") as m:
        m.prepare(("a", "b", "c"))
        m.do("losetup /dev/loop7 /tmp/a")
        m.create("web", "vcpus=2", "disk=['phy:/dev/loop7,xvda,w','file:/tmp/b,xvdb,w']", "vif=['bridge=xenbr0']",
                 "extra='console=hvc0 quiet server=web address=10.9.0.2 count=no'")
        kept = "/tmp/a", "/tmp/b"
        check(m.sums(*kept) == m.sums("/dev/xvda", "/dev/xvdb", server="web"), "the disks read otherwise in the server")
        text = m.inside("web", "dmesg | grep blkfront:")
        for what in ("flush diskcache: enabled", "persistent grants: enabled", "indirect descriptors: enabled"):
            check(text.count(what) == 2, f"not {what}: {text}")
        m.inside("web", "dd if=/dev/urandom of=/tmp/x bs=1M count=4; dd if=/tmp/x of=/dev/xvda bs=1M conv=fsync; "
                 "dd if=/tmp/x of=/dev/xvdb bs=1M conv=fsync; blkdiscard -o 4194304 -l 4194304 /dev/xvdb; "
                 "echo 3 > /proc/sys/vm/drop_caches")
        check(m.sums(*kept) == m.sums("/dev/xvda", "/dev/xvdb", server="web"), "the disks read otherwise in dom0")
        counts = "/sys/bus/xen-backend/devices/vbd-*-51728/statistics"
        check(m.number(f"cat {counts}/f_req") > 0 and m.number(f"cat {counts}/ds_req") > 0, "no flush or no discard")
        check(m.number("du -k /tmp/b") < 4800, "what was discarded is still there")
        # A request without indirect segments has 11 of them, 88 sectors.
        check(m.number(f"cat {counts}/wr_sect") > 100 * m.number(f"cat {counts}/wr_req"), "no indirect requests")

        m.do("ping -c 2 -W 20 10.9.0.2", WORKS)
        check(m.number("ls -d /sys/class/net/eth0/queues/tx-* | wc -l", "web") == 2, "not two queues")
        m.inside("web", "httpd -h /tmp; wget -q -O /tmp/c http://10.9.0.1/c")
        check(m.sums("/tmp/c") == m.sums("/tmp/c", server="web"), "what the server received is not what was sent")
        m.do("wget -q -O /tmp/x http://10.9.0.2/c", WORKS)
        check(m.sums("/tmp/c") == m.sums("/tmp/x"), "what the server sent is not what was received")
        statistics = "/sys/class/net/eth0/statistics/tx_"
        check(m.number(f"cat {statistics}bytes", "web") > 2000 * m.number(f"cat {statistics}packets", "web"),
              "the server parts what it sends by itself")

        # Without persistent grants each request maps and unmaps.
        m.do("echo N > /sys/module/xen_blkback/parameters/feature_persistent; xl block-attach web file:/tmp/c,xvdc,w", WORKS)
        m.inside("web", "until [ -b /dev/xvdc ]; do usleep 50000; done; dd if=/tmp/x of=/dev/xvdc bs=1M conv=fsync")
        check(m.sums("/tmp/c") == m.sums("/dev/xvdc", server="web"), "the third disk")
        check("xvdc: flush diskcache: enabled; persistent grants: disabled" in m.inside("web", "dmesg"), "persistent grants")
        m.do("xl block-detach web xvdc; xl network-attach web bridge=xenbr0", WORKS)
        m.inside("web", "until [ -e /sys/class/net/eth1 ]; do usleep 50000; done; [ ! -b /dev/xvdc ]")
        m.do("xl network-detach web 1", WORKS)
        m.inside("web", "until [ ! -e /sys/class/net/eth1 ]; do usleep 50000; done")
        m.do("xl destroy web", WORKS)
        before = m.left()

        m.create("db", "vcpus=2", "disk=['phy:/dev/loop7,xvda,w','file:/tmp/b,xvdb,w']", "vif=['bridge=xenbr0']",
                 "extra='console=hvc0 quiet server=db address=10.9.0.3 count=no'")
        m.inside("db", "httpd -h /dev; (while :; do cat /dev/xvda > /dev/xvdb; done) & "
                 "(while :; do wget -q -O /dev/null http://10.9.0.1/c; done) & sleep 1")
        m.do("(while :; do timeout 5 wget -q -O /dev/null http://10.9.0.3/xvda || break; done) & sleep 2; xl destroy db", WORKS)
        check(m.left() == before, f"what is left: {m.left()}, before: {before}")


@bound(1200, build="plain")
def test_driver_domain():
    """Disk and network of a server have their back halves in another server, which is destroyed and comes again."""
    # The toolstack gives its scripts 40 s: of the machine's time, which waits for a host that is busy.
    with Back("split-driver", extra=["-icount", "shift=1,sleep=off"]) as m:
        m.prepare(())
        m.do("driver_ramdisk")
        m.create("back", "ramdisk='/tmp/driver.cpio'", "memory=256", "driver_domain=1")
        m.create("web", "disk=['/disk,raw,xvda,w,backend=back']", "vif=['bridge=xenbr0,backend=back']",
                 "extra='console=hvc0 quiet server=web address=10.8.0.2 count=no'")

        def works():
            m.inside("web", "dd if=/dev/urandom of=/dev/xvda bs=64k count=16 conv=fsync; echo 3 > /proc/sys/vm/drop_caches")
            check(m.sums("/disk", server="back") == m.sums("/dev/xvda", server="web"), "the disk reads otherwise")
            m.inside("web", "wget -q -O /tmp/disk http://10.8.0.1/disk")
            check(m.sums("/disk", server="back") == m.sums("/tmp/disk", server="web"), "what was received is not what was sent")

        works()
        m.do("xl destroy back", WORKS)
        check("2" in m.inside("web", "echo $((1 + 1))"), "the server is gone with its driver domain")
        m.do("xl block-detach web xvda; xl network-detach web 0", WORKS)
        m.inside("web", "until [ ! -e /dev/xvda ] && [ ! -e /sys/class/net/eth0 ]; do usleep 50000; done")
        m.do("rm /var/log/xen/console/guest-back.log; kill -HUP $(cat /run/xenconsoled.pid); xl create /tmp/back.cfg", WORKS)
        m.do("says back 'back: up'", LINUX)
        m.do("xl block-attach web /disk,raw,xvda,w,backend=back; xl network-attach web bridge=xenbr0 backend=back", WORKS)
        m.inside("web", "until [ -b /dev/xvda ] && [ -e /sys/class/net/eth0 ]; do usleep 50000; done; "
                 "ip address add 10.8.0.2/24 dev eth0; ip link set eth0 up")
        works()
        m.do("xl destroy web; xl destroy back", WORKS)
        check(not re.search(r"domain [1-9]", m.do("xl debug-keys q")), "a server that was destroyed is still there")
