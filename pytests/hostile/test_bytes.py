# SPDX-License-Identifier: Apache-2.0
"""What anybody can send to a port: nonsense, too little, too much, too early an end, too many requests at once."""

from __future__ import annotations

import contextlib
import json
import random
import socket
from collections.abc import Callable

import pytest

from hostilekit import Door, doors, ended, exchange, honest, read_all, reset
from mixlab import Devnet
from mixlab.planted import Planted, fate
from mixlab.websocket import WebSocket, WebSocketError

BAD = b"bad foomp"
OWN = b"\x04"
GET = b"GET /api/presence/topology HTTP/1.1\r\nHost: x\r\n\r\n"
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def frame(opcode: int, payload: bytes, first: int = 0x80) -> bytes:
    """A masked websocket frame, the mask all zeros."""
    size = len(payload)
    if size < 126:
        head = bytes([first | opcode, 0x80 | size])
    elif size < 65536:
        head = bytes([first | opcode, 0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([first | opcode, 0x80 | 127]) + size.to_bytes(8, "big")
    return head + bytes(4) + payload


def say(door: Door, data: bytes) -> bytes:
    """Sends on a websocket after its handshake, closes our side, and reads to the end."""
    with door.connect() as connection:
        connection.sendall(HANDSHAKE)
        assert b"101 Switching" in connection.recv(1000)
        with contextlib.suppress(OSError):
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


def whole_request(door: Door, net: Devnet) -> bytes:
    """A request that the door answers, or a packet that it takes."""
    if door.name == "directory":
        return GET
    if door.name == "client websocket":
        return HANDSHAKE
    if door.name == "client socket":
        return OWN
    if door.name == "provider for clients":
        return b"\x00\x01" + bytes(range(32))
    sender = Planted(net, records=False)
    route = [*net.mixes, net.provider] if door.name == "mix" else [net.provider]
    return sender.packet(route)


def test_garbage(network: Callable[..., Devnet]) -> None:
    net = network()
    chance = random.Random(1)
    texts = [
        chance.randbytes(8 * 1372),
        b"\xff" * 3000,
        bytes(2 * 1372),
        b"\r\n" * 700,
        b"\x16\x03\x01\x02\x00\x01\x00",
    ]
    with honest(net):
        for door in doors(net).values():
            replies = [exchange(door, text) for text in texts]
            if door.name == "provider for clients":
                assert set(replies) <= {BAD, b""}, replies  # A reset may overtake the reply.
            if door.name in ("directory", "client websocket"):
                assert all(not reply or reply.startswith(b"HTTP/1.1 4") for reply in replies), replies
    said = ended(net)
    for name in ("mix-0", "provider-0"):
        assert said[name]["mac"] >= 8, said
        assert said[name]["zero_shared_secret"] == 2, said
        assert said[name]["short_packet"] >= 2, said
    assert said["provider-0"]["bad_request"] >= len(texts), said
    assert said["directory"]["not_http"] + said["directory"]["header_too_large"] >= 3, said
    assert said["client-0"]["not_http"] + said["client-0"]["header_too_large"] >= 3, said
    assert said["client-1"]["bad_request"] >= 3, said


def test_truncated(network: Callable[..., Devnet]) -> None:
    net = network()
    with honest(net):
        for door in doors(net).values():
            whole = whole_request(door, net)
            for size in (0, 1, 2, len(whole) // 2, len(whole) - 1):
                reply = exchange(door, whole[:size])
                if door.name == "provider for clients":
                    assert reply == BAD, (size, reply)
        body = b'POST /api/presence/mixnodes HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"host":'
        assert exchange(doors(net)["directory"], body) == b""
        say(doors(net)["client websocket"], frame(1, b"hello")[:5])
        assert exchange(doors(net)["client socket"], b"\x01" + bytes(32)) == b"IncompleteDataError"
    said = ended(net)
    assert said["mix-0"]["short_packet"] == 4, said
    assert said["provider-0"]["short_packet"] == 4, said
    assert said["provider-0"]["bad_request"] == 5, said
    assert said["directory"]["not_http"] == 5, said
    assert said["client-0"]["not_http"] >= 3, said
    assert said["client-1"]["bad_request"] == 1, said


def test_oversized(network: Callable[..., Devnet]) -> None:
    net = network()
    found = doors(net)
    big = 2 * 1024 * 1024
    post = b"POST /api/presence/mixnodes HTTP/1.1\r\nHost: x\r\n"
    with honest(net):
        for name in ("mix", "provider for mixes"):
            exchange(found[name], whole_request(found[name], net) + bytes(700))
        assert exchange(found["provider for clients"], whole_request(found["provider for clients"], net) + b"!") == BAD
        assert exchange(found["provider for clients"], bytes(big)) in (BAD, b"")
        for text in (post + b"X: " + b"x" * 20_000, b"GET /" + b"x" * 20_000):
            assert b" 431 " in exchange(found["directory"], text)
            assert b" 431 " in exchange(found["client websocket"], text)
        body = post + f"Content-Length: {big}\r\n\r\n".encode() + b"x" * big
        assert b" 400 " in exchange(found["directory"], body)
        chunked = post + b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b"x" * 0x10000 + b"\r\n") * 32
        assert b" 400 " in exchange(found["directory"], chunked)
        endless = post + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"
        assert b" 400 " in exchange(found["directory"], endless)
        for rest in (b"1;", b"0\r\n"):  # neither a chunk's header nor a trailer ends
            in_chunks = post + b"Transfer-Encoding: chunked\r\n\r\n" + rest + b"x" * 20_000
            assert b" 431 " in exchange(found["directory"], in_chunks)
        keys = b"{" + b",".join(b'"%d":0' % i for i in range(70_000)) + b"}"
        many = exchange(found["directory"], post + b"Content-Length: %d\r\n\r\n" % len(keys) + keys)
        assert b" 400 " in many and b"too many keys" in many, many
        with WebSocket(net.clients[0].port) as socket_, pytest.raises((WebSocketError, ConnectionError)):
            socket_.send_text("x" * big)
            socket_.receive_text()
        with WebSocket(net.clients[0].port) as socket_:
            socket_.send_text(keys.decode())
            assert "too many keys" in socket_.receive_text()
        say(found["client websocket"], b"\x81\xff" + (2**63 - 1).to_bytes(8, "big") + bytes(4) + b"x" * 1000)
        assert b"too long" in exchange(found["client socket"], b"\x01" + bytes(32) + b"x" * 1500)
    said = ended(net)
    assert said["mix-0"]["short_packet"] == 1, said
    assert said["provider-0"]["short_packet"] == 1, said
    assert said["provider-0"]["bad_request"] == 2, said
    assert said["directory"]["header_too_large"] == 4, said
    assert said["directory"]["bad_entry"] == 1, said
    assert said["directory"]["body_too_large"] + said["directory"]["not_http"] == 3, said
    assert said["client-0"]["header_too_large"] == 2, said
    assert said["client-0"]["websocket"] >= 2, said
    assert said["client-0"]["bad_request"] == 1, said
    assert said["client-1"]["bad_request"] == 1, said


def test_connect_and_reset(network: Callable[..., Devnet]) -> None:
    net = network()
    with honest(net):
        for door in doors(net).values():
            whole = whole_request(door, net)
            for size in (0, 1, len(whole) // 2, len(whole)):
                for _ in range(25):
                    connection = door.connect()
                    connection.sendall(whole[:size])
                    reset(connection)
    said = ended(net)
    # A reset overtakes bytes that were not read yet: how many packets were seen to begin is the system's affair.
    assert said["mix-0"]["short_packet"] <= 50, said


def test_half_close(network: Callable[..., Devnet]) -> None:
    net = network()
    with honest(net):
        replies = {name: exchange(door, whole_request(door, net)) for name, door in doors(net).items()}
    assert replies["directory"].startswith(b"HTTP/1.1 200") and replies["directory"].endswith(b"}")
    assert len(replies["provider for clients"]) == 32
    assert b"101 Switching" in replies["client websocket"]
    assert len(replies["client socket"]) == 32
    assert replies["mix"] == replies["provider for mixes"] == b""
    said = ended(net)
    assert said["provider-0"]["unknown_recipient"] == 2, said  # One packet came by the mixes, one directly.


def test_pipelined_and_interleaved(network: Callable[..., Devnet]) -> None:
    net = network()
    found = doors(net)
    with honest(net):
        assert exchange(found["directory"], GET * 200).count(b"HTTP/1.1 200 ") == 200
        # Two requests a byte at a time, in turns.
        with found["directory"].connect() as one, found["directory"].connect() as other:
            for byte in GET:
                one.sendall(bytes([byte]))
                other.sendall(bytes([byte]))
            for connection in (one, other):
                connection.shutdown(socket.SHUT_WR)
                assert read_all(connection).count(b"HTTP/1.1 200 ") == 1
        # Packets in one write, and in pieces on two connections in turns.
        for name in ("mix", "provider for mixes"):
            packets = [whole_request(found[name], net) for _ in range(12)]
            exchange(found[name], b"".join(packets[:6]))
            streams = b"".join(packets[6:9]), b"".join(packets[9:])
            with found[name].connect() as one, found[name].connect() as other:
                for at in range(0, len(streams[0]), 999):
                    one.sendall(streams[0][at : at + 999])
                    other.sendall(streams[1][at : at + 999])
        # One request a connection: a second one behind it makes both nonsense.
        register = whole_request(found["provider for clients"], net)
        assert exchange(found["provider for clients"], register * 2) == BAD
        question = frame(1, json.dumps({"type": "ownDetails"}).encode())
        assert exchange(found["client websocket"], HANDSHAKE + question).startswith(b"HTTP/1.1 400")
        with WebSocket(net.clients[0].port) as socket_:
            for _ in range(100):
                socket_.send_text('{"type":"ownDetails"}')
            assert len({socket_.receive_text() for _ in range(100)}) == 1
        with found["client socket"].connect() as connection:
            connection.sendall(OWN * 5)  # One read is one request, whatever follows.
            assert len(connection.recv(1000)) == 32

        def stored() -> int:
            with net.run as run:
                query = "select count(*) from handled where reason = 'unknown_recipient'"
                return int(run.sql(query).scalar())

        net.wait_until(lambda: stored() == 24, "every packet arrives at the provider")
    said = ended(net)
    assert said["provider-0"]["bad_request"] == 1, said
    assert said["client-0"]["handshake"] == 1, said


def test_a_websocket_that_breaks_the_rules(network: Callable[..., Devnet]) -> None:
    net = network()
    door = doors(net)["client websocket"]
    wrongs = [
        frame(3, b"a reserved opcode"),
        frame(1, b"\xff\xfe not UTF-8"),
        frame(9, b"x" * 126),  # A control frame may be no longer than 125.
        frame(9, b"part of a ping", first=0),
        frame(0, b"continues nothing"),
        b"\xf1" + frame(1, b"reserved bits")[1:],
        b"\x81\x05hello",  # Not masked.
        frame(8, b"\x00"),  # Half a close code.
    ]
    jsons = ['{"type":', "[" * 100_000, '{"type":"send","message":7}', "null", '{"type":"' + "x" * 900_000 + '"}']
    with honest(net):
        for wrong in wrongs:
            say(door, wrong)
        for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example"):
            with pytest.raises(WebSocketError, match="403"):
                WebSocket(net.clients[0].port, origin=origin)
        with WebSocket(net.clients[0].port) as socket_:
            for text in jsons:
                socket_.send_text(text)
                assert json.loads(socket_.receive_text())["type"] == "error"
            socket_.send_binary(b"\x00")
            with pytest.raises(WebSocketError, match="1003"):
                socket_.receive_text()
        upgrade = HANDSHAKE.replace(b"Version: 13", b"Version: 99")
        assert b"101" not in exchange(door, upgrade)
        keyless = HANDSHAKE.replace(b"Sec-WebSocket-Key", b"X-Nothing")
        assert b"101" not in exchange(door, keyless)
    said = ended(net)["client-0"]
    assert said["websocket"] >= len(wrongs) - 1, said
    assert said["origin"] == 3, said
    assert said["bad_request"] == len(jsons) + 1, said
    assert said["handshake"] >= 1, said


def test_odd_messages_to_a_client_are_messages(network: Callable[..., Devnet]) -> None:
    """Originals stop at a message to their health-check address that is shorter than its mark (8.1)."""
    net = network()
    sender = Planted(net, "odd")
    sizes = [0, 1, 15, 16, 17, 145, 975]
    with honest(net) as users:
        for size in sizes:
            packet = sender.packet([*net.mixes, net.provider], users.address, bytes([65 + size % 26]) * size)
            digest = sender.send(packet, net.mixes[0])
            assert fate(net, digest)[0] == "store"
        got: list[bytes] = []
        net.wait_until(lambda: got.extend(users.fetch()) or len(got) >= len(sizes), "the odd messages arrive")
    assert sorted(len(message) for message in got) == sizes
    ended(net)
