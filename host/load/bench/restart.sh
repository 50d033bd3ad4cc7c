#!/bin/bash
# kill -9 to accepting again, with an empty store and with one that remembers many rooms.
#
#   host/load/bench/restart.sh <heliu> <rooms> <plugin.wasm> [count]
#
# <rooms> is the example of heliu-store (`cargo build --release -p heliu-store --example rooms`). Both
# figures are told: the RTMP port takes a connection, and heliu has said that it is ready. The first
# start of a data directory compiles the component; it is told, too, and is no restart.
set -eu
heliu=$1 rooms=$2 plugin=$3 count=${4:-10000}
folder=$(mktemp -d)
server=
trap 'kill -9 "$server" 2>/dev/null; rm -rf "$folder"' EXIT

cat > "$folder/heliu.toml" <<TOML
data_dir = "$folder/data"
[log]
level = "warn"
[[http]]
listen = "127.0.0.1:47080"
[rtmp]
listen = "127.0.0.1:47935"
[plugins.one]
component = "$plugin"
apps = ["*"]
TOML

millis_since() { echo $((($(date +%s%N) - $1) / 1000000)); }
start() {
  : > "$folder/ready"
  local began; began=$(date +%s%N)
  "$heliu" run --config "$folder/heliu.toml" > "$folder/ready" 2> "$folder/log" & server=$!
  until (exec 3<> /dev/tcp/127.0.0.1/47935) 2>/dev/null; do kill -0 "$server" || { cat "$folder/log"; exit 1; }; done
  local accepting; accepting=$(millis_since "$began")
  until grep -q "^ready" "$folder/ready"; do kill -0 "$server" || { cat "$folder/log"; exit 1; }; done
  echo "$1: load $(cut -d' ' -f1 /proc/loadavg), accepting after $accepting ms, ready after $(millis_since "$began") ms"
}
stop() { kill -9 "$server"; wait "$server" 2>/dev/null || true; }

start "first start, compiles"; stop
for round in 1 2 3 4 5; do start "small store, restart $round"; stop; done
"$rooms" "$folder/data/heliu.redb" one "$count"
echo "$count rooms: $(stat -c %s "$folder/data/heliu.redb") bytes"
for round in 1 2 3 4 5; do start "$count rooms, restart $round"; stop; done
