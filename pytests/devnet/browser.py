# SPDX-License-Identifier: Apache-2.0
"""Headless Chromium for tests, spoken to in its DevTools protocol over two pipes: no driver, no port, no package.

    with Browser(folder) as browser:
        page = browser.open("http://127.0.0.1:8080/", width=390, dark=True)
        page.wait_until("document.querySelectorAll('.node').length === 4", "four nodes are shown", 30)
        page.screenshot(Path("page.png"))

A page's exceptions and console errors are kept (`page.errors`). The browser dies with the process that made it.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
_COMMANDS_FD, _ANSWERS_FD = 3, 4  # What --remote-debugging-pipe reads and writes.
_FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-extensions",
    "--mute-audio",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
]


def find() -> str | None:
    """Chromium's path, or None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class BrowserError(RuntimeError):
    """The browser or its page said no."""


class Browser:
    """One Chromium with an empty profile in `folder`."""

    def __init__(self, folder: Path, *flags: str) -> None:
        program = find()
        if program is None:
            raise BrowserError("no Chromium on this system: scripts/setup.sh all")
        profile = folder / "chromium"
        profile.mkdir(parents=True)
        commands_read, self._commands = os.pipe()
        self._answers, answers_write = os.pipe()

        def prepare() -> None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
            # Both first out of the way: either may be 3 or 4 already.
            commands, answers = os.dup(commands_read), os.dup(answers_write)
            os.dup2(commands, _COMMANDS_FD)
            os.dup2(answers, _ANSWERS_FD)

        log = (folder / "chromium.log").open("wb")
        self._process = subprocess.Popen(
            [program, *_FLAGS, *flags, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=prepare,  # noqa: PLW1509 - no thread of ours runs here
            pass_fds=(_COMMANDS_FD, _ANSWERS_FD, commands_read, answers_write),
            start_new_session=True,
        )
        log.close()
        os.close(commands_read)
        os.close(answers_write)
        self._buffer = b""
        self._number = 0
        self._pages: dict[str, Page] = {}

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """One command and its answer; events that come between are given to their pages."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters}
        if session:
            command["sessionId"] = session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while True:
            message = self._receive(60)
            if message.get("id") == self._number:
                if "error" in message:
                    raise BrowserError(f"{method}: {message['error'].get('message')}")
                return dict(message["result"])

    def listen(self, within_s: float) -> None:
        """Takes what the browser says by itself, for at most that long."""
        with contextlib.suppress(TimeoutError):
            self._receive(within_s)

    def _receive(self, within_s: float) -> dict[str, Any]:
        deadline = time.monotonic() + within_s
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError("the browser says nothing")
            chunk = os.read(self._answers, 1 << 16)
            if not chunk:
                raise BrowserError(f"the browser has ended with status {self._process.wait(10)}")
            self._buffer += chunk
        text, self._buffer = self._buffer.split(b"\0", 1)
        message: dict[str, Any] = json.loads(text)
        page = self._pages.get(message.get("sessionId", ""))
        if page and "method" in message:
            page.happened(message["method"], message["params"])
        return message

    def open(self, url: str, *, width: int = 1280, height: int = 900, before: str = "", **looks: bool) -> Page:
        """A page in a tab of its own. `before` is a script that runs first; `dark`, `still` (reduced motion) as the
        system would ask for."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self._pages[session] = Page(self, session, target)
        for domain in ("Page", "Runtime", "Log"):
            page.call(f"{domain}.enable")
        page.resize(width, height)
        page.look(**looks)
        if before:
            page.call("Page.addScriptToEvaluateOnNewDocument", source=before)
        page.call("Page.navigate", url=url)
        page.wait_until("document.readyState === 'complete'", f"{url} is loaded", 60)
        return page

    def close(self) -> None:
        if self._process.poll() is None:
            with contextlib.suppress(BrowserError, OSError, TimeoutError):
                self.call("Browser.close")
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for descriptor in (self._commands, self._answers):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Page:
    """One tab."""

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self._browser, self._session, self._target = browser, session, target
        self.errors: list[str] = []

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **parameters)

    def happened(self, method: str, details: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            thrown = details["exceptionDetails"]
            self.errors.append(thrown.get("exception", {}).get("description") or thrown["text"])
        elif method == "Log.entryAdded" and details["entry"]["level"] == "error":
            self.errors.append(f"{details['entry']['text']} {details['entry'].get('url', '')}")

    def resize(self, width: int, height: int) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def look(self, *, dark: bool = False, still: bool = False) -> None:
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if still else "no-preference"},
        ]
        self.call("Emulation.setEmulatedMedia", features=features)

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited if it is a promise."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            thrown = answer["exceptionDetails"]
            raise BrowserError(thrown.get("exception", {}).get("description") or thrown["text"])
        return answer["result"].get("value")

    def text(self, selector: str) -> str:
        return str(self.ask(f"document.querySelector({json.dumps(selector)}).innerText"))

    def wait_until(self, expression: str, what: str, within_s: float) -> Any:
        """Asks again until the expression is true; its value."""
        deadline = time.monotonic() + within_s
        while not (value := self.ask(expression)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {within_s:g} s: {what}; errors of the page: {self.errors}")
            self._browser.listen(0.05)
        return value

    def press(self, key: str) -> None:
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key], **text)

    def screenshot(self, path: Path, whole: bool = False) -> None:
        options: dict[str, Any] = {"captureBeyondViewport": whole}
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            options["clip"] = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png", **options)["data"]))

    def close(self) -> None:
        self._browser.call("Target.closeTarget", targetId=self._target)
