#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The page: what web knows of itself, and what db answers.
answer=$(wget -q -O - http://10.0.2.21/cgi-bin/visit.cgi) || answer='db: no answer'
printf 'Content-type: text/html\r\n\r\n'
cat << END
<!doctype html>
<title>web on Hospes</title>
<h1>This is the virtual server "$(hostname)"</h1>
<pre>
web: Linux $(uname -r), up $(cut -d ' ' -f 1 /proc/uptime) s, on $(cat /sys/hypervisor/type 2> /dev/null) $(cat /sys/hypervisor/version/major 2> /dev/null).$(cat /sys/hypervisor/version/minor 2> /dev/null)
This comes from the virtual server "db", over the bridge in dom0:
$answer
</pre>
END
