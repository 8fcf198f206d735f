#!/bin/sh
# Brings a bare Debian or Ubuntu (or any Linux that has the tools already) to the point where `make` works.
#
#   scripts/bootstrap.sh [group...]
#
# Groups: build (compile and run), check (linters), test (the suites), kernel (the VM rig and BPF),
# bench (other sandboxes to compare with). Without a group: build check test kernel.
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

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif have sudo; then
		if [ -t 0 ]; then sudo "$@"; else sudo -n "$@"; fi
	else
		die "not root and no sudo; run this as root, then try again: $*"
	fi
}

# Hundreds of lines, which matter when it fails.
apt() {
	apt_log=$(mktemp)
	if as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 "$@" >"$apt_log" 2>&1; then
		rm -f "$apt_log"
	else
		tail -n 60 "$apt_log" >&2
		rm -f "$apt_log"
		return 1
	fi
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
	wanted=$(missing_packages | tr '\n' ' ')
	[ -n "${wanted% }" ] || return 0
	have apt-get || die "these are missing, install them with this system's package manager: $wanted"
	say "missing: $wanted"
	updated=no
	if [ -z "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' 2>/dev/null | head -n 1)" ]; then
		say "apt-get update"
		apt update
		updated=yes
	fi
	for attempt in 1 2; do
		chosen=
		for name in $wanted; do chosen="$chosen $(choose "$name")"; done
		say "apt-get install$chosen (a minute or two)"
		# shellcheck disable=SC2086 # a list of package names
		if apt install -y --no-install-recommends $chosen; then return 0; fi
		[ "$updated" = no ] || break
		say "that failed (attempt $attempt); apt-get update, then once more"
		apt update
		updated=yes
	done
	die "apt-get could not install:$chosen"
}

# The package of Debian's registry would start a service for the whole network: only its program is wanted, and not installed.
unpack_registry() {
	case " $groups " in *" test "*) ;; *) return 0 ;; esac
	if have docker-registry || [ -x build/tools/docker-registry ]; then return 0; fi
	have apt-get || die "docker-registry is missing, install it with this system's package manager"
	say "unpacking docker-registry to build/tools"
	mkdir -p build/tools
	work=$(mktemp -d)
	(cd "$work" && apt-get -q download docker-registry >/dev/null 2>&1) || { rm -rf "$work"; die "apt-get could not download docker-registry"; }
	dpkg-deb -x "$work"/docker-registry_*.deb "$work/root"
	mv "$work/root/usr/bin/docker-registry" build/tools/docker-registry
	rm -rf "$work"
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
	npm install --prefix "$work" --no-save --ignore-scripts --no-audit --no-fund --loglevel=error "bun@$(bun_version)" >&2
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
	BUN_INSTALL_CACHE_DIR="$cache/packages" "$(find_bun)" install --frozen-lockfile --ignore-scripts
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
