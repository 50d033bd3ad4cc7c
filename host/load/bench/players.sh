#!/bin/bash
# Players of one 2.5 Mbit/s publisher, beside nginx with its RTMP module in the same run; one JSON line each.
#
#   host/load/bench/players.sh <heliu> <heliu-load> <plugin.wasm> [counts…]
#
# Also: 50 stalled players beside 50 good ones, 2 000 idle connections. Restarts: `restart.sh`.
# Figures mean something on a quiet machine only; the load average is told before each.
set -eu
heliu=$1 load=$2 plugin=$3; shift 3
counts=${*:-50 200 500}
seconds=${SECONDS_EACH:-10}
folder=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; rm -rf "$folder"' EXIT
ulimit -n "$(ulimit -Hn)"

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
cat > "$folder/nginx.conf" <<NGINX
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
daemon off;
worker_processes 1;
worker_rlimit_nofile 65536;
error_log $folder/nginx.log warn;
pid $folder/nginx.pid;
events { worker_connections 16384; }
rtmp { server { listen 127.0.0.1:47936; chunk_size 4096; application live { live on; } } }
NGINX

run_heliu() { "$heliu" run --config "$folder/heliu.toml" > "$folder/ready" 2> "$folder/log" & server=$!; pids+=("$server"); }
ready() { until grep -q "^ready" "$folder/ready"; do kill -0 "$server" || { cat "$folder/log"; exit 1; }; sleep 0.01; done; }
measure() { echo "$1: load $(cut -d' ' -f1 /proc/loadavg) $("$load" "${@:2}")"; }
publish() { "$load" publish "$1" > /dev/null & publisher=$!; pids+=("$publisher"); sleep 4; }

run_heliu; ready
nginx -c "$folder/nginx.conf" 2> /dev/null & nginx=$!; pids+=("$nginx"); sleep 1

publish rtmp://127.0.0.1:47935/live/7/cam
for count in $counts; do
  measure "heliu rtmp" play rtmp://127.0.0.1:47935/live/7/cam --count "$count" --seconds "$seconds" --pid "$server"
  measure "heliu flv" play http://127.0.0.1:47080/live/7/cam.flv --count "$count" --seconds "$seconds" --pid "$server"
done
measure "heliu rtmp, 50 stalled" play rtmp://127.0.0.1:47935/live/7/cam --count 50 --stalled 50 --seconds 45 --pid "$server"
measure "heliu flv, 50 stalled" play http://127.0.0.1:47080/live/7/cam.flv --count 50 --stalled 50 --seconds 45 --pid "$server"
kill "$publisher"; wait "$publisher" 2>/dev/null || true

publish rtmp://127.0.0.1:47936/live/cam
for count in $counts; do
  measure "nginx rtmp" play rtmp://127.0.0.1:47936/live/cam --count "$count" --seconds "$seconds" --pid "$nginx"
done
kill "$publisher"; wait "$publisher" 2>/dev/null || true

measure "heliu, idle" idle 127.0.0.1:47935 --count 2000 --pid "$server"
