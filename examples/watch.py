"""Follow a job live: every status and progress as it happens, over server-sent events.

BRUSHWORK_API_KEY=bw_… python examples/watch.py "a lighthouse at dusk --ar 3:2"
"""

import json
import os
import sys

import httpx


def main() -> None:
    prompt = sys.argv[1] if len(sys.argv) > 1 else "a lighthouse at dusk --ar 3:2"
    server = os.environ.get("BRUSHWORK_SERVER", "http://127.0.0.1:8080")
    headers = {"x-api-key": os.environ["BRUSHWORK_API_KEY"]}
    with httpx.Client(base_url=server, headers=headers, timeout=60, trust_env=False) as client:
        job = client.post("/api/v1/diffusion", json={"text": prompt}).raise_for_status().json()
        with client.stream("GET", f"/api/v1/job/{job['job_id']}/events") as stream:
            kind = ""
            for line in stream.iter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    kind = value
                elif name == "data" and kind in ("status", "progress"):
                    print(kind, json.loads(value))
        done = client.get(f"/api/v1/job/{job['job_id']}").raise_for_status().json()
        print(done["output"]["image_url"] or done["error"]["message"])


if __name__ == "__main__":
    main()
