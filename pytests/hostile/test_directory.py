# SPDX-License-Identifier: Apache-2.0
"""What anybody can tell a directory, which believes what it can check."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterable

from hostilekit import doors, ended, exchange, honest, is_sanitized, memory_kib
from mixlab import Devnet, sphinx

HIGHEST_MIXES = 4096
HIGHEST_ACCOUNTS = 40_000
HIGHEST_ACCOUNTS_OF_ONE = 10_000


def post(net: Devnet, path: str, bodies: Iterable[object]) -> list[int]:
    """Statuses of POSTs on one connection, a hundred on their way at a time."""
    texts = [body if isinstance(body, bytes) else json.dumps(body).encode() for body in bodies]
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: "
    requests = [f"{head}{len(text)}\r\n\r\n".encode() + text for text in texts]
    statuses: list[int] = []
    with socket.create_connection(("127.0.0.1", net.layout.directory), timeout=60) as connection:
        for at in range(0, len(requests), 100):
            batch = requests[at : at + 100]
            connection.sendall(b"".join(batch))
            replies = b""
            while replies.count(b"HTTP/1.1 ") < len(batch) or not replies.endswith(b"}"):
                chunk = connection.recv(65536)
                assert chunk, replies
                replies += chunk
            statuses += [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+)", replies)]
    return statuses


def mix(number: int, **what: object) -> dict[str, object]:
    key = sphinx.base58(number.to_bytes(32, "big"))
    # A version that nobody routes through: the bound is looked at here, not what believing strangers costs.
    honest_looking = {"host": f"10.0.{number >> 8}.{number & 255}:1789", "pubKey": key, "layer": 1, "version": "0.3.0"}
    return {**honest_looking, **what}


def test_a_presence_flood(network: Callable[..., Devnet]) -> None:
    """4096 mixes are listed and no more; who is in stays in, and is heard when it reports again."""
    net = network()
    directory = net.directory
    assert directory is not None
    before = memory_kib(directory)
    with honest(net) as users:
        statuses = post(net, "/api/presence/mixnodes", (mix(number) for number in range(1, HIGHEST_MIXES + 401)))
        assert statuses.count(201) <= HIGHEST_MIXES and statuses[-200:] == [503] * 200, statuses[-5:]
        clients = [{"pubKey": sphinx.base58(number.to_bytes(32, "big"))} for number in range(1, 10_002)]
        provider = {"clientListener": "10.1.0.1:1", "mixnetListener": "10.1.0.1:2", "version": "0.3.0"}
        bodies = [
            {**provider, "mixnetListener": f"10.1.0.{n}:2", "pubKey": mix(n)["pubKey"], "registeredClients": clients}
            for n in range(1, 4)
        ]
        assert post(net, "/api/presence/mixproviders", bodies) == [400] * 3  # One account too many.
        if not is_sanitized(directory):
            assert memory_kib(directory) - before < 32 * 1024
        users.message_arrives()
    said = ended(net)["directory"]
    assert said["directory_full"] >= 200 and said["bad_entry"] == 3, said


def provider(number: int, accounts: int) -> dict[str, object]:
    return {
        "clientListener": f"10.1.0.{number}:1",
        "mixnetListener": f"10.1.0.{number}:2",
        "pubKey": mix(number)["pubKey"],
        "version": "0.3.0",
        "registeredClients": [{"pubKey": mix(number * 100_000 + account)["pubKey"]} for account in range(accounts)],
    }


def test_more_accounts_than_a_directory_lists(network: Callable[..., Devnet]) -> None:
    """Strangers' providers fill it. The honest one may not grow then, and stays in; its new client is served."""
    net = network()
    directory = net.directory
    assert directory is not None
    with honest(net):
        path = "/api/presence/mixproviders"
        net.wait_until(lambda: len(net.topology().providers[0]["registeredClients"]) == 2, "both users are listed")
        full = [provider(number, HIGHEST_ACCOUNTS_OF_ONE) for number in range(1, 5)]
        assert post(net, path, full) == [201, 201, 201, 503]
        full[3]["registeredClients"] = full[3]["registeredClients"][2:]  # type: ignore[index]
        assert post(net, path, full) == [201] * 4
        assert len(exchange(doors(net)["provider for clients"], b"\x00\x01" + bytes(31) + b"\x09")) == 32

        def refused() -> int:
            assert post(net, path, full) == [201] * 4
            return directory.running().output().count("accounts of all providers; the entry stays as it was")

        net.wait_until(lambda: refused() >= 3, "the honest provider was refused for ten seconds", 60)
        entries = net.topology().providers
        assert sum(len(entry["registeredClients"]) for entry in entries) == HIGHEST_ACCOUNTS
        assert [len(entry["registeredClients"]) for entry in entries if entry["version"] != "0.3.0"] == [2]
    said = ended(net)["directory"]
    assert said["directory_full"] >= 4, said


def test_presences_that_would_stop_an_original(network: Callable[..., Devnet]) -> None:
    """None of them is listed: keys, layers, versions, listeners and JSON that are not what they must be."""
    net = network()
    nobody = 7
    key = mix(nobody)["pubKey"]
    wrong: list[object] = [
        mix(nobody, pubKey=text) for text in ("", "0OIl", "1", "z" * 300, sphinx.base58(bytes(31)), None, 7)
    ]
    wrong += [mix(nobody, layer=layer) for layer in (0, 5, -1, 2**32 + 1, 2**64, 1.5, "1", None)]
    wrong += [mix(nobody, version=version) for version in ("", "x", "0.4", "1" * 40, "<b>0.4.0</b>", None)]
    wrong += [mix(nobody, host=host) for host in ("", "x", ":1", "a b:1", "<script>:1", "x" * 300 + ":1", "h:99999")]
    wrong += [b"", b"{", b"null", b"[" * 100_000, b"\xff\xfe", b'{"host":"a:1"}', b"7"]
    listeners = ["localhost:1", "", "1.2.3.4", "1.2.3.4:0x1", "[::1:1", "nowhere.invalid:1"]
    provider = {"clientListener": "1.2.3.4:1", "mixnetListener": "1.2.3.4:2", "pubKey": key, "version": "0.4.0"}
    wrong_providers: list[object] = [
        {**provider, "registeredClients": [], field: text}
        for field in ("clientListener", "mixnetListener")
        for text in listeners
    ]
    wrong_providers += [{**provider, "registeredClients": clients} for clients in (None, 7, "x", [7], [{"pubKey": 7}])]
    metrics: list[object] = [
        {},
        {"pubKey": key, "received": -1, "sent": {}},
        {"pubKey": key, "received": 1, "sent": []},
    ]
    with honest(net):
        assert set(post(net, "/api/presence/mixnodes", wrong)) == {400}
        assert set(post(net, "/api/presence/mixproviders", wrong_providers)) == {400}
        assert set(post(net, "/api/metrics/mixes", metrics)) == {400}
        topology = net.topology()
        assert len(topology.mixes) == 3 and len(topology.providers) == 1
    said = ended(net)["directory"]
    assert said["bad_entry"] == len(wrong) + len(wrong_providers) + len(metrics), said


def test_a_mix_in_a_fourth_layer_gets_no_packet(network: Callable[..., Devnet]) -> None:
    """The number of layers is a setting of ours; an original's routes get longer."""
    net = network()
    with honest(net) as users:
        assert post(net, "/api/presence/mixnodes", [mix(9, layer=4, version="0.4.0-rc.2")]) == [201]
        for number in range(3):
            assert post(net, "/api/presence/mixnodes", [mix(9, layer=4, version="0.4.0-rc.2")]) == [201], number
            users.message_arrives()
        assert net.topology().layers().keys() == {1, 2, 3, 4}
    ended(net)
    with net.run as run:
        assert set(run.hops_by_layer()) <= {(0, 1), (1, 2), (2, 3), (3, 4)}
        assert run.sql("select count(*) from hop where to_layer = 4 and from_layer <> 3").scalar() == 0
