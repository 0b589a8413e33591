#!/usr/bin/env bash
# Four pictures with curl: submit, poll until the job has ended, download the grid as grid.png.
#   BRUSHWORK_API_KEY=bw_… examples/curl.sh "a lighthouse at dusk --ar 3:2"
set -euo pipefail

server=${BRUSHWORK_SERVER:-http://127.0.0.1:8080}
prompt=${1:-a lighthouse at dusk --ar 3:2}

field() { python3 -c 'import json, sys; v = json.load(sys.stdin); [v := v[k] for k in sys.argv[1].split(".")]; print(v)' "$1"; }
call() { curl --silent --show-error --fail-with-body -H "x-api-key: $BRUSHWORK_API_KEY" "$@"; }

body=$(python3 -c 'import json, sys; print(json.dumps({"text": sys.argv[1]}))' "$prompt")
job=$(call -X POST "$server/api/v1/diffusion" -H "Content-Type: application/json" -d "$body" | field job_id)
echo "job $job"

for _ in $(seq 300); do
  answer=$(call "$server/api/v1/job/$job")
  status=$(field status <<<"$answer")
  [[ $status == completed || $status == failed ]] && break
  sleep 1
done

if [[ $status != completed ]]; then
  field error.message <<<"$answer" >&2
  exit 1
fi
curl --silent --fail --output grid.png "$(field output.image_url <<<"$answer")"
echo "grid.png"
