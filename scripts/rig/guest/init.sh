#!/bin/bash
# Pid 1 of the guest: mounts what a system manager would mount, lays out the cgroups that a login session has, says "ready"
# on the control port, runs the one job that it is told, sends the results, powers off.
set -u
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root
rig=/usr/lib/rauha-rig

# One static program for all the steps: under an emulated processor, loading a dozen dynamic ones takes seconds.
bb() { /usr/lib/rauha-rig/busybox "$@"; }

die() {
	echo "rig: $*" >/dev/console
	exit 1 # the kernel panics, QEMU ends: a boot failure
}

# shellcheck source=scripts/rig/guest/mounts.sh
. "$rig/mounts" || die "mounts failed"
# shellcheck source=scripts/rig/guest/sessions.sh
. "$rig/sessions" || die "sessions failed"

modprobe virtio_console || die "no virtio_console"
# The device of the port with this name. The kernel numbers ports and learns their names from QEMU a moment later.
port() {
	local folder name
	for _ in {1..200}; do
		for folder in /sys/class/virtio-ports/*; do
			if [ -r "$folder/name" ] && read -r name <"$folder/name" && [ "$name" = "$1" ]; then
				echo "/dev/${folder##*/}"
				return
			fi
		done
		sleep 0.05
	done
	return 1
}
if ! { control=$(port rauha.control) && out=$(port rauha.out) && err=$(port rauha.err) && results=$(port rauha.results); }; then
	die "QEMU offers too few ports"
fi
exec 3<>"$control"

read -r uptime _ </proc/uptime
echo "ready $uptime" >&3
read -r word bytes <&3
[ "$word" = job ] || die "expected a job, got '$word'"
head -c "$bytes" <&3 >/run/rig/job

# A port can be open once only, so cat holds it and the job has a pipe, as a program would have anywhere else.
mkfifo /run/rig/out /run/rig/err
cat /run/rig/out >"$out" &
out_cat=$!
cat /run/rig/err >"$err" &
err_cat=$!
# Descriptor 4 takes tar archives, one after the other: results that are sent at once survive the guest's death.
exec 4>"$results"
bash /run/rig/job >/run/rig/out 2>/run/rig/err 3>&- </dev/null
code=$?
# What the job left behind may hold the pipes open; it gets a moment, no more.
for _ in 1 2 3 4 5 6 7 8 9 10; do
	kill -0 $out_cat 2>/dev/null || kill -0 $err_cat 2>/dev/null || break
	sleep 0.1
done

dmesg >/run/rig/results/dmesg.txt
tar -C /run/rig/results -cf - dmesg.txt >&4
echo "exit $code" >&3
exec $rig/busybox poweroff -f
