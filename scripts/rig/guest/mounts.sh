# shellcheck shell=bash
# Sourced by init: the file systems of a booted Debian, with the options that systemd gives them.

bb mount -t proc -o nosuid,nodev,noexec proc /proc
bb mount -t sysfs -o nosuid,nodev,noexec sys /sys
bb mount -t devtmpfs -o nosuid,mode=755 dev /dev
bb mkdir -p /dev/pts /dev/shm /dev/mqueue
bb mount -t devpts -o nosuid,noexec,gid=5,mode=620,ptmxmode=000 devpts /dev/pts
bb mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs /dev/shm
bb mount -t mqueue -o nosuid,nodev,noexec mqueue /dev/mqueue
bb ln -s /proc/self/fd /dev/fd
bb ln -s fd/0 /dev/stdin
bb ln -s fd/1 /dev/stdout
bb ln -s fd/2 /dev/stderr
bb mount -t tmpfs -o nosuid,nodev,mode=755 tmpfs /run
bb mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs /tmp
bb mount -t securityfs -o nosuid,nodev,noexec securityfs /sys/kernel/security
bb mount -t bpf -o nosuid,nodev,noexec,mode=700 bpf /sys/fs/bpf
bb mount -t tracefs -o nosuid,nodev,noexec tracefs /sys/kernel/tracing
bb mount -t cgroup2 -o nosuid,nodev,noexec,nsdelegate,memory_recursiveprot cgroup2 /sys/fs/cgroup
bb mount -t ext4 -o noatime,nodev /dev/vdb /opt/rauha
# As on every host with systemd: what is mounted in one namespace appears in its copies, unless a program sees to it.
bb mount --make-rshared /

bb ip link set lo up
bb hostname rig
ulimit -Hn 524288
ulimit -Sn 1024
# What systemd sets; the kernel's own defaults are laxer.
for setting in fs/protected_hardlinks=1 fs/protected_symlinks=1 fs/protected_regular=2 fs/protected_fifos=1; do
	echo "${setting#*=}" >"/proc/sys/${setting%=*}"
done
bb mkdir -p /run/lock /run/user/12321 /run/rig/results
bb chown 12321:12321 /run/user/12321 /home/rig
bb chmod 700 /run/user/12321
bb chmod 1777 /run/lock /run/rig/results
