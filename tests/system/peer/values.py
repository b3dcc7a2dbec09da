"""Values as they travel: a tag byte and what belongs to it. Text is str (any bytes through surrogateescape)."""
import struct


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def take_varint(data, at):
    number, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7


def encode(value):
    if value is None:
        return b"\x00"
    if isinstance(value, int):
        return b"\x01" + varint(((value << 1) ^ (value >> 63)) & 0xFFFFFFFFFFFFFFFF)
    if isinstance(value, float):
        return b"\x02" + struct.pack("<d", value)
    if isinstance(value, str):
        raw = value.encode("utf-8", "surrogateescape")
        return b"\x03" + varint(len(raw)) + raw
    return b"\x04" + varint(len(value)) + bytes(value)


def encode_all(*values):
    return b"".join(map(encode, values))


def decode_all(data):
    values, at = [], 0
    while at < len(data):
        tag, at = data[at], at + 1
        if tag == 0:
            values.append(None)
        elif tag == 1:
            number, at = take_varint(data, at)
            values.append(number >> 1 ^ -(number & 1))
        elif tag == 2:
            values.append(struct.unpack_from("<d", data, at)[0])
            at += 8
        elif tag in (3, 4):
            size, at = take_varint(data, at)
            raw = data[at:at + size]
            assert len(raw) == size
            values.append(raw.decode("utf-8", "surrogateescape") if tag == 3 else raw)
            at += size
        else:
            raise ValueError("tag %d" % tag)
    return values
