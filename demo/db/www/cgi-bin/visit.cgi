#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Counts a visit, on the disk, and says what db knows.
until mkdir /dev/counting 2> /dev/null; do usleep 10000; done
visits=$(($(cat /data/visits 2> /dev/null || echo 0) + 1))
echo "$visits" > /data/visits.new
mv /data/visits.new /data/visits
sync
rmdir /dev/counting
printf 'Content-type: text/plain\r\n\r\n'
echo "visits: $visits (on db's disk, kept from run to run)"
echo "db: Linux $(uname -r), up $(cut -d ' ' -f 1 /proc/uptime) s, $(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo) MB"
cat /data/goods
