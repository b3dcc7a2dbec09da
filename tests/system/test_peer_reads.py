"""A member written from the protocol alone reads and writes in a group with real daemons, through a hub that cannot read."""
from grouped import NORD, readers_of_nord


def test_both_ways(network, proto):
    with readers_of_nord(network, proto, "peer") as (pantin, vitry, peer):
        nord = peer.groups["nord"]
        pantin.sql("INSERT INTO learner(id, name, visible_to) VALUES ('l1', 'Ada Exemple', 'group/nord');")
        peer.until(lambda: peer.record("learner", "l1"), "what Pantin wrote")
        assert peer.record("learner", "l1")["name"] == "Ada Exemple" and peer.closed == []
        peer.write_in(nord, peer.put("learner", ["l1"], town="Pantin"),
                      peer.put("learner", ["l2"], name="Bo Exemple", visible_to=NORD))
        for school in (pantin, vitry):
            peer.until(lambda: school.query("SELECT id, name, town FROM learner ORDER BY id") ==
                       [("l1", "Ada Exemple", "Pantin"), ("l2", "Bo Exemple", None)], "%s has it" % school.name)
        vitry.sql("UPDATE learner SET name = 'Bo Modele' WHERE id = 'l2';")
        peer.until(lambda: peer.record("learner", "l2")["name"] == "Bo Modele", "what Vitry wrote")
        network.converge(pantin, vitry, scope=NORD)
        assert network.hub.query("SELECT count(*) FROM learner") == [(0,)]
        for site in network.sites:
            assert site.refusals() == {}, site.name
        network.assert_clean()
