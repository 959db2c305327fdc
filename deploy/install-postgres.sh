#!/bin/sh
# Installs a PostgreSQL server with pgvector and prints where its programs are.
#
#   install-postgres.sh               install what is missing (needs root to add packages)
#   install-postgres.sh --check       change nothing; exit 1 when something is missing
#
# Run by anybody but root it leaves the system's files alone: where the server is
# there without pgvector, it makes a private copy of the server under
# $XDG_DATA_HOME/generalbackend/postgres and adds pgvector to that.
#
# The server comes from the distribution. pgvector does too, where packaged;
# otherwise it is compiled from the next Debian release's source package, which
# apt fetches and verifies. No apt source is added, nothing of the system is
# upgraded, and no cluster is created.
#
# PGVECTOR_TARBALL names a source tarball to use instead of apt's.
set -eu

MIN_VECTOR=0.8.0
MIN_MAJOR=15
SOURCE_RELEASE=trixie
PRIVATE=${XDG_DATA_HOME:-${HOME:-/root}/.local/share}/generalbackend/postgres

say() { echo "install-postgres: $*" >&2; }
die() { say "$*"; exit 1; }
root() { [ "$(id -u)" = 0 ]; }

# at_least A B: is version A the same as or newer than B?
at_least() {
	[ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]
}

# majors: the installed servers' major versions, newest first
majors() {
	for server in /usr/lib/postgresql/*/bin/postgres; do
		[ -x "$server" ] || continue
		major=${server#/usr/lib/postgresql/}
		major=${major%%/*}
		[ "$major" -lt "$MIN_MAJOR" ] || echo "$major"
	done | sort -rn
}

# vector_version PREFIX MAJOR: the version of a complete pgvector, or nothing
vector_version() {
	extension=$1/usr/share/postgresql/$2/extension
	[ -f "$extension/vector.control" ] && [ -f "$1/usr/lib/postgresql/$2/lib/vector.so" ] || return 0
	version=$(sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" "$extension/vector.control")
	[ ! -f "$extension/vector--$version.sql" ] || echo "$version"
}

# ready PREFIX MAJOR: is there a server with a pgvector new enough?
ready() {
	[ -x "$1/usr/lib/postgresql/$2/bin/postgres" ] || return 1
	version=$(vector_version "$1" "$2")
	[ -n "$version" ] && at_least "$version" "$MIN_VECTOR"
}

# same_server MAJOR: is the private copy of the server that is installed now?
same_server() {
	cmp -s "/usr/lib/postgresql/$1/bin/postgres" "$PRIVATE/usr/lib/postgresql/$1/bin/postgres"
}

# report: print the first usable server, or fail
report() {
	for major in $(majors); do
		for prefix in "" "$PRIVATE"; do
			ready "$prefix" "$major" || continue
			[ -z "$prefix" ] || same_server "$major" || continue
			say "PostgreSQL $major with pgvector $version is ready"
			echo "PG_BINDIR=$prefix/usr/lib/postgresql/$major/bin"
			return 0
		done
	done
	return 1
}

# The machine's apt hooks may empty the shared archive while another apt runs;
# an archive of our own cannot lose its files.
apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -q \
		-o Dir::Cache::archives="$WORK/archives" \
		-o APT::Sandbox::User=root \
		-o DPkg::Lock::Timeout=300 "$@" >&2
}

apt_install() {
	[ -n "${UPDATED:-}" ] || apt update || say "apt-get update failed; going on with the lists that are here"
	UPDATED=1
	apt install -y --no-install-recommends -o Dpkg::Options::=--force-confold "$@"
}

# The server's package would otherwise create and start a cluster on port 5432.
no_system_cluster() {
	conf=/etc/postgresql-common/createcluster.conf
	if [ -e "$conf" ]; then
		DROPIN=/etc/postgresql-common/createcluster.d/generalbackend.conf
		mkdir -p "${DROPIN%/*}"
		echo "create_main_cluster = false" >"$DROPIN"
	else
		mkdir -p "${conf%/*}"
		echo "create_main_cluster = false" >"$conf"
	fi
}

candidate() {
	apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: //p' | grep -v '^(none)$' || true
}

install_server() {
	[ -z "$(majors)" ] || return 0
	root || die "no PostgreSQL server here: run this once as root"
	no_system_cluster
	say "installing the PostgreSQL server"
	apt_install postgresql
	[ -n "$(majors)" ] || die "the distribution's PostgreSQL is older than $MIN_MAJOR"
}

# install_packaged MAJOR: pgvector from the distribution, where new enough
install_packaged() {
	root || return 1
	packaged=$(candidate "postgresql-$1-pgvector" | sed 's/^[0-9]*://; s/[^0-9.].*//')
	[ -n "$packaged" ] && at_least "$packaged" "$MIN_VECTOR" || return 1
	say "installing pgvector $packaged"
	apt_install "postgresql-$1-pgvector"
}

install_compiler() {
	printf '#include <stdlib.h>\n' | gcc -E -x c - >/dev/null 2>&1 && return 0
	root || die "no C compiler here: run this once as root"
	apt_install gcc libc6-dev
}

# headers MAJOR: set INCLUDE to the server's headers. They are unpacked from the
# package without installing it, which spares LLVM and a gigabyte.
headers() {
	INCLUDE=/usr/include/postgresql/$1/server
	[ ! -f "$INCLUDE/postgres.h" ] || return 0
	(cd "$WORK" && { apt download "postgresql-server-dev-$1" || { apt update && apt download "postgresql-server-dev-$1"; }; }) ||
		die "cannot download the server's headers (postgresql-server-dev-$1)"
	dpkg-deb -x "$WORK"/postgresql-server-dev-"$1"_*.deb "$WORK/headers"
	INCLUDE=$WORK/headers$INCLUDE
}

# mirror: the Debian mirror this machine is configured for
mirror() {
	{
		cat /etc/apt/sources.list.d/*.sources 2>/dev/null | sed -n 's/^URIs: *\([^ ]*\).*/\1/p'
		cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
			sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p'
	} | grep '/debian/*$' | head -n 1
}

# fetch_source: set TARBALL to pgvector's source
fetch_source() {
	TARBALL=${PGVECTOR_TARBALL:-}
	[ -z "$TARBALL" ] || return 0
	uri=$(mirror)
	[ -n "$uri" ] || die "no Debian mirror in apt's configuration: set PGVECTOR_TARBALL"
	mkdir -p "$WORK/lists/partial"
	echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $SOURCE_RELEASE main" >"$WORK/sources.list"
	(
		cd "$WORK"
		private="-o Dir::Etc::sourcelist=$WORK/sources.list -o Dir::Etc::sourceparts=/nonexistent -o Dir::State::lists=$WORK/lists"
		# shellcheck disable=SC2086 # options, one word each
		apt $private update && apt $private source --download-only pgvector
	) || die "cannot fetch pgvector's source package"
	TARBALL=$(ls "$WORK"/pgvector_*.orig.tar.*)
}

# compile: build vector.so with pgvector's own flags less -march=native; the code
# picks wider instructions at run time
compile() {
	mkdir "$WORK/src"
	tar -xf "$TARBALL" -C "$WORK/src" --strip-components=1
	cd "$WORK/src"
	version=$(sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" vector.control)
	at_least "$version" "$MIN_VECTOR" || die "$TARBALL is pgvector $version, older than $MIN_VECTOR"
	say "compiling pgvector $version"
	# shellcheck disable=SC2016 # expanded by the inner shell
	printf '%s\n' src/*.c | xargs -n 1 -P "$(nproc)" sh -c '
		exec gcc -O2 -fPIC -fno-strict-aliasing -fwrapv -fexcess-precision=standard \
			-ftree-vectorize -fassociative-math -fno-signed-zeros -fno-trapping-math \
			-fstack-protector-strong -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 -w \
			-I"$0" -c "$1" -o "${1%.c}.o"' "$INCLUDE"
	gcc -shared -o vector.so src/*.o -Wl,-z,relro -Wl,-z,now -lm
	cp sql/vector.sql "sql/vector--$version.sql"
}

# copy_server MAJOR DIR: a relocatable copy; the server finds lib and share from
# its own path, so its programs are copied and the rest linked
copy_server() {
	lib=/usr/lib/postgresql/$1 share=/usr/share/postgresql/$1
	rm -rf "$2"
	mkdir -p "$2$lib/lib" "$2$share/extension"
	cp -R "$lib/bin" "$2$lib/"
	ln -s "$lib/lib/"* "$2$lib/lib/"
	for file in "$share"/*; do
		[ "${file##*/}" = extension ] || ln -s "$file" "$2$share/"
	done
	ln -s "$share/extension/"* "$2$share/extension/"
	rm -f "$2$lib/lib/vector.so" "$2$share/extension/"vector[.-]*
}

# place MAJOR PREFIX: vector.control last, for it marks the rest as complete
place() {
	lib=$2/usr/lib/postgresql/$1/lib extension=$2/usr/share/postgresql/$1/extension
	install -m 644 sql/vector--*.sql "$extension/"
	install -m 755 vector.so "$lib/vector.so.new"
	mv -f "$lib/vector.so.new" "$lib/vector.so"
	install -m 644 vector.control "$extension/vector.control.new"
	mv -f "$extension/vector.control.new" "$extension/vector.control"
}

install_compiled() {
	install_compiler
	headers "$1"
	fetch_source
	compile
	if root; then
		place "$1" ""
		return
	fi
	copy_server "$1" "$PRIVATE.new"
	place "$1" "$PRIVATE.new"
	rm -rf "$PRIVATE"
	mv "$PRIVATE.new" "$PRIVATE"
}

cleanup() {
	rm -rf "$WORK"
	[ -z "${DROPIN:-}" ] || rm -f "$DROPIN"
}

if report; then exit 0; fi
[ "${1:-}" != --check ] || die "no PostgreSQL $MIN_MAJOR or later with pgvector $MIN_VECTOR or later"
command -v apt-get >/dev/null || die "no apt-get here: install PostgreSQL $MIN_MAJOR and pgvector $MIN_VECTOR or later by hand"
WORK=$(mktemp -d "${TMPDIR:-/tmp}/install-postgres.XXXXXX")
trap cleanup EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$WORK/archives/partial"

install_server
major=$(majors | head -n 1)
install_packaged "$major" || install_compiled "$major"
report || die "pgvector was installed, yet is not found"
