"""A member written from the protocol alone exchanges data with a real daemon, both ways."""
import math
import random

import pytest

from network import exact, free_port
from peer.changeset import NETWORK_SCOPE
from peer.member import Member
from schemas import VALUES


@pytest.fixture
def hub(network):
    return network.add_hub(VALUES)


def test_both_ways(network, hub, proto):
    school, = network.add_schools("school")
    peer = Member(proto, "peer").join(network.invitation("peer")).connect(hub.endpoint())
    school.write("INSERT INTO thing(id, i, r, t, b, n, a) VALUES (?, ?, ?, ?, ?, ?, ?)",
                 "from school", -2**63, 0.1, "é\x00漢", b"\x00\xff", 0.5, -0.0)
    school.sql("INSERT INTO pair VALUES ('k', 'l', 'v', 3); UPDATE thing SET i = 5 WHERE id = 'from school';")
    peer.until(lambda: peer.records.get(("thing", ("from school",)), {}).get("i") == 5 and
               ("pair", ("k", "l")) in peer.records, "what the school wrote")
    got = peer.records["thing", ("from school",)]
    assert got == {"i": 5, "r": 0.1, "t": "é\x00漢", "b": b"\x00\xff", "n": 0.5, "a": -0.0}
    assert math.copysign(1, got["a"]) == -1
    assert peer.records["pair", ("k", "l")] == {"value": "v", "count": 3}

    given = {"i": 2**63 - 1, "r": 5e-324, "t": "peer \U0010ffff", "b": b"\x01" * 70000, "n": None, "a": 1.0}
    peer.write(peer.put("thing", ["from peer"], **given), compress=True)
    peer.write(peer.put("pair", ["k", "l"], value="changed"), peer.put("thing", ["from school"], t="changed"))

    def arrived():
        return (school.query("SELECT value, count FROM pair WHERE one = 'k'") == [("changed", 3)] and
                school.query("SELECT i, r, t, b, n, a FROM thing WHERE id = 'from peer'"))
    peer.until(arrived, "what the peer wrote is at the school")
    row, = arrived()
    assert [exact(value) for value in row] == [exact(given[name]) for name in ("i", "r", "t", "b", "n", "a")]
    # The peer's word covered the school's, for it had seen it: nobody is asked anything.
    assert school.query("SELECT i, t FROM thing WHERE id = 'from school'") == [(5, "changed")]
    assert school.conflicts() == {} and hub.refusals() == {}
    network.converge()
    peer.until(lambda: peer.peer_has == peer.heads, "both have the same")
    peer.write(peer.delete("thing", ["from school"]))
    peer.until(lambda: school.query("SELECT 1 FROM thing WHERE id = 'from school'") == [], "the peer's delete")
    network.converge()
    network.assert_clean()
    peer.close()


def test_many_changesets_and_a_second_session(network, hub, proto):
    school, = network.add_schools("school")
    peer = Member(proto, "peer").join(network.invitation("peer"))
    # Written before anybody was reached, over the seq at which contexts stand whole again.
    for number in range(600):
        peer.write(peer.put("thing", ["n%d" % number], i=number))
    peer.connect(hub.endpoint())
    peer.until(lambda: school.query("SELECT count(*), sum(i) FROM thing") == [(600, 179700)], "600 changesets")
    peer.close()
    with school.connection() as connection:
        for number in range(300):
            connection.execute("UPDATE thing SET t = 'x' WHERE id = ?", ("n%d" % number,))
    network.converge()
    peer.connect(hub.endpoint())
    peer.until(lambda: sum(record.get("t") == "x" for record in peer.records.values()) == 300, "the school's 300")
    peer.until(lambda: peer.peer_has == peer.heads, "both have the same")
    network.assert_clean()
    peer.close()


def test_what_was_acknowledged_survives_a_kill(network, hub, proto):
    peer = Member(proto, "peer").join(network.invitation("peer"))
    own = (NETWORK_SCOPE, peer.site, peer.own.epoch)
    for number in range(15):
        peer.connect(hub.wait_for_endpoint())
        for part in range(5):
            peer.write(peer.put("thing", ["k%d.%d" % (number, part)], i=number))
        peer.until(lambda: own in peer.peer_has and peer.peer_has[own][0] >= peer.own.seq - 4, "an acknowledgement")
        acknowledged = peer.peer_has[own][0]
        hub.kill()
        peer.close()
        held = hub.query("SELECT max(c.seq) FROM navette_changeset AS c JOIN navette_log AS l ON l.number = c.log"
                         " WHERE l.site = ?", peer.site)
        assert held[0][0] >= acknowledged, "the hub said that it has %d and holds %s" % (acknowledged, held)
        hub.start()
    peer.connect(hub.wait_for_endpoint())
    peer.until(lambda: peer.peer_has.get(own, (0,))[0] == peer.own.seq, "all is there")
    assert hub.query("SELECT count(*) FROM thing") == [(75,)]
    network.assert_clean()
    peer.close()


def test_concurrent_words_of_peer_and_school_are_both_kept(network, hub, proto):
    school, = network.add_schools("school")
    peer = Member(proto, "peer").join(network.invitation("peer")).connect(hub.endpoint())
    school.sql("INSERT INTO thing(id, t, i) VALUES ('x', 'first', 1);")
    peer.until(lambda: ("thing", ("x",)) in peer.records, "the record")
    peer.close()
    school.sql("UPDATE thing SET t = 'of school' WHERE id = 'x';")
    network.converge()
    peer.write(peer.put("thing", ["x"], t="of peer", i=2))
    peer.connect(hub.endpoint())
    peer.until(lambda: school.query("SELECT i FROM thing") == [(2,)], "the peer's word")
    network.converge()
    for site in network.sites:
        assert sorted(site.conflicts()["thing", "x", "t"]) == ["of peer", "of school"]
    # An op covers all that its writer had applied but what it excepts: here the school's word.
    peer.until(lambda: peer.peer_has == peer.heads, "both have the same")
    number = peer.table_number("thing")
    field, = (field for field, name in peer.tables[number][1].items() if name == "t")
    dot = peer.dot_of("thing", "of school")
    peer.write(peer.put("thing", ["x"], excepts=[proto.Except(dot=dot, fields=1 << field)], t="third"))
    peer.until(lambda: sorted(school.conflicts().get(("thing", "x", "t"), [])) == ["of school", "third"],
               "what was excepted stays")
    network.converge()
    network.assert_clean()
    peer.close()


def test_a_member_that_knocks_while_the_hub_starts_is_no_stranger(network, proto):
    hub = network.add_hub(VALUES, listen="tcp://127.0.0.1:%d" % free_port(random.Random()))
    peer = Member(proto, "peer").join(network.invitation("peer"))
    for _ in range(10):
        endpoint = hub.endpoint()
        hub.kill()
        # It knocks every few milliseconds, and so also in the moment when the hub begins to listen.
        peer.connect(endpoint)
        hub.start().wait_for_endpoint()
        peer.until(lambda: peer.peer_has == peer.heads, "both have the same")
        peer.close()
    assert hub.refusals() == {}
