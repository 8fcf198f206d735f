#!/bin/bash
# as-rig root|user|pinned command...: runs a command as a login of that user would, in the cgroup of that login and with its environment.
# Must be called by root. Temporary files go to ext4: tmpfs of Linux 6.1 has neither idmapped mounts nor user. attributes.
who=$1
shift
common=(LANG=C.UTF-8 "TERM=${TERM:-dumb}" SHELL=/bin/bash NO_COLOR=1 RAUHA_TEST_VM=1 RAUHA_TEST_SLOW=1 "RAUHA_TEST_AS=$who"
	RAUHA_BIN=/opt/rauha/dist/rauha TMPDIR=/var/tmp)
path=/opt/rauha/dist:/opt/rauha/node_modules/.bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
case $who in
root | pinned)
	# Tests that depend on it are told that the BPF programs guard root's zones.
	[ "$who" = root ] || common+=(RAUHA_TEST_AS=root RAUHA_TEST_PINNED=1)
	echo $$ >/sys/fs/cgroup/user.slice/user-0.slice/session-1.scope/cgroup.procs
	exec env -i "${common[@]}" PATH=$path HOME=/root USER=root LOGNAME=root "$@"
	;;
user)
	echo $$ >/sys/fs/cgroup/user.slice/user-12321.slice/user@12321.service/app.slice/rig.scope/cgroup.procs
	exec env -i "${common[@]}" PATH=$path HOME=/home/rig USER=rig LOGNAME=rig XDG_RUNTIME_DIR=/run/user/12321 \
		setpriv --reuid=12321 --regid=12321 --init-groups -- "$@"
	;;
*)
	echo "usage: as-rig root|user|pinned command..." >&2
	exit 2
	;;
esac
