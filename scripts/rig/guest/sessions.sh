# shellcheck shell=bash
# Sourced by init: the cgroup tree of a host with systemd, a login of root and one of an ordinary user. The user's part is delegated
# as a user manager's is: the folder and the files that make it the user's to divide, and nothing above it.

cgroups=/sys/fs/cgroup
enable_all() {
	local controller
	for controller in $(<"$1/cgroup.controllers"); do
		echo "+$controller" >"$1/cgroup.subtree_control"
	done
}

bb mkdir -p $cgroups/init.scope
echo $$ >$cgroups/init.scope/cgroup.procs
enable_all $cgroups

bb mkdir -p $cgroups/user.slice/user-0.slice/session-1.scope $cgroups/user.slice/user-12321.slice
enable_all $cgroups/user.slice
enable_all $cgroups/user.slice/user-0.slice
enable_all $cgroups/user.slice/user-12321.slice

delegated=$cgroups/user.slice/user-12321.slice/user@12321.service
bb mkdir $delegated
enable_all $delegated
bb mkdir -p $delegated/init.scope $delegated/app.slice
enable_all $delegated/app.slice
bb mkdir $delegated/app.slice/rig.scope
for folder in $delegated $delegated/init.scope $delegated/app.slice $delegated/app.slice/rig.scope; do
	owned+=("$folder" "$folder"/cgroup.{procs,threads,subtree_control})
done
bb chown 12321:12321 "${owned[@]}"
