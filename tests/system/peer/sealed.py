"""Sealed ops and content keys: boxes sealed and opened, keys granted and taken, from PROTOCOL.md alone."""
import os
import struct

import nacl.bindings
import nacl.exceptions
import nacl.public

from peer.changeset import ASK, GRANT, SEALED, blake, salts

KEY_PREFIX = b"navette content key 1\n"
OP_PREFIX = b"navette op 1\n"


def new_key():
    return os.urandom(32)


def key_id(key, log):
    """`log` is (scope, site, epoch), as everywhere in this peer."""
    scope, site, epoch = log
    return blake(KEY_PREFIX + key + site + struct.pack("<Q", epoch) + scope)


def size_class(size):
    """64, then four steps a doubling."""
    padded = step = 64
    while padded < size:
        if padded & (padded - 1) == 0:
            step = padded // 4
        padded += step
    return padded


def pad(op):
    return (op + b"\x80").ljust(size_class(len(op) + 1), b"\0")


def strip(plain):
    op = plain.rstrip(b"\0")
    if len(op) < 2 or op[-1] != 0x80 or size_class(len(op)) != len(plain):
        raise ValueError("padding")
    return op[:-1]


def bound(identity, log, seq, index):
    scope, site, epoch = log
    return OP_PREFIX + identity + site + struct.pack("<Q", epoch) + scope + struct.pack("<QQ", seq, index)


def seal_box(key, log, seq, index, salt, op):
    return nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        pad(op), bound(key_id(key, log), log, seq, index), salt, key)


def open_box(key, log, seq, index, salt, box):
    """The encoded op; nacl.exceptions.CryptoError where the box is none of that key and place."""
    return strip(nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
        box, bound(key_id(key, log), log, seq, index), salt, key))


def seal_ops(proto, key, log, seq, seed, ops, number=0, clear=()):
    """The encoded ops of a changeset that will have `seed`: each of `ops` in a box, then those of `clear` as they are."""
    sealed = [proto.Op(kind=SEALED, key_number=number, box=seal_box(key, log, seq, index, salt, op))
              for index, (salt, op) in enumerate(zip(salts(seed, len(ops)), ops))]
    return [op.SerializeToString(deterministic=True) for op in sealed] + list(clear)


def grant(proto, key, log, readers, number=0, elsewhere=False):
    """An encoded Grant of a log's key. `readers` are (site, X25519 public key, whether that is its recovery key)."""
    boxes = [proto.Box(site=site, recovery=recovery,
                       sealed=nacl.public.SealedBox(nacl.public.PublicKey(public)).encrypt(key))
             for site, public, recovery in sorted(readers, key=lambda reader: (reader[0], reader[2]))]
    content = proto.Grant(number=number, key_id=key_id(key, log), boxes=boxes)
    if elsewhere:
        content.site, content.epoch = log[1], log[2]
    return proto.Op(kind=GRANT, grant=content).SerializeToString(deterministic=True)


def open_grant(content, log, site, secret, recovery=False):
    """The content key that a Grant gives `site`; None where it gives it none, or one that is not what it says."""
    for box in content.boxes:
        if box.site != site or box.recovery != recovery:
            continue
        try:
            key = nacl.public.SealedBox(nacl.public.PrivateKey(secret)).decrypt(box.sealed)
        except nacl.exceptions.CryptoError:
            return None
        return key if key_id(key, log) == content.key_id else None
    return None


def ask(proto, of, names):
    """An encoded Ask; `names` are (site, epoch, number)."""
    keys = [proto.KeyName(site=site, epoch=epoch, number=number) for site, epoch, number in sorted(names)]
    return proto.Op(kind=ASK, ask=proto.Ask(of=of, keys=keys)).SerializeToString(deterministic=True)
