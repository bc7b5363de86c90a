# SPDX-License-Identifier: Apache-2.0
"""Who has a place at the provider, and for how much: accounts and mailboxes of strangers, pulls that nobody reads."""

from __future__ import annotations

import contextlib
import re
import resource
import socket
from collections.abc import Callable, Sequence

from hostilekit import Door, closed, doors, ended, exchange, handled, honest, limit
from mixlab import Devnet, sphinx
from mixlab.planted import Planted

CALM = ["--poll-interval", "50 ms", "--mean-delay", "10 ms", "--loop-rate", "1 / s", "--send-rate", "4 / s"]


def address(number: int) -> bytes:
    """Of an account that nobody has the key of."""
    return number.to_bytes(32, "big")


def register(door: Door, who: bytes) -> bytes:
    """Its token, or what the provider says instead."""
    return exchange(door, b"\x00\x01" + who)


def gets_in(net: Devnet, door: Door, who: bytes) -> None:
    net.wait_until(lambda: len(register(door, who)) == 32, "somebody makes room")


def answers(door: Door) -> bool:
    with contextlib.suppress(OSError):
        door.connect().close()
        return True
    return False


def request_to_pull(who: bytes, token: bytes) -> bytes:
    return b"\x01\x00" + who + token


def pull(door: Door, who: bytes, token: bytes) -> list[bytes]:
    """The messages of one pull, without dummies."""
    reply = exchange(door, request_to_pull(who, token))
    assert reply[:2] == b"\x00\x05", reply[:20]
    sizes = [int.from_bytes(reply[at : at + 2], "big") for at in range(2, 12, 2)]
    messages, at = [], 12
    for size in sizes:
        messages.append(reply[at : at + size])
        at += size
    return [message for message in messages if not message.startswith(b"[DUMMY MESSAGE]")]


def send(net: Devnet, who: bytes, messages: Sequence[bytes]) -> None:
    """Mail of a stranger who speaks to the provider directly; returns when the provider has judged all of it."""
    last_hop = Planted(net, f"to {who.hex()}", records=False).hop(net.provider)
    packets = [sphinx.build([last_hop], who, message) for message in messages]
    with socket.create_connection(("127.0.0.1", net.provider.port), timeout=30) as connection:
        connection.sendall(b"".join(packets))
    sent = {sphinx.digest(packet) for packet in packets}
    net.wait_until(lambda: sent <= {row[0] for row in handled(net, net.provider)}, "all of it is judged")


def test_mailboxes_that_nobody_empties(network: Callable[..., Devnet]) -> None:
    """Six of eight accounts are a stranger's, who fills one after the other. Four mailboxes of 32 would be all there
    is; but the fuller the store, the less for one, and everybody has a few messages of his own."""
    room = ["--max-accounts", "8", "--max-mailbox", "32", "--max-messages", "128"]
    net = network(options={"client": CALM, "provider-0": room})
    door = doors(net)["provider for clients"]
    with honest(net) as users:
        for number in range(1, 7):
            assert len(register(door, address(number))) == 32
            send(net, address(number), [b"x"] * 32)
        for _ in range(3):
            users.message_arrives()
        assert "more than half" in net.provider.running().output()
    said = ended(net)["provider-0"]
    assert said["mailbox_full"] > 6 * 32 - 128, said


def test_accounts_that_nobody_uses(network: Callable[..., Devnet]) -> None:
    """A stranger has taken every place. One without mail that was not used for a while makes room, never one with
    mail, nor one whose owner is there."""
    net = network(options={"client": CALM, "provider-0": ["--max-accounts", "12", "--account-age", "2 s"]})
    door = doors(net)["provider for clients"]
    with honest(net) as users:
        tokens = {number: register(door, address(number)) for number in range(1, 11)}
        assert all(len(token) == 32 for token in tokens.values())
        send(net, address(1), [b"kept"])
        assert register(door, address(50)) == b"bad foomp"
        for number in range(50, 70):  # More than there are places.
            gets_in(net, door, address(number))
        users.message_arrives()
        assert pull(door, address(1), tokens[1]) == [b"kept"]
        assert register(door, address(1)) == tokens[1]
        assert exchange(door, request_to_pull(address(2), tokens[2])) == b"bad foomp"
    said = ended(net)["provider-0"]
    assert said["accounts_full"] > 0 and said["bad_token"] == 1, said
    made_room = re.search(r"Unused clients that made room: (\d+)", net.provider.running().output())
    assert made_room and int(made_room[1]) >= 20, made_room


def test_mail_fetched_while_the_disk_is_full(network: Callable[..., Devnet]) -> None:
    """It cannot be deleted then. It is as soon as something else can be written, and no crash brings it back."""
    net = network(clients=0, instead={})
    door = doors(net)["provider for clients"]
    token = register(door, address(1))
    send(net, address(1), [b"once", b"only"])
    before = limit(net.provider, resource.RLIMIT_FSIZE, 4096)
    assert pull(door, address(1), token) == [b"once", b"only"]
    log = net.provider.running()
    net.wait_until(lambda: "cannot delete mail" in log.output(), "the deletion fails")
    assert register(door, address(2)) == b"bad foomp"
    limit(net.provider, resource.RLIMIT_FSIZE, before)
    for number in (3, 4):  # Each is answered when what was begun before is done.
        assert len(register(door, address(number))) == 32
    net.provider.kill()
    net.provider.restart()
    net.wait_until(lambda: answers(door), "the provider answers again")
    assert pull(door, address(1), token) == []
    send(net, address(1), [b"new"])
    assert pull(door, address(1), token) == [b"new"]
    ended(net)


def test_pulls_that_nobody_reads(network: Callable[..., Devnet]) -> None:
    """Whoever knows an address can pull its mail, and hold it while his system takes none of it. The next pull that
    would find nothing has it after a few seconds."""
    net = network(clients=0, instead={})
    door = doors(net)["provider for clients"]
    token = register(door, address(1))
    letters = [bytes([number]) * 900 for number in range(10)]
    send(net, address(1), letters)
    held = []
    for _ in range(2):
        stranger = socket.socket()
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # The system's minimum.
        stranger.connect(("127.0.0.1", door.port))
        stranger.sendall(request_to_pull(address(1), register(door, address(1))))
        assert stranger.recv(1, socket.MSG_PEEK)
        held.append(stranger)
    assert pull(door, address(1), token) == []
    got: list[bytes] = []
    net.wait_until(lambda: got.extend(pull(door, address(1), token)) or len(got) == 10, "the owner has his mail")
    assert got == letters
    net.wait_until(lambda: closed(held) == 2, "the stranger's replies are broken off")
    for stranger in held:
        stranger.close()
    said = ended(net)["provider-0"]
    assert said["stalled_reply"] == 2, said


def test_mail_that_expires(network: Callable[..., Devnet]) -> None:
    """Only where the operator says so: a full mailbox of nobody's is empty after a while, and takes mail again."""
    options = ["--mail-age", "2 s", "--max-mailbox", "3"]
    net = network(clients=0, instead={}, options={"provider-0": options})
    door = doors(net)["provider for clients"]
    assert len(register(door, address(1))) == 32
    send(net, address(1), [b"old"] * 4)

    def taken() -> bool:
        send(net, address(1), [b"new"])
        return handled(net, net.provider)[-1][1] == "store"

    net.wait_until(taken, "the mailbox takes mail again")
    said = ended(net)["provider-0"]
    assert said["mailbox_full"] >= 1, said
    expired = re.search(r"Messages that expired: (\d+)", net.provider.running().output())
    assert expired and int(expired[1]) >= 3, expired
