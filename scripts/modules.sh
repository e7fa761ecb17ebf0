# SPDX-License-Identifier: GPL-2.0-or-later
# For other scripts: modules of the stock kernel, each after what it depends on.
#
# take_modules MODULES FOLDER NAME...    (MODULES: .../lib/modules/VERSION)
# leaves FOLDER/NAME.ko, and in FOLDER/order the names in the order in which they are to be loaded
take_modules() {
    local from=$1 to=$2
    shift 2
    local -A path=() seen=()
    local file name
    while read -r file; do
        name=$(basename "$file" .ko)
        path[${name//-/_}]=$file
    done < <(find "$from/kernel" -name '*.ko')
    mkdir -p "$to"
    for name in "$@"; do
        take_module "$to" "${name//-/_}"
    done
}

# Uses the lists of its caller.
take_module() {
    local to=$1 name=$2 dependence
    [ -z "${seen[$name]:-}" ] || return 0
    seen[$name]=1
    [ -n "${path[$name]:-}" ] || return 0 # built in
    for dependence in $(modinfo -F depends "${path[$name]}" | tr ',' ' '); do
        take_module "$to" "${dependence//-/_}"
    done
    cp "${path[$name]}" "$to/$name.ko"
    echo "$name" >> "$to/order"
}
