# SPDX-License-Identifier: Apache-2.0
"""What a healthy network does: loops come home in order, messages arrive once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from mixlab import Devnet, WebSocketError

LOOPS = 25
FIRST_LOOPS = """select count(*) from (select digest from made where class = 'loop' order by created_ns limit ?) first
 where exists (select 1 from fetched where fetched.digest = first.digest)"""


@pytest.mark.parametrize("mixes", [3, 6])
def test_loops_come_home_through_layers_1_2_3_in_order(network: Callable[..., Devnet], mixes: int) -> None:
    net = network(mixes, clients=1)

    def first_loops_home() -> bool:
        with net.run as run:
            return bool(run.sql(FIRST_LOOPS, LOOPS).scalar() == LOOPS)

    net.wait_until(first_loops_home, f"each of the first {LOOPS} loops is home")
    assert set(net.stop().values()) == {0}
    run = net.run
    run.assert_layer_order()
    assert set(run.hops_by_layer()) == {(0, 1), (1, 2), (2, 3), (3, 4)}
    assert run.drops() == {} or set(run.drops()) == {"shutting_down"}
    ways = run.sql(
        "select group_concat(from_layer || '>' || to_layer, ' ') from"
        " (select packet, from_layer, to_layer from hop join packet on packet.id = hop.packet"
        "   where class = 'loop' and returned_ns is not null order by packet, hop) group by packet"
    )
    assert set(ways.column()) == {"0>1 1>2 2>3 3>4"}
    used = run.sql("select distinct to_node from hop where to_layer between 1 and 3")
    assert len(used) == mixes, "every mixnode carries something"


@pytest.fixture(scope="module")
def net(shared_network: Callable[..., Devnet]) -> Devnet:
    return shared_network(3, clients=2)


def test_a_message_from_one_client_reaches_another_exactly_once(net: Devnet) -> None:
    alice, bob = (client.connect() for client in net.clients)
    sent = [f"message {i}: grüße" for i in range(5)]
    for text in sent:
        alice.send(text, bob.own_address())
    got: list[str] = []
    net.wait_until(lambda: got.extend(bob.fetch()) or len(got) >= len(sent), "the messages arrive")
    # A second copy would have been stored with the first and would come with the loops made after it.
    with net.run as run:
        now = run.end_ns

    def later_loops_home() -> bool:
        with net.run as run:
            return run.loops_home(made_after_ns=now) >= 10

    net.wait_until(later_loops_home, "ten later loops are home")
    got += bob.fetch()
    assert Counter(got) == Counter(sent)
    assert alice.fetch() == []
    with net.run as run:
        assert run.sql("select count(*) from packet where class = 'real' and outcome = 'delivered'").scalar() == len(
            sent
        )


def test_clients_see_each_other_and_themselves(net: Devnet) -> None:
    alice, bob = (client.connect() for client in net.clients)
    addresses = {alice.own_address(), bob.own_address()}
    assert len(addresses) == 2
    net.wait_until(lambda: addresses <= set(alice.clients()), "both addresses are in the topology of alice")
    assert addresses <= net.topology().registered_clients()


def test_a_request_that_is_wrong_is_answered_and_the_connection_goes_on(net: Devnet) -> None:
    socket = net.clients[0].connect()
    assert socket.request(type="nonsense")["type"] == "error"
    too_long = socket.request(type="send", message="x" * 976, recipient_address=socket.own_address())
    assert too_long == {"type": "error", "message": "message too long. Sent 976 bytes, but the maximum is 975"}
    assert socket.own_address()


def test_a_web_page_from_elsewhere_cannot_open_the_clients_socket(net: Devnet) -> None:
    from mixlab import WebSocket

    with pytest.raises(WebSocketError, match="403"):
        WebSocket(net.clients[0].port, origin="https://example.org")
    with WebSocket(net.clients[0].port, origin="http://localhost:3000") as socket:
        assert socket.own_address()
