# SPDX-License-Identifier: Apache-2.0
"""Building and peeling Nym 0.4 Sphinx packets, so that tests can send what no honest client would.

An independent model in the standard library: plain integers and tables, slow (some milliseconds a packet), not
constant in time. For test networks only, never for a key that matters. Sizes and order of every field are those of
the wire document; src/sphinx is the one that nodes run.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import struct
from collections.abc import Sequence
from dataclasses import dataclass

PACKET, HEADER, PAYLOAD, BETA = 1372, 348, 1024, 300
_META, _MAC, _STEP, _STREAM = 44, 16, 60, 360
MAX_MESSAGE = PAYLOAD - 16 - 32 - 1
_P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
_INFO = b"Dwste mou enan moxlo arketa makru kai ena upomoxlio gia na ton topothetisw kai tha kinisw thn gh."
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

# Base58. ------------------------------------------------------------------------------------------------------


def base58(key: bytes) -> str:
    number, text = int.from_bytes(key, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _BASE58[digit] + text
    return "1" * (len(key) - len(key.lstrip(b"\0"))) + text


def unbase58(text: str) -> bytes:
    """32 bytes; ValueError when it is something else."""
    number = 0
    for letter in text:
        number = number * 58 + _BASE58.index(letter)
    ones = len(text) - len(text.lstrip("1"))
    key = b"\0" * ones + number.to_bytes((number.bit_length() + 7) // 8, "big")
    if len(key) != 32:
        raise ValueError(f"{text!r} is not 32 bytes in base58")
    return key


# Curve25519, u-coordinates only, unclamped. -------------------------------------------------------------------


def multiply(scalar: int, u: bytes) -> bytes:
    """[scalar]u by the Montgomery ladder over bits 254..0; bit 255 of u is ignored."""
    x1 = (int.from_bytes(u, "little") & (2**255 - 1)) % _P
    x2, z2, x3, z3, swapped = 1, 0, x1, 1, 0
    for position in range(254, -1, -1):
        bit = scalar >> position & 1
        if swapped ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swapped = bit
        a, b = x2 + z2, x2 - z2
        aa, bb = a * a % _P, b * b % _P
        e = aa - bb
        da, cb = (x3 - z3) * a % _P, (x3 + z3) * b % _P
        x3, z3 = (da + cb) ** 2 % _P, x1 * (da - cb) ** 2 % _P
        x2, z2 = aa * bb % _P, e * (aa + 121665 * e) % _P
    if swapped:
        x2, x3, z2, z3 = x3, x2, z3, z2
    return (x2 * pow(z2, _P - 2, _P) % _P).to_bytes(32, "little")


_BASE = (9).to_bytes(32, "little")


def new_secret() -> int:
    return int.from_bytes(secrets.token_bytes(64), "little") % ORDER


def public_key(secret: int) -> bytes:
    return multiply(secret, _BASE)


# The same packet in other bytes: what a node must still know for one it took. -----------------------------------


def _root(square: int) -> int | None:
    """A square root modulo p, where there is one."""
    root = pow(square, (_P + 3) // 8, _P)
    if root * root % _P != square % _P:
        root = root * pow(2, (_P - 1) // 4, _P) % _P
    return root if root * root % _P == square % _P else None


def _point(u: int) -> tuple[int, int] | None:
    """A point of the curve with that u; None when its two are on the twist."""
    v = _root((u**3 + 486662 * u * u + u) % _P)
    return None if v is None else (u, v)


def _small_order(order: int) -> tuple[int, int]:
    """A point of order 2, 4 or 8: what is left of a point multiplied by the order of the large subgroup."""
    for start in range(2, 1000):
        whole = _point(start)
        if whole is None:
            continue
        u = int.from_bytes(multiply(ORDER, start.to_bytes(32, "little")), "little")
        if order == {0: 2, 1: 4, _P - 1: 4}.get(u, 8) and (point := _point(u)) is not None:
            return point
    raise ValueError(f"no point of order {order}: only 2, 4 and 8 are small")


def add_small_order(alpha: bytes, order: int) -> bytes:
    """alpha plus a point of order 2, 4 or 8: other bytes, and for a multiple of 8 the same shared secret."""
    here, there = _point(int.from_bytes(alpha, "little") % 2**255 % _P), _small_order(order)
    if here is None:
        raise ValueError("alpha is not on the curve")
    slope = (there[1] - here[1]) * pow(there[0] - here[0], _P - 2, _P)
    return ((slope * slope - 486662 - here[0] - there[0]) % _P).to_bytes(32, "little")


def non_canonical(alpha: bytes) -> bytes:
    """The same u written as u + p, which fits for u < 19 only: that of a packet built with secret 1 is 9."""
    u = int.from_bytes(alpha, "little")
    if u >= 19:
        raise ValueError(f"u + p does not fit into 255 bits for u = {u}")
    return (u + _P).to_bytes(32, "little")


# Ciphers. -----------------------------------------------------------------------------------------------------


def _xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def _make_sbox() -> bytes:
    box, p, q = bytearray(256), 1, 1
    while True:
        p = (p ^ p << 1 ^ (0x1B if p & 0x80 else 0)) & 0xFF
        q ^= q << 1
        q ^= q << 2
        q ^= q << 4
        q = (q ^ (0x09 if q & 0x80 else 0)) & 0xFF
        spread = q | q << 8
        mixed = q ^ spread >> 7 ^ spread >> 6 ^ spread >> 5 ^ spread >> 4
        box[p] = (mixed ^ 0x63) & 0xFF
        if p == 1:
            box[0] = 0x63
            return bytes(box)


_SBOX = _make_sbox()


def _double(byte: int) -> int:
    return (byte << 1 ^ (0x1B if byte & 0x80 else 0)) & 0xFF


def _round_keys(key: bytes) -> list[bytes]:
    words, constant = [key[i : i + 4] for i in range(0, 16, 4)], 1
    for i in range(4, 44):
        word = words[i - 1]
        if i % 4 == 0:
            word = bytes([_SBOX[word[1]] ^ constant, _SBOX[word[2]], _SBOX[word[3]], _SBOX[word[0]]])
            constant = _double(constant)
        words.append(_xor(words[i - 4], word))
    return [b"".join(words[i : i + 4]) for i in range(0, 44, 4)]


def _aes_block(keys: list[bytes], block: bytes) -> bytes:
    state = _xor(block, keys[0])
    for number in range(1, 11):
        shifted = [_SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if number < 10:
            mixed = []
            for column in range(0, 16, 4):
                a = shifted[column : column + 4]
                every = a[0] ^ a[1] ^ a[2] ^ a[3]
                mixed += [a[i] ^ every ^ _double(a[i] ^ a[(i + 1) % 4]) for i in range(4)]
            shifted = mixed
        state = _xor(bytes(shifted), keys[number])
    return state


def _header_stream(key: bytes) -> bytes:
    """AES-128-CTR from counter 0: 360 bytes."""
    keys = _round_keys(key)
    return b"".join(_aes_block(keys, i.to_bytes(16, "big")) for i in range(23))[:_STREAM]


def _chacha20(key: bytes, size: int) -> bytes:
    """Keystream with an all-zero nonce from counter 0."""

    def rotate(x: int, n: int) -> int:
        return (x << n | x >> (32 - n)) & 0xFFFFFFFF

    out = b""
    for counter in range((size + 63) // 64):
        start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *struct.unpack("<8I", key), counter, 0, 0, 0]
        s = list(start)
        for turn in range(20):
            quarters = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
            if turn % 2:
                quarters = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
            for a, b, c, d in quarters:
                s[a] = (s[a] + s[b]) & 0xFFFFFFFF
                s[d] = rotate(s[d] ^ s[a], 16)
                s[c] = (s[c] + s[d]) & 0xFFFFFFFF
                s[b] = rotate(s[b] ^ s[c], 12)
                s[a] = (s[a] + s[b]) & 0xFFFFFFFF
                s[d] = rotate(s[d] ^ s[a], 8)
                s[c] = (s[c] + s[d]) & 0xFFFFFFFF
                s[b] = rotate(s[b] ^ s[c], 7)
        out += struct.pack("<16I", *((x + y) & 0xFFFFFFFF for x, y in zip(s, start, strict=True)))
    return out[:size]


def _lioness(key: bytes, block: bytes, order: Sequence[int]) -> bytes:
    """Four rounds over (32, rest); `order` is 0..3 to encrypt and 3..0 to decrypt."""
    parts = (key[0:32], key[32:96], key[96:128], key[128:192])
    left, right = block[:32], block[32:]
    for number in order:
        if number % 2 == 0:
            right = _xor(right, _chacha20(_xor(left, parts[number]), len(right)))
        else:
            left = _xor(left, hashlib.blake2b(right, digest_size=32, key=parts[number]).digest())
    return left + right


@dataclass(frozen=True)
class _Keys:
    stream: bytes
    mac: bytes
    payload: bytes
    blinding: int


def _derive(shared: bytes) -> _Keys:
    prk = hmac.digest(b"\0" * 32, shared, "sha256")
    out, last = b"", b""
    for i in range(1, 9):
        last = hmac.digest(prk, last + _INFO + bytes([i]), "sha256")
        out += last
    return _Keys(out[:16], out[16:32], out[32:224], int.from_bytes(out[224:256], "little") % ORDER)


# Packets. -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hop:
    """A node on a route: its 32-byte address, its key, and the delay asked of it."""

    address: bytes
    key: bytes
    delay_ns: int = 0

    @classmethod
    def at(cls, address: str, key: str, delay_ns: int = 0) -> Hop:
        """From "127.0.0.1:9980" and a key in base58."""
        return cls(node_address(address), unbase58(key), delay_ns)


def node_address(text: str) -> bytes:
    host, port = text.rsplit(":", 1)
    ip = ipaddress.ip_address(host.strip("[]"))
    return (bytes([ip.version]) + int(port).to_bytes(2, "big") + ip.packed).ljust(32, b"\0")


def digest(packet: bytes) -> bytes:
    """As recordings name a packet."""
    return hashlib.blake2b(packet, digest_size=16).digest()


def build(
    route: Sequence[Hop],
    destination: bytes,
    message: bytes,
    *,
    secret: int | None = None,
    padding: bytes | None = None,
    surb_id: bytes = bytes(16),
) -> bytes:
    """A packet along `route` (1 to 5 hops, the provider last). `secret` and `padding` are for known answers."""
    hops = len(route)
    if not 1 <= hops <= 5 or len(message) > MAX_MESSAGE:
        raise ValueError(f"a route has 1 to 5 hops and a message at most {MAX_MESSAGE} bytes")
    x = new_secret() if secret is None else secret
    alpha, keys = public_key(x), []
    for hop in route:
        keys.append(_derive(multiply(x, hop.key)))
        x = x * keys[-1].blinding % ORDER
    streams = [_header_stream(key.stream) for key in keys]

    filler = b""
    for stream in streams[:-1]:
        filler += bytes(_STEP)
        filler = _xor(filler, stream[_STREAM - len(filler) :])
    room = BETA - _STEP * (hops - 1)
    tail = secrets.token_bytes(room - 52) if padding is None else padding
    final = b"\x02\x00\x01\x00" + destination + surb_id + tail
    beta = _xor(final, streams[-1][:room]) + filler
    gamma = hmac.digest(keys[-1].mac, beta, "sha256")[:_MAC]
    for i in range(hops - 2, -1, -1):
        record = b"\x01\x00\x01\x00" + route[i + 1].address + route[i].delay_ns.to_bytes(8, "big")
        beta = _xor(record + gamma + beta[: BETA - _STEP], streams[i][:BETA])
        gamma = hmac.digest(keys[i].mac, beta, "sha256")[:_MAC]

    delta = (bytes(16) + destination + message + b"\x01").ljust(PAYLOAD, b"\0")
    for key in reversed(keys):
        delta = _lioness(key.payload, delta, range(4))
    return alpha + gamma + beta + delta


@dataclass(frozen=True)
class Forward:
    """Peeled at a mix: what goes on, where to, and after which delay."""

    address: bytes
    delay_ns: int
    packet: bytes


@dataclass(frozen=True)
class Final:
    """Peeled at the last hop."""

    destination: bytes
    message: bytes


def peel(packet: bytes, secret: int) -> Forward | Final:
    """One hop's work. ValueError says why a packet is refused."""
    if len(packet) != PACKET:
        raise ValueError(f"a packet has {PACKET} bytes, not {len(packet)}")
    alpha, gamma, beta, delta = packet[:32], packet[32:48], packet[48:HEADER], packet[HEADER:]
    keys = _derive(multiply(secret, alpha))
    if not hmac.compare_digest(hmac.digest(keys.mac, beta, "sha256")[:_MAC], gamma):
        raise ValueError("mac")
    raw = _xor(beta + bytes(_STEP), _header_stream(keys.stream))
    delta = _lioness(keys.payload, delta, (3, 2, 1, 0))
    if raw[0] == 1:
        alpha = multiply(keys.blinding, alpha)
        following = alpha + raw[44:60] + raw[60:360] + delta
        return Forward(raw[4:36], int.from_bytes(raw[36:44], "big"), following)
    if raw[0] != 2:
        raise ValueError("flag")
    content, mark, rest = delta[48:].rpartition(b"\x01")
    if delta[:16] != bytes(16) or not mark or any(rest) or delta[16:48] != raw[4:36]:
        raise ValueError("payload_integrity")
    return Final(raw[4:36], content)
