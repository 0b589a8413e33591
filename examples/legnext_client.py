"""The `legnext` client of the hosted API, pointed at a Brushwork of your own.

BRUSHWORK_API_KEY=bw_… python examples/legnext_client.py "a lighthouse at dusk --ar 3:2"
"""

import os
import sys

from legnext import Client


def main() -> None:
    prompt = sys.argv[1] if len(sys.argv) > 1 else "a lighthouse at dusk --ar 3:2"
    server = os.environ.get("BRUSHWORK_SERVER", "http://127.0.0.1:8080")
    client = Client(api_key=os.environ["BRUSHWORK_API_KEY"], base_url=f"{server}/api")

    print(f"{client.account.balance().available_points} points")
    job = client.midjourney.diffusion(prompt)
    done = client.tasks.wait_for_completion(job.job_id, poll_interval=1)
    print(done.output.image_url)
    for url in done.output.image_urls:
        print(url)


if __name__ == "__main__":
    main()
