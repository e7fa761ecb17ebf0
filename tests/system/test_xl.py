# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's toolstack (xl, xenstored, xenconsoled) on Hospes creates and manages servers, as it does on Xen."""
import os
import re

from lab import IMAGES, LINUX, VMLINUZ, Machine, bound, check, module

RAMDISK = os.path.join(IMAGES, "xl.gz")
OPTIONS = "com1=115200,8n1 dom0_mem=768M dom0_max_vcpus=1"


class Dom0(Machine):
    """dom0 at its prompt."""

    def __init__(self, name, smp=2, options="", **more):
        modules = [module(VMLINUZ, "console=hvc0 quiet panic=-1"), module(RAMDISK)]
        super().__init__(name, modules, f"{OPTIONS} {options}", smp=smp, mem=1536, **more)

    def ready(self):
        self.expect("dom0: ready", 2 * LINUX)
        self.expect("dom0# ", 20)
        return self

    def do(self, command, seconds=60, code=0):
        """A command line; what it wrote. It ends with this exit code (None: any)."""
        self.line(f"{command}; echo ==$?=")
        self.expect(r"; echo ==\$\?=\s", seconds)
        found = self.expect(r"(?s)^(.*?)==(\d+)=\s", seconds)
        self.expect("dom0# ", 20)
        check(code is None or int(found[2]) == code, f"`{command}` ended with {found[2]}: {found[1]}")
        return found[1].replace("\r", "")

    def create(self, name, *lines):
        quoted = " ".join(f'"{line}"' for line in lines)
        self.do(f"server {name} {quoted}")
        self.do(f"xl create /tmp/{name}.cfg", 90)
        self.do(f"says {name} '{name}: up'", LINUX)

    def free(self):
        """Free frames, once what was destroyed has been given back; and what is claimed."""
        text = self.do("xl debug-keys m")
        found = re.findall(r"memory: (\d+) of \d+ frames free, (\d+) claimed", text)
        check(found, f"no report of the memory: {text}")
        return tuple(int(n) for n in found[-1])

    def row(self, command, name):
        """The fields of a line of a table."""
        for line in self.do(command).splitlines():
            if line.split()[:1] == [name]:
                return line.split()
        check(False, f"`{command}` has no line of {name}")
        return []


@bound(600)
def test_life():
    """A server is created, paused, pinned, changed, saved, restored, rebooted, shut down, destroyed; nothing is left."""
    with Dom0("xl-life") as m:
        m.ready()
        text = m.do("xl info")
        for line in (r"xen_version +: 4\.17\.", r"xen_scheduler +: credit2", r"nr_cpus +: 2", r"xen_caps +: xen-3\.0-x86_64",
                     r"outstanding_claims +: 0"):
            check(re.search(line, text), f"xl info has no {line}")
        check(m.row("xl list", "Domain-0")[1:5] == ["0", "768", "1", "r-----"], "dom0 in xl list")
        m.create("web", "vcpus=2")
        m.do("xl destroy web; rm /var/log/xen/console/guest-web.log; kill -HUP $(cat /run/xenconsoled.pid)")
        before = m.free()   # what dom0 itself takes for its first server it keeps
        m.create("web", "vcpus=2")
        check(m.row("xl list", "web")[1:4] == ["2", "128", "2"], "web in xl list")

        m.do("xl pause web")
        check(m.row("xl list", "web")[4] == "--p---", "paused")
        m.do("xl unpause web")
        check("p" not in m.row("xl list", "web")[4], "unpaused")
        m.do("xl vcpu-pin web 1 1")
        text = m.do("xl vcpu-list web")
        check(re.search(r"web +2 +1 +\S+ +\S+ +\S+ +1 / all", text), f"pinned: {text}")
        m.do("xl vcpu-set web 1")
        m.do("until xl vcpu-list web | grep -q -- '--p'; do usleep 100000; done", 30)
        m.do("xl vcpu-set web 2")
        m.do("until ! xl vcpu-list web | grep -q -- '--p'; do usleep 100000; done", 30)
        m.do("xl sched-credit2 -d web -w 512 -c 150")
        check(m.row("xl sched-credit2 -d web", "web")[2:] == ["512", "150"], "weight and cap")
        m.do("xl mem-set web 112")
        m.do("until xl list web | grep -q ' 112 '; do usleep 100000; done", 30)
        m.do("xl mem-max web 160")
        m.do("xl rename web shop")
        check(m.row("xl list", "shop")[1] == "2", "renamed")
        m.do("xl rename shop web")
        m.do("xl trigger web nmi; says web 'NMI received'", 30)
        m.do("xl sysrq web h; says web 'sysrq: HELP'", 30)
        m.do("xl dump-core web /tmp/core && rm /tmp/core", 150)

        m.do("xl save web /tmp/web.save", 150)
        check("web" not in m.do("xl list"), "still there after it was saved")
        m.do("n=$(grep -c 'web: count' /var/log/xen/console/guest-web.log); xl restore /tmp/web.save", 150)
        m.do("until [ $(grep -c 'web: count' /var/log/xen/console/guest-web.log) -gt $((n + 2)) ]; "
             "do usleep 100000; done; rm /tmp/web.save", 60)
        m.do("rm /var/log/xen/console/guest-web.log; kill -HUP $(cat /run/xenconsoled.pid); xl reboot web")
        m.do("says web 'web: up'", LINUX)
        m.do("xl shutdown -w web", 120)
        m.create("web")
        m.do("xl destroy web")
        check(len(m.do("xl list").strip().splitlines()) == 2, "something is left in xl list")
        check(m.free() == before, f"frames free and claimed: {m.free()}, before: {before}")


@bound(300)
def test_pools():
    """Pools of processors, and what the other commands print."""
    with Dom0("xl-pools") as m:
        m.ready()
        check(m.row("xl cpupool-list", "Pool-0")[1:] == ["2", "credit2", "y", "1"], "the first pool")
        m.do("xl cpupool-cpu-remove Pool-0 1")
        m.do("xl cpupool-create name=\\\"own\\\" sched=\\\"credit\\\"")
        m.do("xl cpupool-cpu-add own 1")
        m.create("db", "pool='own'")
        check(m.row("xl list -c", "db")[-1] == "own", "db's pool")
        check(m.row("xl vcpu-list db", "db")[3] == "1", "db's processor")
        m.do("xl cpupool-destroy own", code=None)
        check(m.row("xl cpupool-list", "own")[4] == "1", "a pool with a server in it")
        m.do("xl cpupool-migrate db Pool-0")
        m.do("xl cpupool-destroy own; xl cpupool-cpu-add Pool-0 1")
        check(m.row("xl cpupool-list", "Pool-0")[1:] == ["2", "credit2", "y", "2"], "the first pool again")
        for command, wanted in (("xl uptime", "db"), ("xl claims", "db"), ("xentop -b -i 1", "db"), ("xl sharing", "db"),
                                ("xl sched-credit2 -s", "ratelimit=1000us"), ("xl info -n", "numa_info"),
                                ("xenstore-ls -f /local/domain/1", '/local/domain/1/name = "db"'),
                                ("xl dmesg | grep '^(hv) Hospes'", r"\(hv\) Hospes"),
                                ("xenhypfs cat /buildinfo/version/major", r"^\s*4\b"),
                                ("xenhypfs tree", r"(?s)buildinfo.*cpupool.*sched-gran.*params.*loglvl"),
                                ("xl set-parameters loglvl=debug; xenhypfs cat /params/loglvl", "debug/debug")):
            check(re.search(wanted, m.do(command)), f"`{command}` does not tell of {wanted}")
        m.do("xl destroy db")


@bound(300)
def test_refused():
    """An operation that fails says in the log which check failed and with which values."""
    with Dom0("xl-refused") as m:
        m.ready()
        m.create("web")
        m.do("server more max_grant_frames=1000; xl create /tmp/more.cfg", code=3)
        m.do("server vast memory=65536; xl create /tmp/vast.cfg", code=3)
        m.do("xl vcpu-pin web 0 5", code=1)
        m.do("xl unpause web")
        text = m.do("xl dmesg | grep '^(hv) [dm]'")
        for reason in (r"domctl createdomain: domain \d+: 1000 grant frames, .* at most 64 and 1024: EINVAL",
                       r"memory_op claim_pages: domain 2: 16777216 pages",
                       r"domctl setvcpuaffinity: domain 1: vcpu 0 on CPUs 20.*: EINVAL",
                       r"domctl unpausedomain: domain 1: it is not paused: EINVAL"):
            check(re.search(r"\(hv\) " + reason, text), f"no such reason: {reason}: {text[-900:]}")
        m.do("xl destroy web")


@bound(400)
def test_bad_luck():
    """Toolstacks that die while they build, work at the same time, destroy what is being saved: nothing is left behind."""
    with Dom0("xl-luck") as m:
        m.ready()
        m.create("web")
        m.do("xl destroy web")
        before = m.free()
        # The shell is init: it waits for named children only, daemons are its own, too.
        for domain, moment in ((2, "true"), (3, "usleep 900000"), (4, "until xl list web | grep -q ' 128 '; do :; done")):
            m.do(f"xl create /tmp/web.cfg & p=$!; until xenstore-exists /local/domain/{domain}; do :; done; {moment}; "
                 f"kill -9 $p; wait $p; xl destroy {domain}", 120)
            check(m.free() == before, f"a toolstack died after `{moment}`: free {m.free()}, before {before}")
        m.do("server db; xl create /tmp/web.cfg & p=$!; xl create /tmp/db.cfg & wait $p; wait $!", 120)
        m.do("says web 'web: up'; says db 'db: up'", 2 * LINUX)
        m.do("for i in 1 2 3; do for what in pause unpause; do xl $what web & p=$!; xl $what web & wait $p; wait $!; done; done")
        check("p" not in m.row("xl list", "web")[4], "two toolstacks paused and unpaused")
        m.do("xl save web /tmp/web.save & p=$!; until [ -s /tmp/web.save ]; do :; done; xl destroy web; wait $p", 120, code=None)
        m.do("xl destroy db & p=$!; xl destroy db; wait $p; rm /tmp/web.save", 60)
        check(len(m.do("xl list").strip().splitlines()) == 2, "something is left in xl list")
        check(m.free() == before, f"frames free and claimed: {m.free()}, before: {before}")
