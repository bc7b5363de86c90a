# SPDX-License-Identifier: Apache-2.0
"""A directory and a provider that lie, for nodes and clients that have to believe something."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

Topology = dict[str, list[dict[str, Any]]]
# What is sent instead of the topology: a text, or everything from the status line on.
Lie = Callable[[Topology], str | bytes]


def honest_answer(topology: Topology) -> str:
    return json.dumps(topology)


class FakeDirectory:
    """Takes every presence. Once three mixes and a provider are there, whoever asks for the topology gets the next lie,
    until all were told; then, and before, the truth, as `edit` changes it. Runs in threads of this process until
    `close`."""

    def __init__(self, lies: Sequence[Lie] = (), edit: Callable[[Topology], None] | None = None) -> None:
        self.presences: dict[str, dict[str, dict[str, Any]]] = {"mixNodes": {}, "mixProviderNodes": {}}
        self._lies, self._edit = list(lies), edit
        self._lock = threading.Lock()
        self.told: Counter[int] = Counter()
        self.truths = 0
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                if self.path == "/api/healthcheck":
                    return self.reply('{"ok":true}')
                # Python's own client says so, and gets the truth: tests look at the topology, too.
                return self.reply(fake.answer(may_lie=self.headers.get("Accept-Encoding") != "identity"))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                kind = {"/api/presence/mixnodes": "mixNodes", "/api/presence/mixproviders": "mixProviderNodes"}
                if self.path in kind:
                    with fake._lock:
                        fake.presences[kind[self.path]][body["pubKey"]] = {**body, "lastSeen": time.time_ns()}
                self.reply('{"ok":true}', 201)

            def reply(self, answer: str | bytes, status: int = 200) -> None:
                self.close_connection = True
                if isinstance(answer, bytes):
                    self.wfile.write(answer)
                    return
                body = answer.encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass  # Who is lied to may hang up.

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, may_lie: bool) -> str | bytes:
        with self._lock:
            truth: Topology = {"cocoNodes": []}
            truth |= {kind: list(entries.values()) for kind, entries in self.presences.items()}
            if self._edit and may_lie:
                self._edit(truth)
            untold = [number for number in range(len(self._lies)) if not self.told[number]]
            if may_lie and untold and len(truth["mixNodes"]) >= 3 and truth["mixProviderNodes"]:
                self.told[untold[0]] += 1
                return self._lies[untold[0]](truth)
            self.truths += 1
            return honest_answer(truth)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class FakeProvider:
    """Gives every client a token, and answers pulls with `replies` in turn; the last one again and again."""

    def __init__(self, replies: Sequence[bytes | Callable[[], Iterator[bytes]]]) -> None:
        self.pulls = 0
        fake = self

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                request = self.request.recv(1024)
                if request[:2] == b"\x00\x01":
                    self.request.sendall(b"t" * 32)
                    return
                reply = replies[min(fake.pulls, len(replies) - 1)]
                fake.pulls += 1
                for piece in [reply] if isinstance(reply, bytes) else reply():
                    self.request.sendall(piece)

        class Server(ThreadingTCPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
