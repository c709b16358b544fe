"""Debian's Alertmanager for tests, on loopback, telling a webhook what it would tell people."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """A running Alertmanager."""

    url: str

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that are active, as its API tells them."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found

    def groups(self) -> list[dict[str, Any]]:
        """The groups in which it would tell them."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts/groups", timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found


@contextmanager
def alertmanager(directory: Path, webhook: str) -> Iterator[Alertmanager]:
    """Start it in a directory, wait until it is ready, stop it."""
    binary = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if binary is None:
        raise RuntimeError("apt-get install prometheus-alertmanager")
    config = {
        "route": {
            "receiver": "hook",
            "group_by": ["monitor"],
            "group_wait": "0s",
            "group_interval": "1s",
            "repeat_interval": "1h",
        },
        "receivers": [{"name": "hook", "webhook_configs": [{"url": webhook}]}],
    }
    (directory / "alertmanager.yml").write_text(yaml.safe_dump(config))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        binary,
        f"--config.file={directory / 'alertmanager.yml'}",
        f"--storage.path={directory / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            running = Alertmanager(f"http://127.0.0.1:{port}")
            wait_for(lambda: _is_ready(running))
            yield running
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something holds that another process brings about; AssertionError if never."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.05)


def _is_ready(running: Alertmanager) -> bool:
    try:
        with urllib.request.urlopen(f"{running.url}/-/ready", timeout=10) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False
