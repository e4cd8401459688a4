#!/usr/bin/env bash
# Measures a broker over a durable file of 100,000 sessions and grants, as docs/PERFORMANCE.md says:
#
#   internal/perf/measure.sh OIDCLOAD [RS256|ES256] [SCENARIOS]
#
# OIDCLOAD is the load harness's binary. Everything runs on loopback, ends by itself and is removed.
set -euo pipefail
load=$1 alg=${2:-RS256} scenarios=${3:-discovery,login,sso,refresh,userinfo,client_credentials,introspect,revoke}
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
pids=()
cleanup() { for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done; wait; rm -rf "$dir"; }
trap cleanup EXIT

CGO_ENABLED=0 go build -trimpath -o "$dir/broker" ./cmd/broker
go build -o "$dir/fill" ./internal/perf/fill
"$dir/broker" secret > "$dir/broker.key"
chmod 600 "$dir/broker.key"
touch "$dir/broker.yaml"
chmod 600 "$dir/broker.yaml"
cat > "$dir/broker.yaml" <<YAML
issuer: http://127.0.0.1:9556
listen: 127.0.0.1:9556
health: {listen: 127.0.0.1:9557}
storage: {type: bolt, path: broker.db}
secret_key: file:broker.key
signing: {id_token: $alg, access_token: ES256}
limits: off
log: {level: warn}
connectors:
  - {id: upstream, type: oidc, name: Upstream, client_id: broker, client_secret: secret-of-the-broker-for-measuring, issuer: "http://127.0.0.1:9400"}
clients:
  - {client_id: app1, client_secret: secret-of-app1-for-measuring, grant_types: [authorization_code, refresh_token, client_credentials], redirect_uris: ["http://127.0.0.1:5555/callback"], skip_consent: true}
  - {client_id: app2, client_secret: secret-of-app2-for-measuring, redirect_uris: ["http://127.0.0.1:5555/callback"], skip_consent: true}
YAML
"$dir/fill" -path "$dir/broker.db" -key "$dir/broker.key" -n "${RECORDS:-100000}"
"$load" limits --dir "$dir"
"$load" upstream --listen 127.0.0.1:9400 & pids+=($!)
upstream=$!
"$dir/broker" serve -c "$dir/broker.yaml" & pids+=($!)
broker=$!
for _ in $(seq 100); do curl -fsS -o /dev/null http://127.0.0.1:9557/readyz 2>/dev/null && break; sleep 0.1; done
"$load" run --issuer http://127.0.0.1:9556 --client-id app1 --client-secret secret-of-app1-for-measuring --client2-id app2 --client2-secret secret-of-app2-for-measuring \
  --upstream http://127.0.0.1:9400/ --pid "$broker" --aux upstream="$upstream" --scenarios "$scenarios" \
  --concurrency "${WORKERS:-16}" --duration "${DURATION:-5s}" --repeat "${REPEAT:-3}"
kill "$broker"; wait "$broker" || true
"$load" coldstart --url http://127.0.0.1:9556/.well-known/openid-configuration -- "$dir/broker" serve -c "$dir/broker.yaml"
ls -l "$dir/broker" "$dir/broker.db" | awk '{print $5, $9}' | sed "s#$dir/##"
