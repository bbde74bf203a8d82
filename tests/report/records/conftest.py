"""A page in headless Chromium, driven through a pair of pipes."""

import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_PATIENCE = 120

_COMPLAINTS = {
    "Log.entryAdded",
    "Page.javascriptDialogOpening",
    "Runtime.consoleAPICalled",
    "Runtime.exceptionThrown",
}

# The browser reads descriptor 3 and writes 4.
_ON_3_AND_4 = """
import fcntl, os, sys
high = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
os.dup2(high[0], 3)
os.dup2(high[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """One headless browser, with one page open at a time.

    Args:
        command: The program and its options.
    """

    def __init__(self, command: list[str]) -> None:
        reads, self._writes = os.pipe()
        self._reads, writes = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _ON_3_AND_4, str(reads), str(writes), *command],
            pass_fds=(reads, writes),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(reads)
        os.close(writes)
        self._pending = b""
        self._number = 0
        self._session: str | None = None
        self.said: list[str] = []

    def open(self, path: Path, width: int = 1280) -> None:
        """Load a page, and note what its scripts complain of from then on."""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session, self.said = attached["sessionId"], []
        for name in ("Page.enable", "Runtime.enable", "Log.enable", "Network.enable"):
            self._call(name)
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=False,
        )
        self._call("Page.navigate", url=path.resolve().as_uri())
        end = time.monotonic() + _PATIENCE
        while not self.value("document.readyState == 'complete' && location.protocol == 'file:'"):
            assert time.monotonic() < end, "the page does not load"
            time.sleep(0.02)

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript comes to in the page."""
        found = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key and let it go."""
        text = {"text": "\r"} if key == "Enter" else {}
        code = {"Enter": 13, "Tab": 9}[key]
        for kind in ("keyDown", "keyUp"):
            more = text if kind == "keyDown" else {}
            self._call(
                "Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **more
            )

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self._call("Input.insertText", text=text)

    def close(self) -> None:
        """End the browser."""
        os.close(self._writes)
        os.close(self._reads)
        self._process.kill()
        self._process.wait()

    def _call(self, method: str, **params: Any) -> Any:
        self._number += 1
        call = {"id": self._number, "method": method, "params": params}
        if self._session is not None and not method.startswith("Target."):
            call["sessionId"] = self._session
        os.write(self._writes, json.dumps(call).encode() + b"\0")
        while True:
            message = self._message()
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        """Remember errors, what is logged, and what is asked of a network."""
        name, params = message.get("method"), message.get("params", {})
        if name in _COMPLAINTS:
            self.said.append(json.dumps(params))
        elif name == "Network.requestWillBeSent" and params["type"] != "Document":
            self.said.append(json.dumps(params["request"]))

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._pending:
            ready, _, _ = select.select([self._reads], [], [], _PATIENCE)
            part = os.read(self._reads, 1 << 20) if ready else b""
            assert part, "the browser does not answer"
            self._pending += part
        message, _, self._pending = self._pending.partition(b"\0")
        read: dict[str, Any] = json.loads(message)
        return read


@pytest.fixture(scope="session")
def _browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip("there is no Chromium on this machine")
    browser = Browser(
        [
            *(program, "--headless", "--remote-debugging-pipe", "--disable-gpu"),
            *("--no-first-run", "--no-sandbox", "--disable-background-networking"),
            f"--user-data-dir={tmp_path_factory.mktemp('browser')}",
        ]
    )
    yield browser
    browser.close()


@pytest.fixture
def look(_browser: Browser) -> Iterator[Callable[..., Browser]]:
    """Open a page; in the end no script may have complained, and nothing asked of a network."""

    def open_page(path: str | Path, width: int = 1280) -> Browser:
        _browser.open(Path(path), width)
        return _browser

    yield open_page
    assert _browser.said == []
