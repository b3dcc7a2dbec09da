"""What a stranger, a broken program or a thief sends is refused with its reason and counted, and all others go on."""
import os
import random

import nacl.public
import nacl.signing
import pytest

from network import wait_until
from peer import changeset as form
from peer import zstandard
from peer.member import Member
from schemas import VALUES

NETWORK, MALFORMED, CHANGESET = 2, 4, 5  # Refusal.reason


@pytest.fixture(scope="module")
def honest(shared_network):
    """A hub and two honest schools, which every test leaves converged."""
    shared_network.add_hub(VALUES)
    return (shared_network, *shared_network.add_schools("giver", "taker"))


@pytest.fixture
def fresh(honest, proto):
    """Makes members in good standing, for tests that need more than one: who sends garbage is not welcome for a while."""
    network, members = honest[0], []

    def make():
        name = "h%d" % random.randrange(10**9)
        members.append(Member(proto, name).join(network.invitation(name)).connect(network.hub.endpoint()))
        return members[-1]
    yield make
    for member in members:
        member.close()


@pytest.fixture
def hostile(honest, fresh):
    """A member in good standing that turns bad; and after the test, proof that the others went on."""
    network, giver, taker = honest
    member = fresh()
    name = member.name
    yield member
    giver.sql("INSERT INTO thing(id, t) VALUES ('%s', 'after');" % name)
    wait_until(lambda: taker.query("SELECT t FROM thing WHERE id = ?", name) == [("after",)], "the others go on")
    network.converge()
    for site in network.sites:
        assert site.query("SELECT id FROM thing WHERE t = 'hostile'") == [], site.name
    network.assert_clean()


def counted(honest, reason, member, act, told=None, at_least=1):
    """Runs act(), and waits until the hub has counted a refusal for that reason, and told the member so."""
    hub = honest[0].hub
    before = hub.refusals().get(reason, 0)
    act()
    member.until(lambda: hub.refusals().get(reason, 0) >= before + at_least, "a count for '%s'; counted: %s" % (
        reason, hub.refusals()))
    if told is not None:
        member.until(lambda: any(given == told for given, _ in member.refusals), "a Refusal %d" % told)


def hostile_put(member, key="hostile"):
    return member.put("thing", [key], t="hostile")


# ---- the door --------------------------------------------------------------------------------------------------------

def test_another_network(honest, hostile):
    hostile.close()
    counted(honest, "network", hostile,
            lambda: (hostile.connect(honest[0].hub.endpoint(), hello=False), hostile.hello(network=os.urandom(32))),
            told=NETWORK)


def test_another_site_than_the_key_was_certified_for(honest, hostile):
    hostile.close()
    hostile.connect(honest[0].hub.endpoint(), hello=False)
    hostile.hello(site=os.urandom(16))
    hostile.until(lambda: hostile.refusals, "a Refusal")
    assert hostile.refusals[0][0] == 3


def test_an_unknown_key(honest, hostile):
    network = honest[0]
    hostile.close()
    counted(honest, "network", hostile,
            lambda: hostile.connect(network.hub.endpoint(), curve_key=nacl.public.PrivateKey.generate()))
    assert hostile.said == []


def test_an_invitation_that_was_made_up(honest, hostile, proto):
    invitation = hostile.last_invitation
    stranger = Member(proto, "stranger")
    body = proto.EnrolBody(site=stranger.site, name="stranger", sign_key=bytes(stranger.sign_key.verify_key),
                           curve_key=bytes(stranger.curve_key.public_key), recovery_key=os.urandom(32),
                           invitation=invitation.number).SerializeToString(deterministic=True)
    for secret in (os.urandom(32), invitation.secret):
        reply = stranger.ask_to_enrol(invitation, stranger.request(body, secret))
        assert not reply.admitted and reply.text and not reply.authority
    assert all(member["name"] != "stranger" for member in honest[0].hub.cli("members"))


# ---- messages --------------------------------------------------------------------------------------------------------

def test_garbage_frames(honest, hostile):
    chance = random.Random(7)

    def act():
        for size in (0, 1, 7, 100, 5000, 100000):
            hostile.send_bytes(chance.randbytes(size))
    counted(honest, "message", hostile, act, told=MALFORMED)


def test_several_frames_in_one_message(honest, hostile, fresh):
    message = hostile.proto.Message(ping=hostile.proto.Ping()).SerializeToString()
    counted(honest, "message", hostile, lambda: hostile.send_bytes(message, message))
    other = fresh()
    counted(honest, "message", other, lambda: other.send_bytes(*[message] * 500))


def test_truncated_messages(honest, hostile, fresh):
    raw = hostile.seal(hostile_put(hostile), advance=False)
    message = hostile.proto.Message(batch=hostile.proto.Batch(changesets=[raw])).SerializeToString()
    for size in (len(message) - 1, len(message) // 2, 3):
        member = fresh()
        counted(honest, "message", member, lambda: member.send_bytes(message[:size]))


def test_a_kind_of_message_of_newer_software_is_passed_over(honest, hostile):
    before = honest[0].hub.refusals()
    hostile.send_bytes(b"\xa2\x06\x02hi")  # field 100
    hostile.write(hostile.put("thing", [hostile.name + ".1"], t="fine"))
    hostile.until(lambda: (form.NETWORK_SCOPE, hostile.site, hostile.own.epoch) in hostile.peer_has, "the session goes on")
    assert hostile.refusals == [] and honest[0].hub.refusals() == before


def test_many_changesets_too_short_to_be_any(honest, hostile):
    """Each would cost many times its bytes."""
    hub = honest[0].hub
    before = resident_kib(hub)
    for _ in range(200):
        hostile.push(*[b"x"] * 16384)
    hostile.until(lambda: any(given == MALFORMED for given, _ in hostile.refusals), "a Refusal")
    assert resident_kib(hub) < before + (30 << 10)


def test_more_than_the_limits_allow(honest, hostile):
    proto = hostile.proto
    heads = [proto.Head(site=n.to_bytes(16, "big"), epoch=1, scope=form.NETWORK_SCOPE, seq=1, pin=bytes(16))
             for n in range(1, 60000)]
    counted(honest, "message", hostile,
            lambda: hostile.send(has=proto.Has(digest=bytes(16), whole=True, heads=heads)), told=MALFORMED)


def test_a_message_beyond_the_size_limit(honest, hostile):
    hub = honest[0].hub
    before = resident_kib(hub)
    hostile.send_bytes(b"\x22" + bytes(64 << 20))
    for _ in range(20):
        if hostile.session.poll(50):
            hostile.read()
    assert hub.process.poll() is None
    assert resident_kib(hub) < before + (60 << 10)


def resident_kib(site):
    with open("/proc/%d/status" % site.process.pid) as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


# ---- changesets ------------------------------------------------------------------------------------------------------

def refused(honest, hostile, reason, raw):
    counted(honest, reason, hostile, lambda: hostile.push(raw), told=CHANGESET)


def test_bytes_that_are_no_changeset(honest, hostile):
    refused(honest, hostile, "malformed", os.urandom(300))


def test_a_truncated_changeset(honest, hostile):
    refused(honest, hostile, "malformed", hostile.seal(hostile_put(hostile))[:-5])


def test_a_bomb(honest, hostile):
    hub = honest[0].hub
    before = resident_kib(hub)
    bomb = zstandard.compress(bytes(200 << 20))
    changeset = hostile.parsed(hostile.seal(hostile_put(hostile), advance=False))
    changeset.zstd = bomb
    honest_reasons = ("malformed", "body")

    def count():
        return sum(hub.refusals().get(reason, 0) for reason in honest_reasons)
    for frame in (bomb, zstandard.with_stated_size(bomb, 1000), zstandard.with_stated_size(bomb, 19 << 20),
                  bomb[:40], b"\x28\xb5\x2f\xfd" + os.urandom(60)):
        changeset.zstd = frame
        already = count()
        hostile.push(changeset.SerializeToString())
        hostile.until(lambda: count() > already, "the bomb is counted: %s" % hub.refusals())
    assert resident_kib(hub) < before + (60 << 10)


def test_a_forged_signature(honest, hostile):
    changeset = hostile.parsed(hostile.seal(hostile_put(hostile)))
    signature = bytearray(changeset.signature)
    signature[5] ^= 1
    changeset.signature = bytes(signature)
    refused(honest, hostile, "signature", changeset.SerializeToString())


def test_signed_with_another_key(honest, hostile):
    refused(honest, hostile, "signature",
            hostile.seal(hostile_put(hostile), key=nacl.signing.SigningKey.generate()))


def test_signed_for_another_network(honest, hostile):
    hostile.own.network_key = os.urandom(32)
    refused(honest, hostile, "signature", hostile.seal(hostile_put(hostile)))


def test_a_log_of_another_member(honest, hostile):
    honest[1].sql("INSERT INTO thing(id) VALUES ('%s.own');" % hostile.name)

    def others():
        return [log for log in hostile.heads if log[0] == form.NETWORK_SCOPE and log[1] != hostile.site]
    hostile.until(others, "a log of another member")
    log = others()[0]

    def pretend(header):
        header.site, header.epoch, header.seq = log[1], log[2], hostile.heads[log][0] + 1
        header.previous = form.header_hash(hostile.parsed(hostile.logs[log][-1]).header)
        header.absolute = True
        del header.context[:]
    refused(honest, hostile, "signature", hostile.seal(hostile_put(hostile), change_header=pretend))


def test_an_op_of_the_authority_by_a_member(honest, hostile):
    """Nobody but the authority's key writes the authority log."""
    log, head = next((log, head) for log, head in hostile.heads.items() if log[0] == form.AUTHORITY_SCOPE)

    def pretend(header):
        header.site, header.epoch, header.scope, header.seq = log[1], log[2], log[0], head[0] + 1
        header.previous = form.header_hash(hostile.parsed(hostile.logs[log][-1]).header)
        header.ClearField("context")
        header.authority_seq, header.authority_pin = 0, b""
    mine = hostile.proto.Op(kind=form.CERTIFICATE, time_ms=1, certificate=hostile.members[hostile.site])
    refused(honest, hostile, "signature", hostile.seal(mine.SerializeToString(), change_header=pretend))


def test_a_site_without_a_certificate(honest, hostile):
    hostile.own.site = os.urandom(16)
    refused(honest, hostile, "member", hostile.seal(hostile_put(hostile)))


def scope_of(member, name):
    """A site's own scope has the site's id."""
    return next(site for site, certificate in member.members.items() if certificate.name == name)


def test_a_changeset_of_a_scope_that_is_not_its_own(honest, hostile):
    """Whoever signed it: what a peer does not carry is not taken of it."""
    def pretend(header):
        header.scope = scope_of(hostile, "giver")
    refused(honest, hostile, "member", hostile.seal(hostile_put(hostile), change_header=pretend))


def test_heads_of_a_scope_that_is_not_its_own(honest, hostile, proto):
    """It says that it carries the scope of another site, names heads there, and asks for all of it."""
    other = scope_of(hostile, "giver")
    head = proto.Head(scope=other, site=hostile.site, epoch=1, seq=7, pin=bytes(16))
    counted(honest, "member", hostile, lambda: hostile.send(has=proto.Has(digest=bytes(16), heads=[head])),
            told=CHANGESET)
    counted(honest, "member", hostile, lambda: hostile.send(
        has=proto.Has(digest=bytes(16), whole=True, please=True, heads=[head], scopes=hostile.scopes(other))))
    counted(honest, "member", hostile, lambda: hostile.send(
        pull=proto.Pull(pull=77, has=[head], credit_bytes=1 << 20)))
    hostile.until(lambda: any(message.batch.pull == 77 and message.batch.last for message in hostile.said),
                  "the end of the pull")
    assert all(scope in (form.AUTHORITY_SCOPE, form.NETWORK_SCOPE) for scope, _, _ in hostile.peer_has)


def test_a_broken_chain(honest, hostile):
    hostile.write(hostile.put("thing", [hostile.name + ".1"], t="fine"))
    hostile.until(lambda: (form.NETWORK_SCOPE, hostile.site, hostile.own.epoch) in hostile.peer_has, "the first")

    def cut(header):
        header.previous = os.urandom(32)
    refused(honest, hostile, "chain", hostile.seal(hostile_put(hostile), change_header=cut))


def test_ops_that_are_not_those_of_the_root(honest, hostile):
    def lie(header):
        header.ops_root = os.urandom(32)
    refused(honest, hostile, "body", hostile.seal(hostile_put(hostile), change_header=lie))


def test_ops_that_were_changed_on_the_way(honest, hostile):
    refused(honest, hostile, "body", hostile.seal(
        hostile_put(hostile), change_body=lambda body: body.replace(b"hostile", b"hostilf")))


def test_a_count_that_is_not_the_count(honest, hostile):
    def lie(header):
        header.op_count = 2
    refused(honest, hostile, "body", hostile.seal(hostile_put(hostile), change_header=lie))


def test_an_op_against_the_protocol(honest, hostile):
    """Signed by a member, so it stays in its log; and it is nothing at every site, which counts it."""
    op = hostile.proto.Op()
    op.ParseFromString(hostile_put(hostile))
    op.values = op.values + b"\x00"
    fine = hostile.put("thing", [hostile.name + ".1"], t="fine")

    def act():
        hostile.write(op.SerializeToString(), fine)
    counted(honest, "malformed", hostile, act)
    network, giver, taker = honest
    wait_until(lambda: taker.query("SELECT t FROM thing WHERE id = ?", hostile.name + ".1") == [("fine",)],
               "the other op of the changeset")
    assert taker.refusals()["malformed"] >= 1
    assert taker.cli("verify")["no_ops"] >= 1


def test_an_authority_position_that_is_not_ours(honest, hostile):
    refused(honest, hostile, "authority",
            hostile.seal(hostile_put(hostile), authority=(hostile.authority[0], os.urandom(32))))


def test_an_authority_position_that_does_not_exist(honest, hostile):
    """It may yet come: the changeset waits, and nothing of it shows."""
    hostile.push(hostile.seal(hostile_put(hostile), authority=(hostile.authority[0] + 1000, os.urandom(32))))
    honest[1].sql("INSERT INTO thing(id) VALUES ('%s.sign');" % hostile.name)
    honest[0].converge()
    assert (form.NETWORK_SCOPE, hostile.site, hostile.own.epoch) not in hostile.peer_has


def test_two_histories_of_one_log(honest, hostile):
    hostile.write(hostile.put("thing", [hostile.name + ".1"], t="fine"))
    hostile.until(lambda: (form.NETWORK_SCOPE, hostile.site, hostile.own.epoch) in hostile.peer_has, "the first")
    clone = hostile.own.copy()
    hostile.write(hostile.put("thing", [hostile.name + ".2"], t="fine"))
    hostile.until(lambda: hostile.peer_has[form.NETWORK_SCOPE, hostile.site, hostile.own.epoch][0] == 2, "the second")
    hostile.own = clone
    refused(honest, hostile, "fork", hostile.seal(hostile_put(hostile)))
    hub = honest[0].hub
    assert hub.query("SELECT count(*) FROM navette_fork AS f JOIN navette_log AS l ON l.number = f.log"
                     " WHERE l.site = ? AND f.seq = 2", hostile.site) == [(1,)]


def test_a_header_of_newer_software_waits(honest, hostile):
    network, giver, taker = honest
    before = network.hub.refusals()
    own = (form.NETWORK_SCOPE, hostile.site, hostile.own.epoch)
    hostile.write(hostile.put("thing", [hostile.name + ".1"], t="fine"))
    hostile.until(lambda: own in hostile.peer_has, "what can be understood is taken")

    def newer(header):
        header.format = 2
    hostile.push(hostile.seal(hostile_put(hostile), change_header=newer))
    hostile.push(hostile.seal(hostile_put(hostile)))
    giver.sql("INSERT INTO thing(id) VALUES ('%s.sign');" % hostile.name)
    network.converge()
    assert hostile.peer_has[own][0] == 1
    assert network.hub.refusals() == before and hostile.refusals == []
    assert taker.query("SELECT t FROM thing WHERE id = ?", hostile.name + ".1") == [("fine",)]


def test_an_op_of_newer_software_waits(network, proto):
    """It is kept and passed on, merged by nobody, and a digest says that something is not merged; the others go on."""
    hub = network.add_hub(VALUES)
    giver, taker = network.add_schools("giver", "taker")
    newer = Member(proto, "newer").join(network.invitation("newer")).connect(hub.endpoint())
    own = (form.NETWORK_SCOPE, newer.site, newer.own.epoch)
    newer.write(newer.put("thing", ["1"], t="before"))
    newer.until(lambda: taker.query("SELECT t FROM thing WHERE id = '1'") == [("before",)], "what is understood")
    newer.push(newer.seal(proto.Op(kind=form.NEWER, table=1, key=b"\x03\x01x").SerializeToString()))
    newer.push(newer.seal(newer.put("thing", ["1"], t="after")))
    newer.until(lambda: newer.peer_has.get(own, (0,))[0] == 3, "the hub keeps it")
    for turn in range(3):
        giver.sql("INSERT INTO thing(id, t) VALUES ('g%d', 'on'); UPDATE thing SET i = %d WHERE id = '1';" % (turn, turn))
        newer.until(lambda: taker.query("SELECT count(*), max(i) FROM thing") == [(turn + 2, turn)], "the others go on")
    assert taker.query("SELECT t FROM thing WHERE id = '1'") == [("before",)]
    assert network.hub.refusals() == {} and taker.refusals() == {} and newer.refusals == []
    wait_until(lambda: taker.digest() is None, "the digest says that something is not merged")
    hub.kill()
    hub.start()
    taker.stop()
    taker.start()
    giver.sql("INSERT INTO thing(id, t) VALUES ('last', 'on');")
    wait_until(lambda: taker.query("SELECT t FROM thing WHERE id = 'last'") == [("on",)], "also after a restart")
    assert taker.cli("verify")["bad"] == 0
    newer.close()


def test_values_that_no_column_holds(honest, hostile):
    """Valid, and yet no row could show them: they are no-ops for their fields everywhere, and listed."""
    network, giver, taker = honest
    key = hostile.name + ".odd"
    hostile.write(hostile.put("thing", [key], i="012", r=7, t=12, b=b"fine", n="0.5", a=-0.0),
                  hostile.put("pair", [key, "k"], value="fine", count=None),
                  hostile.put("thing", [key + ".zero"], r=-0.0))
    hostile.until(lambda: taker.query("SELECT b FROM thing WHERE id = ?", key) == [(b"fine",)], "what can be shown is")
    network.converge()
    assert taker.query("SELECT i, r, t, n FROM thing WHERE id = ?", key) == [(None,) * 4]
    assert taker.query("SELECT value, count FROM pair WHERE one = ?", key) == [("fine", 7)]
    # No storm of false edits: nobody writes anything because of what the row cannot hold.
    assert len(taker.history("thing", key)) == 1 and len(taker.history("thing", key + ".zero")) == 1


def test_random_bytes_in_the_place_of_every_part(honest, hostile):
    """Whatever is changed in a good changeset, the daemon stays, and never takes it."""
    chance, hub = random.Random(11), honest[0].hub
    good = hostile.seal(hostile_put(hostile))
    before = sum(hub.refusals().values())
    for _ in range(200):
        raw = bytearray(good)
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        hostile.push(bytes(raw))
    hostile.until(lambda: sum(hub.refusals().values()) > before + 5, "they are counted")
    assert hub.process.poll() is None
