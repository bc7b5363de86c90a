# SPDX-License-Identifier: Apache-2.0
"""The Python model against the known answers that src/sphinx passes, too."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mixlab import programs, sphinx


def vectors() -> dict[str, Any]:
    path = next(programs.checkouts()) / "src/sphinx/testdata/vectors.json"
    return json.loads(path.read_text(encoding="utf-8"))


VECTORS = vectors()


def little(text: str) -> int:
    return int.from_bytes(bytes.fromhex(text), "little")


@pytest.mark.parametrize("case", VECTORS["packets"], ids=lambda case: case["name"])
def test_packets_are_built_and_peeled_as_known(case: dict[str, Any]) -> None:
    nodes = case["nodes"]
    route = [sphinx.Hop(*(bytes.fromhex(node[k]) for k in ("address", "public")), node["delay_ns"]) for node in nodes]
    destination, message = bytes.fromhex(case["destination"]), bytes.fromhex(case["message"])
    packet = sphinx.build(
        route,
        destination,
        message,
        secret=little(case["initial_secret"]),
        padding=bytes.fromhex(case["final_padding"]),
        surb_id=bytes.fromhex(case["surb_id"]),
    )
    assert packet.hex() == case["packet"]
    for node in nodes[:-1]:
        peeled = sphinx.peel(packet, little(node["secret"]))
        assert isinstance(peeled, sphinx.Forward)
        assert (peeled.address.hex(), peeled.delay_ns) == (node["next_address"], node["delay_ns"])
        packet = peeled.packet
    assert sphinx.peel(packet, little(nodes[-1]["secret"])) == sphinx.Final(destination, message)


def test_addresses_and_keys_are_spelt_as_known() -> None:
    for entry in VECTORS["addresses"]:
        assert sphinx.node_address(entry["text"]).hex() == entry["hex"]
    provider = VECTORS["provider"]
    assert sphinx.base58(bytes.fromhex(provider["client_address"])) == provider["client_address_base58"]
    assert sphinx.unbase58(provider["client_address_base58"]).hex() == provider["client_address"]


def test_a_changed_bit_is_refused() -> None:
    secret = sphinx.new_secret()
    packet = bytearray(sphinx.build([sphinx.Hop(bytes(32), sphinx.public_key(secret))], bytes(32), b"hello"))
    assert sphinx.peel(bytes(packet), secret) == sphinx.Final(bytes(32), b"hello")
    packet[100] ^= 1
    with pytest.raises(ValueError, match="mac"):
        sphinx.peel(bytes(packet), secret)
    packet[100] ^= 1
    packet[1000] ^= 1
    with pytest.raises(ValueError, match="payload_integrity"):
        sphinx.peel(bytes(packet), secret)


@pytest.mark.parametrize("order", [2, 4, 8])
def test_a_point_of_small_order_changes_alpha_and_no_shared_secret(order: int) -> None:
    alpha = sphinx.public_key(0xDECAF)
    other = sphinx.add_small_order(alpha, order)
    assert other != alpha
    for scalar in (8, 8 * 12345, 8 * (sphinx.ORDER - 2)):
        assert sphinx.multiply(scalar, other) == sphinx.multiply(scalar, alpha)
    assert sphinx.multiply(order // 2, other) != sphinx.multiply(order // 2, alpha)  # and it is of no lower order


def test_u_plus_p_is_the_same_point() -> None:
    alpha = sphinx.public_key(1)
    other = sphinx.non_canonical(alpha)
    assert other != alpha
    assert sphinx.multiply(777, other) == sphinx.multiply(777, alpha)
    with pytest.raises(ValueError, match="does not fit"):
        sphinx.non_canonical(sphinx.public_key(2))
