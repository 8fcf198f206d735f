#!/usr/bin/env bash
# What a hostile task might do. Each attempt is real and says in one line what came of it:
#
#   attempt <tab> refused|succeeded <tab> what it saw
#
# It is told what a good spy would know: where the caller's home is, which process to kill, which port listens.
# The bombs have an end of their own, so that the demonstration is safe even where containment fails.
set -u

say() { printf '%s\t%s\t%s\n' "$1" "$2" "$3"; }

# Runs a command; says `succeeded` with its output, or `refused` with the reason that it gave.
try() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		say "$name" succeeded "$(head -n 1 <<<"$out")"
	else
		say "$name" refused "$(tail -n 1 <<<"$out" | sed 's/.*[:)] \(- \)*//')"
	fi
}

connect() { exec 5<>"/dev/tcp/127.0.0.1/$1" && echo "connected to 127.0.0.1:$1"; }
plant() { echo planted >"$1"; }
# The word comes in two halves, so that no command line of the script's own holds it.
find_process() {
	local file name
	for file in /proc/[0-9]*/cmdline; do
		name=
		{ IFS= read -r -d '' name <"$file"; } 2>/dev/null
		if [ "$name" = "$1-$2" ]; then echo "$file" && return 0; fi
	done
	echo "x: none of the $(set -- /proc/[0-9]* && echo $#) processes in sight"
	return 1
}
# On a folder of its own, and not for long: an attempt that gets through must not harm the host that it shows.
mount_here() {
	local folder
	folder=$(mktemp -d) && mount -t tmpfs none "$folder" 2> >(head -n 1 >&2) && umount "$folder" && echo "mounted a tmpfs on $folder"
}
find_secret() {
	env | grep "$1" && return 0
	echo "x: not among its $(env | wc -l) variables"
	return 1
}
# Pipes above 2 are this shell's own: "try" reads what an attempt says through one.
other_fds() {
	local fd target
	for fd in /proc/"$$"/fd/*; do
		# A pipe of this shell's may be closed between the listing and the look.
		target=$(readlink "$fd") || continue
		case ${fd##*/}:$target in 0:* | 1:* | 2:* | 255:* | *:pipe:*) ;; *) echo "$target" && return 0 ;; esac
	done
	echo "x: only 0, 1 and 2 are open"
	return 1
}

spy() {
	local home=$1 victim=$2 word=$3 word_end=$4 port=$5 planted=$6
	try "reads the caller's ssh key" cat "$home/.ssh/id_demo"
	try "lists the caller's home" ls -A "$home"
	try "writes to /usr" plant "$planted"
	try "looks for a process of the host" find_process "$word" "$word_end"
	try "kills that process" kill -KILL "$victim"
	try "connects to a server on the host" connect "$port"
	try "reads the caller's environment" find_secret RAUHA_DEMO_SECRET
	try "reads a file that the caller has open" other_fds
	try "makes namespaces of its own" unshare --user --map-root-user true
	try "mounts a file system" mount_here
	say "everything was tried" refused ""
}

# Doubles 9 times: 1,023 processes where nothing stops it. Each waits, so that all are alive together.
fork_bomb() {
	if [ "$1" -gt 0 ]; then
		fork_bomb $(($1 - 1)) &
		fork_bomb $(($1 - 1)) &
	fi
	sleep 3
}

# tail has to keep the last line, and there is but one, 1 GiB long.
memory_bomb() { head -c 1G /dev/zero | tail -n 1 | wc -c; }

# A process that leaves its session, ignores polite requests, and keeps the output open.
daemon() {
	setsid bash -c "trap '' TERM HUP INT; exec -a $1 sleep 300" &
	echo "started a daemon and left"
}

case $1 in
spy) shift && spy "$@" ;;
fork-bomb) fork_bomb 9 2>/dev/null ;;
memory-bomb) memory_bomb ;;
output-bomb) timeout 20 yes "there is no end to this" ;;
daemon) daemon "$2" ;;
*) echo "hostile.sh: no attempt named $1" >&2 && exit 2 ;;
esac
