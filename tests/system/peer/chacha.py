"""The keystream of ChaCha20 as RFC 8439 gives it (2.3, 2.4), block counter and nonce zero at the start."""
import struct

CONSTANTS = struct.unpack("<4I", b"expand 32-byte k")
MASK = 0xFFFFFFFF


def _quarter(state, a, b, c, d):
    for first, second, third, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        state[first] = (state[first] + state[second]) & MASK
        mixed = state[third] ^ state[first]
        state[third] = ((mixed << bits) | (mixed >> (32 - bits))) & MASK


def _block(key, counter):
    start = [*CONSTANTS, *struct.unpack("<8I", key), counter, 0, 0, 0]
    state = list(start)
    for _ in range(10):
        for column in range(4):
            _quarter(state, column, column + 4, column + 8, column + 12)
        _quarter(state, 0, 5, 10, 15)
        _quarter(state, 1, 6, 11, 12)
        _quarter(state, 2, 7, 8, 13)
        _quarter(state, 3, 4, 9, 14)
    return struct.pack("<16I", *((a + b) & MASK for a, b in zip(state, start)))


def keystream(key, size):
    blocks = (size + 63) // 64
    return b"".join(_block(key, counter) for counter in range(blocks))[:size]
