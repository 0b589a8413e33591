"""Many processes of one installation, as an operator would start them: to be used, killed and started again."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROLES = {"api": ("serve", "--workers", "0"), "worker": ("worker",), "sender": ("sender",)}


class Fleet:
    """Owns the processes; each has a name such as `worker-2`, and a log file of that name."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.settings = settings
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.own: dict[str, dict[str, str]] = {}

    def start(self, name: str, **own: str) -> None:
        """Start `api-1`, `worker-3` or the like; settings of its own are remembered for the next start."""
        self.own[name] = own or self.own.get(name, {})
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("BRUSHWORK_", "AWS_"))}
        given = self.settings | self.own[name]
        environment = kept | {
            key if key.startswith("AWS_") else f"BRUSHWORK_{key.upper()}": given[key] for key in given
        }
        command = [sys.executable, "-m", "brushwork", *ROLES[name.partition("-")[0]]]
        with (self.folder / f"{name}.log").open("a") as output:
            self.running[name] = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    def kill(self, name: str) -> None:
        """kill -9: it can do nothing about it."""
        process = self.running.pop(name)
        process.kill()
        process.wait()

    async def kill_and_start(self, name: str, *, after: float) -> None:
        await asyncio.to_thread(self.kill, name)
        await asyncio.sleep(after)
        self.start(name)

    def dead(self) -> list[str]:
        """Those that ended by themselves."""
        return [name for name, process in self.running.items() if process.poll() is not None]

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def tails(self) -> str:
        """The ends of all logs, for whoever reads why a test failed."""
        return "\n".join(f"── {path.name}\n{path.read_text()[-1500:]}" for path in sorted(self.folder.glob("*.log")))

    def stop(self) -> None:
        """End all of them as an operator does, and kill those that do not."""
        for process in self.running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.running.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.clear()


@contextmanager
def fleet(folder: Path, **settings: str) -> Iterator[Fleet]:
    """A fleet whose processes are all gone at the end."""
    made = Fleet(folder, **settings)
    try:
        yield made
    finally:
        made.stop()
