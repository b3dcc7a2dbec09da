"""The peer's boxes and grants, held to the vectors that tests/unit/test_wire_sealed.c has as well. No daemon runs here."""
import os

import nacl.exceptions
import nacl.public
import pytest

from peer import sealed
from peer.changeset import salts

KEY = bytes(range(32))
SEED = bytes(range(0x20, 0x40))
LOG = (bytes(range(0xC0, 0xD0)), bytes(range(0xA0, 0xB0)), 0x1122334455667788)  # scope, site, epoch
KEY_ID = "459ceb6a9722034a5c63eeb96be8a351eaac484c062c44c8a1ebc4cd5483a516"
BOX = ("e7e05e0991b68ffb368915e8f217ad47a4be3734b3c844c674de92f17b509fe766dfc396fb9c8ecc"
       "b62f6e38c34c08b74e958222e8adfaf9d9c9e7c5a14551fde18cc2a0c1493e682e717b4d843d0230")
SEALED_KEY = ("493e82fc74464a59268817623d2053c5eb8e2cc4a988b4fee179ec6b010d531dc05a522ef7950605"
              "ffd0b4044a3198bad67620c9151518f3a5c18b4556615105120aa3f1faea7db4e1f18d9d9e386bc2")


def test_vectors(proto):
    op = proto.Op(kind=2, table=1, key=b"\x03\x01a").SerializeToString(deterministic=True)
    assert sealed.key_id(KEY, LOG).hex() == KEY_ID
    assert sealed.seal_box(KEY, LOG, 7, 2, salts(SEED, 3)[2], op).hex() == BOX
    own = nacl.public.PrivateKey(bytes(range(0x40, 0x60)))
    assert nacl.public.SealedBox(own).decrypt(bytes.fromhex(SEALED_KEY)) == KEY
    assert [sealed.size_class(size) for size in (1, 64, 65, 81, 128, 129, 257, 14 * 2**20)] == [
        64, 64, 80, 96, 128, 160, 320, 14 * 2**20]


def test_ops_come_back_from_their_own_place_alone(proto):
    seed = os.urandom(32)
    ops = [bytes([7]) * size for size in (1, 63, 64, 200)]
    for index, raw in enumerate(sealed.seal_ops(proto, KEY, LOG, 5, seed, ops, number=3)):
        op = proto.Op.FromString(raw)
        place = (LOG, 5, index, salts(seed, 4)[index])
        assert (op.kind, op.key_number) == (4, 3)
        assert sealed.open_box(KEY, *place, op.box) == ops[index]
        others = [((LOG[0], LOG[1], 1), *place[1:]), (LOG, 6, *place[2:]), (LOG, 5, index + 1, place[3])]
        for other in others:
            with pytest.raises(nacl.exceptions.CryptoError):
                sealed.open_box(KEY, *other, op.box)


def test_grants_open_for_whom_they_are(proto):
    secrets = [nacl.public.PrivateKey.generate() for _ in range(3)]
    readers = [(bytes([n]) * 16, bytes(secret.public_key), n == 2) for n, secret in enumerate(secrets)]
    content = proto.Op.FromString(sealed.grant(proto, KEY, LOG, readers, number=9, elsewhere=True)).grant
    assert (content.number, content.site, content.epoch) == (9, LOG[1], LOG[2])
    for n, secret in enumerate(secrets):
        site = bytes([n]) * 16
        assert sealed.open_grant(content, LOG, site, bytes(secret), n == 2) == KEY
        assert sealed.open_grant(content, LOG, site, bytes(secret), n != 2) is None
        assert sealed.open_grant(content, LOG, site, bytes(secrets[n - 1]), n == 2) is None
    content.key_id = bytes(32)
    assert sealed.open_grant(content, LOG, bytes(16), bytes(secrets[0])) is None
