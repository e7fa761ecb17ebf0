#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Holds docs/abi-status.md against Xen's public headers and against the sources.

A row of the page's tables is `| NAME, NAME | state |`; a NAME that ends in `*` stands for all that
begin so and have no row of their own. The state is one of
    whole                       perhaps with a remark
    partial: WHAT IS MISSING
    refused: CODE               by a row of struct refused_op; or, for ENOSYS, by there being nothing
    refused: CODE by FUNCTION
where the code is what the privileged domain gets for an argument that can be read. Every operation
that the headers define has its row, and no row is of anything else. What is whole or partial is
named where hypercalls are dispatched; what is refused is refused there, with that code.

usage: abi_status.py [TREE]
"""
import glob
import os
import re
import sys

HEADERS = "/usr/include/xen"
PAGE = "docs/abi-status.md"
SOURCES = ("src/hypercall/*.c", "src/grant/op.c")

# Where operations are defined: header, their names, and names of that form that are none.
FAMILIES = [
    ("xen.h", r"__HYPERVISOR_\w+", r"__HYPERVISOR_(arch_0|dom0_op)"),
    ("arch-x86/xen-mca.h", r"__HYPERVISOR_mca|XEN_MC_(?:fetch|notifydomain|physcpuinfo|\w*inject\w*)",
     r"XEN_MC_INJECT\w*|XEN_MC_\w*(TYPE|FLAG|MAX)\w*"),
    ("xen.h", r"MMU_\w*UPDATE\w*|MMUEXT_\w+|CONSOLEIO_\w+|VMASST_(?:CMD|TYPE)_\w+", ""),
    ("arch-x86/xen-x86_64.h", r"SEGBASE_\w+", ""),
    ("callback.h", r"CALLBACK(?:OP|TYPE)_\w+", r"CALLBACKTYPE_sysenter_deprecated"),
    ("event_channel.h", r"EVTCHNOP_\w+", ""),
    ("grant_table.h", r"GNTTABOP_\w+", r"GNTTABOP_error_msgs"),
    ("hvm/hvm_op.h", r"HVMOP_\w+", r"HVMOP_(altp2m_|ALTP2M_)\w+"),
    ("hvm/dm_op.h", r"XEN_DMOP_[a-z]\w+", ""),
    ("hypfs.h", r"XEN_HYPFS_OP_\w+", ""),
    ("kexec.h", r"KEXEC_CMD_\w+", ""),
    ("memory.h", r"XENMEM_[a-z]\w+", r"XENMEM_(resource_|sharing_op_|access_op_|paging_op_)\w+"),
    ("nmi.h", r"XENNMI_\w+", ""),
    ("physdev.h", r"PHYSDEVOP_\w+",
     r"PHYSDEVOP_(DBGP_\w+|pirq_eoi_gmfn|(?!IRQ_UNMASK_NOTIFY)(IRQ|SET|APIC|ASSIGN|FREE)_\w+)"),
    ("platform.h", r"XENPF_[a-z]\w+", r"XENPF_settime"),
    ("pmu.h", r"XENPMU_[a-z]\w+", ""),
    ("sched.h", r"SCHEDOP_\w+", ""),
    ("sysctl.h", r"XEN_SYSCTL_[a-z]\w+", r"XEN_SYSCTL_(pm_op_|cpu_featureset_|cpu_policy_)\w+"),
    ("domctl.h", r"XEN_DOMCTL_[a-z]\w+", r"XEN_DOMCTL_vmtrace_(?!op$)\w+"),
    ("vcpu.h", r"VCPUOP_\w+", ""),
    ("version.h", r"XENVER_\w+", ""),
    ("xenoprof.h", r"XENOPROF_[a-z]\w+", r"XENOPROF_last_op"),
    ("xsm/flask_op.h", r"FLASK_[A-Z]\w+", ""),
    ("argo.h", r"XEN_ARGO_OP_\w+", ""),
    ("tmem.h", r"TMEM_(?:[A-Z]+_(?:POOL|PAGE|OBJECT|NEW)|READ|WRITE|XCHG|AUTH)", ""),
]
STATE = re.compile(r"whole\b.*|partial: .+|refused: (0|E[A-Z0-9]+)(?: by (\w+))?\b.*")


def defined():
    """The names of all operations in the headers."""
    found = set()
    for header, names, but in FAMILIES:
        with open(os.path.join(HEADERS, header), encoding="utf-8") as f:
            for name in re.findall(rf"^[ \t]*#[ \t]*define[ \t]+({names})[ \t]+\S", f.read(), re.M):
                if not re.fullmatch(but, name):
                    found.add(name)
    return found


def rows(page):
    """[(line number, [names], state)] of the page's tables."""
    found = []
    for number, line in enumerate(page.splitlines(), 1):
        cells = [c.strip() for c in line.strip().strip("|").split("|")] if line.startswith("| `") else []
        if len(cells) == 2:
            found.append((number, re.findall(r"`([^`]+)`", cells[0]), cells[1]))
    return found


def wrong_state(name, state, code):
    """What a row says of a name against the sources (`code`, without comments); None if that is true."""
    match = STATE.fullmatch(state)
    if not match:
        return f"`{state}` is no state"
    word = re.sub("^(__HYPERVISOR|XEN_DOMCTL|XEN_SYSCTL)_", "", name)
    named = re.search(rf"ROW\({word}," + ("" if name.startswith("__HYPERVISOR") else rf"|\b{name}\b"), code)
    row = re.search(rf"\{{{name},[^}}]*?\s(-E[A-Z]+|0),\s+-E[A-Z]+\s*\}}", code)
    if not state.startswith("refused"):
        return None if named and not row else "nothing in the sources does it"
    error, function = match.groups()
    if function:
        body = re.search(rf"^\w[^;\n]*\b{function}\([^;]*?\n\{{\n(.*?)^\}}", code, re.M | re.S)
        return None if body and f"-{error}" in body[1] else f"{function}() does not answer -{error}"
    if row:
        return None if row[1].lstrip("-") == error else f"the sources say {row[1]}"
    return "the sources know it" if named else None if error == "ENOSYS" else "the sources do not know it"


def complaints(tree):
    with open(os.path.join(tree, PAGE), encoding="utf-8") as f:
        page = rows(f.read())
    code = ""
    for path in (p for pattern in SOURCES for p in sorted(glob.glob(os.path.join(tree, pattern)))):
        with open(path, encoding="utf-8") as f:
            code += re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    there, found = defined(), []
    own = [name for _, names, _ in page for name in names if not name.endswith("*")]
    covered = {name for name in own}
    for number, names, state in page:
        for name in names:
            meant = [name]
            if name.endswith("*"):
                meant = sorted(n for n in there if n.startswith(name[:-1]) and n not in own)
                covered.update(meant)
                if not meant:
                    found.append(f"{PAGE}:{number}: no operation is left for {name}")
            elif name not in there or own.count(name) > 1:
                found.append(f"{PAGE}:{number}: {name} has a row already, or is nothing that the headers define")
            for one in meant:
                wrong = wrong_state(one, state, code)
                if wrong:
                    found.append(f"{PAGE}:{number}: {one}: {wrong}")
    return found + [f"{PAGE}: {name} has no row" for name in sorted(there - covered)]


if __name__ == "__main__":
    all_found = complaints(sys.argv[1] if len(sys.argv) > 1 else ".")
    print("\n".join(all_found) or f"{PAGE}: {len(defined())} operations")
    sys.exit(1 if all_found else 0)
