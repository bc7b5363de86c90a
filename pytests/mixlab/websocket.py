# SPDX-License-Identifier: Apache-2.0
"""A small websocket client (RFC 6455) for nym-client's local API, in the standard library.

Text frames with JSON, one reply per request, in order. Not supported because the API has no use for it:
extensions, sub-protocols, TLS, sending fragments. Fragmented replies and pings are understood.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import socket
import struct
from typing import Any

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10


class WebSocketError(ConnectionError):
    """The other side refused, closed, or did not speak websocket."""


class WebSocket:
    """One connection. `close` it, or use it with `with`. `authority` is what a page would call the host."""

    def __init__(
        self,
        port: int,
        host: str = "127.0.0.1",
        timeout_s: float = 30.0,
        origin: str | None = None,
        path: str = "/",
        authority: str | None = None,
    ) -> None:
        self._buffer = b""
        self._socket = socket.create_connection((host, port), timeout=timeout_s)
        try:
            self._handshake(authority or f"{host}:{port}", origin, path)
        except BaseException:
            self._socket.close()
            raise

    def _handshake(self, authority: str, origin: str | None, path: str) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {authority}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
        ]
        if origin is not None:
            lines.append(f"Origin: {origin}")
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        while b"\r\n\r\n" not in self._buffer:
            self._receive()
        head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        status, *headers = head.decode("latin-1").split("\r\n")
        if status.split(" ")[1:2] != ["101"]:
            raise WebSocketError(f"handshake refused: {status}")
        expected = base64.b64encode(hashlib.sha1((key + _MAGIC).encode()).digest()).decode()
        accepts = [
            line.split(":", 1)[1].strip() for line in headers if line.lower().startswith("sec-websocket-accept:")
        ]
        if accepts != [expected]:
            raise WebSocketError("handshake answered with a wrong Sec-WebSocket-Accept")

    def _receive(self) -> None:
        chunk = self._socket.recv(65536)
        if not chunk:
            raise WebSocketError("the other side closed the connection")
        self._buffer += chunk

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._receive()
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def _read_frame(self) -> tuple[bool, int, bytes]:
        first, second = self._take(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", self._take(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self._take(8))
        if second & 0x80:
            raise WebSocketError("a server must not mask its frames")
        return bool(first & 0x80), first & 0x0F, self._take(size)

    def _write_frame(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        if size < 126:
            head = struct.pack(">BB", 0x80 | opcode, 0x80 | size)
        elif size < 65536:
            head = struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, size)
        else:
            head = struct.pack(">BBQ", 0x80 | opcode, 0x80 | 127, size)
        mask = os.urandom(4)
        pattern = (mask * (size // 4 + 1))[:size]
        masked = (int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")).to_bytes(size, "big")
        self._socket.sendall(head + mask + masked)

    def send_text(self, text: str) -> None:
        self._write_frame(_TEXT, text.encode())

    def send_binary(self, payload: bytes) -> None:
        self._write_frame(_BINARY, payload)

    def receive_text(self) -> str:
        """The next text message. WebSocketError with the code and reason when the other side closes."""
        parts: list[bytes] = []
        while True:
            last, opcode, payload = self._read_frame()
            if opcode == _PING:
                self._write_frame(_PONG, payload)
            elif opcode == _CLOSE:
                code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
                raise WebSocketError(f"closed by the other side with {code}: {payload[2:].decode('utf-8', 'replace')}")
            elif opcode in (_CONTINUATION, _TEXT, _BINARY):
                parts.append(payload)
                if last:
                    return b"".join(parts).decode()

    def request(self, **fields: Any) -> dict[str, Any]:
        """Sends one JSON object and returns the reply."""
        self.send_text(json.dumps(fields))
        reply = json.loads(self.receive_text())
        if not isinstance(reply, dict):
            raise WebSocketError(f"the reply is not a JSON object: {reply!r}")
        return reply

    def own_address(self) -> str:
        """The client's address, base58."""
        return str(self._expect("ownDetails", type="ownDetails")["address"])

    def clients(self) -> list[str]:
        """Addresses of every client a provider has registered, as this client's topology shows it."""
        return list(self._expect("getClients", type="getClients")["clients"])

    def send(self, message: str, recipient: str) -> None:
        """Queues a message for `recipient` (base58)."""
        self._expect("send", type="send", message=message, recipient_address=recipient)

    def fetch(self) -> list[str]:
        """Takes and empties what arrived."""
        return list(self._expect("fetch", type="fetch")["messages"])

    def _expect(self, kind: str, **fields: Any) -> dict[str, Any]:
        reply = self.request(**fields)
        if reply.get("type") != kind:
            raise WebSocketError(f"asked for {kind}, was answered {reply}")
        return reply

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._write_frame(_CLOSE, struct.pack(">H", 1000))
        self._socket.close()

    def __enter__(self) -> WebSocket:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
