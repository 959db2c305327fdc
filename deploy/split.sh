#!/bin/sh
# Runs the system as separate processes on this machine, in the order and with
# the settings that docker-compose.yml has: a NATS server, a PostgreSQL, the API
# and the three workers. Ctrl-C stops them in reverse.
#
#   DATA_DIR      where all of them keep their data and logs   [data/split]
#   PORT          the API's port                               [8000]
#   SPLIT_PORT    the first of six ports for the others        [19090]
#   WORKERS       how many of each worker                      [1]
set -eu
cd "$(dirname "$0")/.."

dir=${DATA_DIR:-data/split}
first=${SPLIT_PORT:-19090}
workers=${WORKERS:-1}
export PORT="${PORT:-8000}"
started=

say() { echo "split: $*"; }

# start NAME COMMAND...: in a session of its own, which Ctrl-C does not reach
start() {
	name=$1
	shift
	setsid "$@" >>"$dir/$name.log" 2>&1 &
	started="$! $name $started"
	pid=$!
}

# ready NAME COMMAND...: wait until the command succeeds or the process has ended
ready() {
	name=$1
	shift
	until "$@" >/dev/null 2>&1; do
		kill -0 "$pid" 2>/dev/null || { say "$name ended at start, see $dir/$name.log:"; tail -n 5 "$dir/$name.log"; exit 1; }
		sleep 0.2
	done
	say "$name is ready (process $pid)"
}

# stop the processes, the last one first, each before the next
stop_all() {
	trap - INT TERM EXIT
	# shellcheck disable=SC2086 # pairs of process and name
	set -- $started
	while [ $# -gt 1 ]; do
		kill -TERM "$1" 2>/dev/null || true
		wait "$1" 2>/dev/null || true
		say "$2 has stopped"
		shift 2
	done
}

# The server names its port in a file once it listens.
nats_ready() { ls "$dir"/nats-server_*.ports; }

all_alive() {
	# shellcheck disable=SC2086 # pairs of process and name
	set -- $started
	while [ $# -gt 1 ]; do
		kill -0 "$1" 2>/dev/null || { say "$2 has ended, see $dir/$2.log:"; tail -n 5 "$dir/$2.log"; return 1; }
		shift 2
	done
}

make_secret() {
	[ -s "$dir/secret" ] || (umask 077 && od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$dir/secret")
	cat "$dir/secret"
}

mkdir -p "$dir"
SECRET_KEY=${SECRET_KEY:-$(make_secret)}
export SECRET_KEY
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

rm -f "$dir"/nats-server_*.ports
start nats .bin/nats-server --addr 127.0.0.1 --port "$first" --jetstream --store_dir "$dir/nats" --ports_file_dir "$dir"
ready nats nats_ready
export NATS_URL="nats://127.0.0.1:$first"

rm -f "$dir/database-url"
start postgres bin/private-postgres -dir "$dir/postgres" -address-file "$dir/database-url"
ready postgres test -s "$dir/database-url"
DATABASE_URL=$(cat "$dir/database-url")
export DATABASE_URL

port=$((first + 1))
start api env METRICS_PORT="$port" bin/api
ready api bin/api healthcheck
for n in $(seq "$workers"); do
	for worker in extract-worker embed-worker match-worker; do
		port=$((port + 1))
		start "$worker-$n" env METRICS_PORT="$port" "bin/$worker"
		ready "$worker-$n" env METRICS_PORT="$port" "bin/$worker" healthcheck
	done
done
say "the API answers at http://127.0.0.1:$PORT (logs in $dir; Ctrl-C stops everything)"
while all_alive; do sleep 1; done
exit 1
