#!/bin/sh
# Installs what building, testing and running need and this machine lacks:
# Debian packages, PostgreSQL with pgvector, and the pinned Go tools in .bin.
# Run again it finds everything there and is done at once.
#
#   setup.sh            everything
#   setup.sh run        only what running needs
set -eu

SQLC=v1.31.1
GOLANGCI_LINT=v2.15.0
OAPI_CODEGEN=v2.8.2
NATS_SERVER=v2.15.2

cd "$(dirname "$0")/.."

say() { echo "setup: $*" >&2; }
die() { say "$*"; exit 1; }

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		say "needs root for: $*"
		sudo "$@"
	else
		die "run once as root: $*"
	fi
}

# install_packages PACKAGE...: an archive of our own, because hooks of images
# empty the shared one while another apt is still unpacking from it
install_packages() {
	command -v apt-get >/dev/null || die "no apt-get here: install by hand: $*"
	say "installing $*"
	archives=$(mktemp -d "${TMPDIR:-/tmp}/setup-apt.XXXXXX")
	mkdir "$archives/partial"
	# shellcheck disable=SC2016 # expanded by the inner shell
	as_root env DEBIAN_FRONTEND=noninteractive sh -c '
		archives=$1
		shift
		apt-get -q -o DPkg::Lock::Timeout=300 update || echo "setup: using the package lists that are here" >&2
		apt-get -q -y -o Dir::Cache::archives="$archives" -o APT::Sandbox::User=root \
			-o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"
		rm -rf "$archives"' install "$archives" "$@" >&2
}

packages() {
	missing=
	printf '#include <stdlib.h>\n' | gcc -E -x c - >/dev/null 2>&1 || missing="$missing gcc libc6-dev"
	command -v git >/dev/null || missing="$missing git"
	[ "$1" = run ] || command -v pdftotext >/dev/null || missing="$missing poppler-utils"
	[ "$1" = run ] || command -v mutool >/dev/null || missing="$missing mupdf-tools"
	[ "$1" = run ] || command -v shellcheck >/dev/null || missing="$missing shellcheck"
	# shellcheck disable=SC2086 # a list of names
	[ -z "$missing" ] || install_packages $missing
}

postgres() {
	sh deploy/install-postgres.sh --check >/dev/null 2>&1 || install_postgres >/dev/null
}

# A user without root can still add pgvector to a server that is there.
install_postgres() {
	if [ "$(id -u)" = 0 ] || ! command -v sudo >/dev/null; then
		sh deploy/install-postgres.sh
	else
		as_root sh deploy/install-postgres.sh
	fi
}

go_present() {
	command -v go >/dev/null || die "Go is missing: install the version that go.mod names, or a later one"
}

# tool NAME MODULE VERSION: install unless this very version is there
tool() {
	if [ -x ".bin/$1" ] && go version -m ".bin/$1" 2>/dev/null | grep -q "^[[:space:]]*mod[[:space:]].*[[:space:]]$3\([[:space:]]\|$\)"; then
		return
	fi
	say "installing $1 $3"
	GOBIN=$PWD/.bin GOFLAGS='' go install "$2@$3"
}

tools() {
	tool sqlc github.com/sqlc-dev/sqlc/cmd/sqlc "$SQLC"
	tool golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint "$GOLANGCI_LINT"
	tool oapi-codegen github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen "$OAPI_CODEGEN"
	tool nats-server github.com/nats-io/nats-server/v2 "$NATS_SERVER"
}

what=${1:-all}
go_present
packages "$what"
postgres
[ "$what" = run ] || tools
