#!/bin/busybox sh
# shellcheck shell=dash
# The guest's first program: loads what it takes to see the root disk, and hands over. When a step fails, the shell exits, the
# kernel panics for want of a pid 1, and the rig reports a boot failure with these words on the console.
set -e
bb=/bin/busybox

$bb mount -t devtmpfs dev /dev
while read -r module; do
	$bb insmod "/modules/$module"
done </modules/order
$bb mount -t ext4 -o noatime /dev/vda /root
$bb umount /dev
exec $bb switch_root /root /usr/lib/rauha-rig/init
