#!/bin/sh
# Brings a bare Debian or Ubuntu (or any Linux that has the tools already) to the point where `make` works.
#
#   scripts/bootstrap.sh [group...]
#
# Groups: build (compile and run), check (linters), test (the suites), kernel (the VM rig and BPF),
# bench (other sandboxes to compare with; podman's package starts its socket and timers). Without a group: build check test kernel.
#
# It installs what is missing and nothing else, so a second run does nothing. Debian packages come by apt-get (through sudo
# when the caller is not root). Bun itself is an npm package: a copy of the pinned version goes to a cache outside the tree,
# its checksum is compared with bun.lock, and it installs node_modules from that lockfile. No script of a package is run.
set -eu

cd "$(dirname "$0")/.."
cache=${RAUHA_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/rauha}
groups=${*:-build check test kernel}
stamp=node_modules/.bootstrap-lock

say() { echo "bootstrap: $*"; }
die() {
	echo "bootstrap: $*" >&2
	exit 1
}

# group  package[|alternative]  what shows that it is there: a command, a file, or - to ask dpkg
packages() {
	cat <<-'LIST'
		build   ca-certificates    /etc/ssl/certs/ca-certificates.crt
		build   git                git
		build   make               make
		build   gcc                gcc
		build   libc6-dev          -
		build   binutils           strip
		build   musl-tools         musl-gcc
		build   linux-libc-dev     /usr/include/linux/landlock.h
		build   util-linux         setpriv
		build   procps             ps
		build   clang              clang
		build   llvm               llvm-strip
		build   libbpf-dev         -
		build   libelf-dev         -
		build   zlib1g-dev         -
		build   pkg-config|pkgconf pkg-config
		check   clang-format       clang-format
		check   shellcheck         shellcheck
		test    bubblewrap         bwrap
		test    strace             strace
		test    uidmap             newuidmap
		test    jq                 jq
		test    tmux               tmux
		test    python3            python3
		test    libseccomp-dev     -
		test    xz-utils           xz
		test    zstd               zstd
		test    skopeo             skopeo
		test    umoci              umoci
		test    debootstrap        debootstrap
		test    debian-archive-keyring /usr/share/keyrings/debian-archive-keyring.gpg
		test    busybox-static     -
		test    openssl            openssl
		test    iproute2           ip
		test    nftables           nft
		test    busybox-static     /bin/busybox
		kernel  bpftool|linux-tools-common  bpftool
		kernel  qemu-system-x86    qemu-system-x86_64
		kernel  busybox-static     -
		kernel  cpio               cpio
		bench   hyperfine          hyperfine
		bench   bubblewrap         bwrap
		bench   firejail           firejail
		bench   podman             podman
		bench   crun               crun
		bench   runc               runc
	LIST
}

# Is the thing there? Tools of the system administrator are not always in an ordinary user's PATH.
have() {
	case $1 in
	/*) [ -e "$1" ] ;;
	*) PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1 ;;
	esac
}

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing_packages() {
	packages | while read -r group names probe; do
		case " $groups " in *" $group "*) ;; *) continue ;; esac
		if [ "$probe" = - ]; then
			have dpkg-query || continue
			installed "$names" || echo "$names"
		else
			have "$probe" || echo "$names"
		fi
	done
	# npm only fetches the pinned bun: whoever has that bun, or what it installs, needs no npm.
	[ -n "$(find_bun)" ] || have npm || echo "nodejs npm"
}

# How to become root, or why not: said before anything is tried. A password is asked for only where there is a terminal to ask on.
find_root() {
	if [ "$(id -u)" = 0 ]; then
		root=
	elif ! have sudo; then
		die "$1, which takes root: you are not root, and there is no sudo. As root: apt-get update && apt-get $2"
	elif [ -t 0 ]; then
		root=sudo
	elif sudo -n env true 2>/dev/null; then
		root='sudo -n'
	else
		die "$1, which takes root: sudo wants a password and there is no terminal to ask on. As root: apt-get update && apt-get $2"
	fi
}

# Hundreds of lines, which matter when it fails. Nothing is asked, no service is restarted, and another apt-get at work (a new
# machine's own updates) is waited for.
apt() {
	apt_log=$(mktemp)
	# shellcheck disable=SC2086 # no word, or the words of sudo
	if $root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none \
		apt-get -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" >"$apt_log" 2>&1; then
		rm -f "$apt_log"
	else
		tail -n 60 "$apt_log" >&2
		rm -f "$apt_log"
		return 1
	fi
}

update_lists() {
	say "apt-get update"
	apt update || die "apt-get update failed, for the reason above: is there a network, and do /etc/apt's sources exist?"
}

# Of `a|b`, the first that this distribution offers.
choose() {
	for name in $(echo "$1" | tr '|' ' '); do
		if apt-cache show "$name" >/dev/null 2>&1; then
			echo "$name"
			return
		fi
	done
	echo "${1%%|*}"
}

install_packages() {
	wanted=$(missing_packages | awk '!seen[$0]++' | tr '\n' ' ')
	wanted=${wanted% }
	[ -n "$wanted" ] || return 0
	have apt-get || die "these are missing, install them with this system's package manager: $wanted"
	say "missing for $groups: $wanted"
	find_root "these are missing" "install --no-install-recommends $(echo "$wanted" | sed 's/|[^ ]*//g')"
	updated=no
	if [ -z "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' 2>/dev/null | head -n 1)" ]; then
		update_lists
		updated=yes
	fi
	while :; do
		chosen=
		for name in $wanted; do chosen="$chosen $(choose "$name")"; done
		say "apt-get install$chosen (a minute or two)"
		# shellcheck disable=SC2086 # a list of package names
		if apt install -y --no-install-recommends $chosen; then return 0; fi
		[ "$updated" = no ] || break
		say "that failed; perhaps the package lists are old: once more with new ones"
		update_lists
		updated=yes
	done
	die "apt-get could not install, for the reason above:$chosen"
}

# The package of Debian's registry would start a service for the whole network: only its program is wanted, and not installed.
unpack_registry() {
	case " $groups " in *" test "*) ;; *) return 0 ;; esac
	if have docker-registry || [ -x build/tools/docker-registry ]; then return 0; fi
	have apt-get || die "docker-registry is missing, install it with this system's package manager"
	say "unpacking docker-registry to build/tools, for test (it is not installed and no service starts)"
	mkdir -p build/tools
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	if ! (cd "$work" && apt-get -q download docker-registry >log 2>&1); then
		find_root "docker-registry can't be downloaded without new package lists" "-d install docker-registry"
		update_lists
		(cd "$work" && apt-get -q download docker-registry >log 2>&1) || {
			cat "$work/log" >&2
			die "apt-get could not download docker-registry, for the reason above"
		}
	fi
	dpkg-deb -x "$work"/docker-registry_*.deb "$work/root"
	mv "$work/root/usr/bin/docker-registry" build/tools/docker-registry
	rm -rf "$work"
	trap - EXIT
}

bun_version() {
	sed -n '/"devDependencies"/,/}/s/.*"bun": "\([0-9.]*\)".*/\1/p' package.json
}

# A bun of exactly the pinned version: the tree's, the cache's, the PATH's. Prints nothing when there is none.
find_bun() {
	for candidate in node_modules/bun/bin/bun.exe "$cache/bun-$(bun_version)/bun" "$(command -v bun 2>/dev/null || true)"; do
		if [ -x "$candidate" ] && [ "$("$candidate" --version 2>/dev/null)" = "$(bun_version)" ]; then
			echo "$candidate"
			return
		fi
	done
}

# npm fetches bun and the package with its binary; both must have the checksum that bun.lock has for them.
fetch_bun() {
	home=$cache/bun-$(bun_version)
	say "fetching bun $(bun_version) to $home"
	mkdir -p "$cache"
	work=$(mktemp -d "$cache/fetch.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	echo '{ "private": true }' >"$work/package.json"
	npm install --prefix "$work" --no-save --ignore-scripts --no-audit --no-fund --loglevel=error "bun@$(bun_version)" >&2 ||
		die "npm could not fetch bun@$(bun_version), for the reason above: is there a network, and does \`npm ping\` reach the registry?"
	sums=$(sed -n 's/.*"integrity": "\(sha512-[^"]*\)".*/\1/p' "$work/node_modules/.package-lock.json")
	[ -n "$sums" ] || die "npm recorded no checksum for bun"
	for sum in $sums; do
		grep -qF "\"$sum\"" bun.lock || die "the bun that npm fetched is not the one in bun.lock: $sum"
	done
	for binary in "$work"/node_modules/@oven/*/bin/bun; do
		if [ "$("$binary" --version 2>/dev/null)" = "$(bun_version)" ]; then
			mkdir -p "$home"
			mv -f "$binary" "$home/bun"
		fi
	done
	rm -rf "$work"
	trap - EXIT
	[ -x "$home/bun" ] || die "bun $(bun_version) does not run on this machine"
}

# The npm package `bun` puts its binary in place with an install script; scripts are off, so this does it.
link_bun() {
	for binary in node_modules/@oven/*/bin/bun; do
		if [ "$("$binary" --version 2>/dev/null)" = "$(bun_version)" ]; then
			ln -f "$binary" node_modules/bun/bin/bun.exe
			ln -f "$binary" node_modules/bun/bin/bunx.exe
			return
		fi
	done
	die "node_modules holds no bun that runs on this machine"
}

install_modules() {
	if cmp -s bun.lock "$stamp" && [ -x node_modules/.bin/bun ]; then return 0; fi
	[ -n "$(find_bun)" ] || fetch_bun
	say "bun install --frozen-lockfile"
	BUN_INSTALL_CACHE_DIR="$cache/packages" "$(find_bun)" install --frozen-lockfile --ignore-scripts ||
		die "bun could not install what bun.lock lists, for the reason above"
	link_bun
	cp bun.lock "$stamp"
}

for group in $groups; do
	packages | grep -q "^$group " || die "no group named '$group' (build, check, test, kernel, bench)"
done
install_packages
unpack_registry
install_modules
say "ready: $groups (bun $(node_modules/.bin/bun --version))"
