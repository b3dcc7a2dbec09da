"""Changesets: sealed and verified, from proto/navette.proto and PROTOCOL.md alone."""
import hashlib
import os
import struct
import time

import nacl.exceptions
from google.protobuf.message import DecodeError
import nacl.signing

from peer import chacha, zstandard

PREFIX = b"navette changeset 1\n"
AUTHORITY_SCOPE = bytes(16)
NETWORK_SCOPE = bytes(15) + b"\x01"
PUT, DELETE, REDACT, SEALED, GRANT, ASK, GENESIS, CERTIFICATE, SCHEMA = 1, 2, 3, 4, 5, 6, 16, 17, 18
GROUP, READER, REMOVAL, REVOCATION = 19, 20, 21, 22
NEWER = 200  # a kind that no daemon knows yet, and this peer alone makes sense of


def blake(data, size=32, **more):
    return hashlib.blake2b(data, digest_size=size, **more).digest()


def header_hash(header_bytes):
    return blake(header_bytes)


def salts(seed, count):
    stream = chacha.keystream(seed, 24 * count)
    return [stream[24 * n:24 * n + 24] for n in range(count)]


def ops_root(given_salts, ops):
    return blake(b"".join(blake(salt + op) for salt, op in zip(given_salts, ops)))


CONTROL = (REDACT, GRANT, ASK)


def kind_of(proto, op_bytes):
    """The kind of an encoded Op; 0 where it is none."""
    op = proto.Op()
    try:
        op.ParseFromString(op_bytes)
    except DecodeError:
        return 0
    return op.kind


def control_count(proto, scope, ops):
    """How many of the ops, the last ones, are control ops."""
    count = 0
    while scope != AUTHORITY_SCOPE and count < len(ops) and kind_of(proto, ops[-1 - count]) in CONTROL:
        count += 1
    return count


def is_misplaced(header, place, kind):
    """Whether an op of that kind is a no-op because of where it stands."""
    is_control_place = place >= header.op_count - header.control_count
    return header.scope != AUTHORITY_SCOPE and kind < GENESIS and (kind in CONTROL) != is_control_place


def log_of(header):
    return (header.scope, header.site, header.epoch)


class Refused(Exception):
    """The bytes are not what a member of the network may have signed."""


def open_body(proto, changeset):
    """The Body of a changeset, decompressed where need be."""
    kind = changeset.WhichOneof("body")
    body = proto.Body()
    body.ParseFromString(zstandard.decompress(changeset.zstd) if kind == "zstd" else changeset.plain)
    return body


def verify(proto, raw, network_key, sign_key):
    """(header, ops) of an encoded Changeset. sign_key is a function: the key of whom a header names."""
    changeset, header = proto.Changeset(), proto.Header()
    changeset.ParseFromString(raw)
    header.ParseFromString(changeset.header)
    try:
        nacl.signing.VerifyKey(sign_key(header)).verify(PREFIX + network_key + changeset.header, changeset.signature)
    except nacl.exceptions.BadSignatureError as caught:
        raise Refused("signature") from caught
    body = open_body(proto, changeset)
    if len(body.entries) != header.op_count:
        raise Refused("count")
    if body.seed:
        given = salts(body.seed, len(body.entries))
        digests = [blake(salt + entry.op) for salt, entry in zip(given, body.entries)]
    else:
        digests = [entry.digest or blake(entry.salt + entry.op) for entry in body.entries]
    if blake(b"".join(digests)) != header.ops_root:
        raise Refused("ops root")
    ops = []
    for place, entry in enumerate(body.entries):
        op = proto.Op()
        op.ParseFromString(entry.op)
        ops.append(None if entry.digest or is_misplaced(header, place, op.kind) else op)
    return header, ops


def withhold(proto, raw, withheld=lambda op: True):
    """The same changeset with digests in the place of the ops that `withheld` says: as good as any to a verifier."""
    changeset = proto.Changeset.FromString(raw)
    body = open_body(proto, changeset)
    given = salts(body.seed, len(body.entries)) if body.seed else [entry.salt for entry in body.entries]
    entries = []
    for salt, entry in zip(given, body.entries):
        if entry.digest or not withheld(proto.Op.FromString(entry.op)):
            entries.append(entry if entry.digest else proto.Entry(op=entry.op, salt=salt))
        else:
            entries.append(proto.Entry(digest=blake(salt + entry.op)))
    changeset.plain = proto.Body(entries=entries).SerializeToString(deterministic=True)
    return changeset.SerializeToString(deterministic=True)


class Writer:
    """One log that grows: seals encoded ops into changesets, one after the other.

    `lie` lets a hostile test change a header before it is signed, or what is sent after it was.
    """

    def __init__(self, proto, network_key, sign_key, site, epoch=None, scope=NETWORK_SCOPE):
        self.proto, self.network_key, self.sign_key = proto, network_key, sign_key
        self.site, self.scope = site, scope
        self.epoch = struct.unpack("<Q", os.urandom(8))[0] if epoch is None else epoch
        self.seq, self.last_hash, self.context = 0, b"", {}

    def copy(self):
        """The same log at the same place: what a cloned disk would have."""
        other = Writer(self.proto, self.network_key, self.sign_key, self.site, self.epoch, self.scope)
        other.seq, other.last_hash, other.context = self.seq, self.last_hash, dict(self.context)
        return other

    @property
    def head(self):
        return self.proto.Head(site=self.site, epoch=self.epoch, scope=self.scope, seq=self.seq,
                               pin=self.last_hash[:16])

    def seal(self, ops, authority, seen=None, compress=False, change_header=None, change_body=None, key=None,
             advance=True, seed=None, own_salts=None):
        """The encoded Changeset of the ops. `authority` is (seq, header hash); `seen` the heads that were applied; `seed`
        the one that boxes in them were sealed for, `own_salts` such as no seed gives."""
        proto = self.proto
        seed = os.urandom(32) if seed is None else seed
        body = proto.Body(seed=seed, entries=[proto.Entry(op=op) for op in ops])
        root = ops_root(salts(seed, len(ops)), ops)
        if own_salts is not None:
            body = proto.Body(entries=[proto.Entry(op=op, salt=salt) for op, salt in zip(ops, own_salts)])
            root = ops_root(own_salts, ops)
        header = proto.Header(format=1, site=self.site, epoch=self.epoch, scope=self.scope, seq=self.seq + 1,
                              previous=self.last_hash, sealed_ms=int(time.time() * 1000),
                              authority_seq=authority[0], authority_pin=authority[1][:16], op_count=len(ops),
                              ops_root=root, control_count=control_count(proto, self.scope, ops))
        context = dict(seen or {})
        header.absolute = self.seq % 256 == 0
        for log in sorted(context):
            if log != (self.scope, self.site, self.epoch) and (header.absolute or self.context.get(log) != context[log]):
                seq, pin = context[log]
                header.context.append(proto.Head(site=log[1], epoch=log[2], seq=seq, pin=pin))
        if change_header is not None:
            change_header(header)
        header_bytes = header.SerializeToString(deterministic=True)
        signature = (key or self.sign_key).sign(PREFIX + self.network_key + header_bytes).signature
        body_bytes = body.SerializeToString(deterministic=True)
        if change_body is not None:
            body_bytes = change_body(body_bytes)
        changeset = proto.Changeset(header=header_bytes, signature=signature)
        if compress:
            changeset.zstd = zstandard.compress(body_bytes)
        else:
            changeset.plain = body_bytes
        if advance:
            self.seq, self.last_hash, self.context = self.seq + 1, header_hash(header_bytes), context
        return changeset.SerializeToString(deterministic=True)
