"""The supervisor, when it cannot even start a worker."""

import asyncio
from pathlib import Path

from brushwork.database.session import Database
from brushwork.jobs.rules import JobRules
from brushwork.jobs.supervisor import Supervisor


async def test_a_worker_that_cannot_be_started_is_tried_again(database: Database, tmp_path: Path) -> None:
    program = tmp_path / "worker"
    supervisor = Supervisor(database=database, command=[str(program)], devices=["cpu:0"], rules=JobRules())
    stop = asyncio.Event()
    running = asyncio.create_task(supervisor.run(stop))
    await asyncio.sleep(0.3)
    assert not running.done()

    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\nexec sleep 60\n")
    program.chmod(0o755)
    async with asyncio.timeout(30):
        while not (tmp_path / "started").exists():  # noqa: ASYNC110 -- another process makes it
            await asyncio.sleep(0.05)
    stop.set()
    await running
