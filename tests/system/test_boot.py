# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock kernels come up: two side by side, on 1 to 4 CPUs, on several CPU models, and as a classic dom0."""
import re

from lab import LINUX, RAMDISK, VMLINUZ, Machine, bound, check, module, server


def test_two_servers():
    """Two stock kernels to a shell, every line with its server's name."""
    with Machine("two", [server("web"), server("db")]) as m:
        m.expect(r"\(hv\) Hospes \S+ \(xen 4\.17\)", 20)
        m.expect_all([r"\n\[web\][^\r\n]*virtual server \"web\"", r"\n\[db\][^\r\n]*virtual server \"db\"",
                      r"\n\[web\] web: work 5 of 5", r"\n\[db\] db: work 5 of 5"], 2 * LINUX)
        m.line("cat /proc/cmdline; cat /sys/hypervisor/version/major")
        m.expect(r"\n\[web\] [^\r\n]*server=web", 20)


def cpus_and_vcpus(smp, counts):
    servers = [server(f"s{n}", f"memory=128M vcpus={n}") for n in counts]
    with Machine(f"smp{smp}", servers, smp=smp, mem=256 + 160 * len(counts)) as m:
        m.expect(rf"\(hv\) {smp} CPUs?, \d+ MB", 20)
        m.expect_all([rf"\[s{n}\] s{n}: ready" for n in counts], LINUX * len(counts))
        for n in counts:
            check(re.search(rf"\[s{n}\][^\n]*, {n} CPUs, ", m.seen()), f"s{n} does not run on {n} CPUs")


@bound(300)
def test_1_cpu():
    cpus_and_vcpus(1, [1, 2])


@bound(300)
def test_2_cpus():
    cpus_and_vcpus(2, [3, 4, 5])


@bound(400)
def test_4_cpus():
    cpus_and_vcpus(4, [6, 7, 8])


def on_model(cpu):
    with Machine("cpu-" + cpu.split(",")[0].lower(), [server("web", "memory=128M vcpus=2")], cpu=cpu) as m:
        m.expect(r"\[web\] web: ready", LINUX)


def test_haswell():
    on_model("Haswell")


def test_epyc():
    on_model("EPYC,-smap")


def test_q35():
    """The newer PC: PCI Express, other ACPI tables, two nodes of memory."""
    nodes = []
    for n in range(2):
        nodes += ["-object", f"memory-backend-ram,id=m{n},size=384M", "-numa", f"node,memdev=m{n},cpus={n}"]
    with Machine("q35", [server("web", "memory=128M vcpus=2")], extra=["-M", "q35", *nodes]) as m:
        m.expect(r"\[web\] web: ready", LINUX)


def test_bare_pc():
    """No HPET and no x2APIC, and memory for one server only."""
    with Machine("bare", [server("web", "memory=96M")], smp=1, mem=256, cpu="max,-smap,-x2apic",
                 extra=["-M", "pc,hpet=off"]) as m:
        m.expect(r"\[web\] web: ready", LINUX)


def classic_dom0():
    return [module(VMLINUZ, "console=hvc0 earlyprintk=xen panic=-1 server=dom0"), module(RAMDISK)]


def test_classic_dom0():
    """The line every Xen boot entry already says: the first plain module is dom0, its console console_io."""
    options = "com1=115200,8n1 loglvl=all guest_loglvl=all dom0_mem=256M dom0_max_vcpus=2 noreboot"
    with Machine("dom0", classic_dom0(), options) as m:
        m.expect(r"virtual server \"dom0\"", LINUX)
        m.expect(r"Linux \S+, 2 CPUs, (\d+) MB", 10)
        m.expect(r"dom0: ready", 30)
        m.expect(r"dom0# ", 20)
        m.line("echo $((6 * 7))")
        m.expect(r"\n42\r", 20)
        m.line("poweroff -f")
        m.expect(r"\(hv\) dom0: powered off", 20)


@bound(300)
def test_dom0_without_arguments():
    """dom0 gets all memory and all CPUs, with a PC's usual devices present; what ends dom0 ends the machine."""
    with Machine("dom0-bare", [module(VMLINUZ, "console=hvc0 server=dom0 work=1"), module(RAMDISK)], mem=1024,
                 extra=["-M", "q35", "-device", "e1000e", "-device", "virtio-rng-pci"]) as m:
        m.expect(r"Linux \S+, 2 CPUs, (\d+) MB", 2 * LINUX)
        m.expect(r"dom0# ", 60)
        m.line("echo c > /proc/sysrq-trigger")
        m.expect(r"\(hv\) dom0: crashed: ", 30)
        m.expect(r"\(hv\) dom0: rip [0-9a-f]{4}:[0-9a-f]{16}", 10)
        m.wait_end()


def test_dom0_and_server():
    """Both forms of module on one line."""
    servers = classic_dom0() + [server("web")]
    with Machine("mixed", servers, "dom0_mem=256M dom0_max_vcpus=1") as m:
        m.expect_all([r"dom0: ready", r"web: ready"], 2 * LINUX)


def test_8_gigabytes():
    """Memory above 4 GB is found and can be given away."""
    with Machine("8g", [server("big", "memory=3G")], mem=8192) as m:
        m.expect(r"\(hv\) \d+ CPUs?, (8\d\d\d|79\d\d) MB", 20)
        m.expect(r"\[big\][^\r\n]*CPUs, (2[6-9]|30)\d\d MB", LINUX)
