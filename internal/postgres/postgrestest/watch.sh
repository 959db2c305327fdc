# watch.sh BASE PID: ends the test cluster once nobody has used it for a while.
# Each process of tests holds a shared lock on BASE/users as long as it lives.
exec 9<"$1/users"
alive() { readlink "/proc/$2/exe" >/dev/null 2>&1; }
while alive "$@"; do
	flock -x 9
	flock -u 9
	sleep 30
	flock -n -x 9 || continue
	# Newcomers now wait for the lock, and then start a cluster of their own.
	rm -f "$1/address"
	kill -INT "$2" 2>/dev/null
	while alive "$@"; do sleep 0.1; done
done
