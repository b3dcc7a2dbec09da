"""A relay hands on changesets with digests in the place of what they say: it stays owed, and comes from somebody else."""
import pytest

from grouped import NORD, assert_goes_on, learners, readers_of_nord, write_learner
from network import wait_until
from peer import changeset as form


def owed(site):
    return site.cli("status", codes=(0, 1))["owed"]


def relay(member, withheld):
    """From now on the member hands on what Pantin wrote without those of its ops, whatever it is asked for."""
    member.arrived = [(log, seq, form.withhold(member.proto, raw, withheld) if log[0] != form.AUTHORITY_SCOPE else raw)
                      for log, seq, raw in member.arrived]


def listen_to(member, school, *scopes):
    """Begins a session with the school instead of the one with the hub."""
    member.close()
    member.connect(school.endpoint(), server_key=member.curve_key_of(school.name))
    member.carry(*scopes)


def is_catching_up(site, scope):
    shown = {line.split()[0]: line for line in site.run("digest", codes=(1,)).stdout.splitlines() if line}
    return "catching up" in shown[scope]


@pytest.mark.parametrize("kinds", ({form.SEALED}, {form.GRANT}, {form.SEALED, form.GRANT}),
                         ids=("ops", "keys", "both"))
def test_through_a_hub_that_cannot_read(network, proto, kinds):
    """The hub owes what it only carries as well, asks for it, and hands it on."""
    with readers_of_nord(network, proto, "relay", listen=True) as (pantin, vitry, member):
        nord, hub = member.groups["nord"], network.hub
        listen_to(member, pantin, nord)
        pantin.line.cut()
        write_learner(pantin, "l1", "Ada Exemple")
        member.until(lambda: member.record("learner", "l1"), "what Pantin wrote")
        relay(member, lambda op: op.kind in kinds)
        listen_to(member, hub, nord)
        for site in (hub, vitry):
            member.until(lambda: owed(site) == len(kinds), "%s owes it" % site.name)
        assert is_catching_up(vitry, NORD) and learners(vitry) == []

        # Meanwhile Vitry works on, and nobody takes its own word for what it could not see.
        vitry.sql("INSERT INTO notice(id, text) VALUES ('n1', 'meanwhile');")
        wait_until(lambda: hub.query("SELECT text FROM notice") == [("meanwhile",)], "the network goes on")
        assert owed(hub) == owed(vitry) == len(kinds)

        pantin.line.heal()
        for site in (hub, vitry):
            member.until(lambda: owed(site) == 0, "%s owes nothing" % site.name)
        wait_until(lambda: learners(vitry) == [("l1", "Ada Exemple")], "Vitry reads it")
        assert_goes_on(network, pantin, vitry)


def test_in_the_network_scope(network, proto):
    with readers_of_nord(network, proto, "relay", listen=True) as (pantin, vitry, member):
        hub = network.hub
        listen_to(member, pantin)
        pantin.line.cut()
        pantin.sql("INSERT INTO notice(id, text) VALUES ('n1', 'heard'), ('n2', 'heard');")
        member.until(lambda: ("notice", ("n2",)) in member.records, "what Pantin wrote")
        relay(member, lambda op: op.kind == form.PUT)
        listen_to(member, hub)
        for site in (hub, vitry):
            member.until(lambda: owed(site) == 2, "%s owes it" % site.name)
            assert is_catching_up(site, "network") and site.query("SELECT 1 FROM notice") == []
        pantin.line.heal()
        for site in (hub, vitry):
            member.until(lambda: owed(site) == 0, "%s owes nothing" % site.name)
        network.converge(pantin, vitry)
        assert hub.query("SELECT count(*) FROM notice WHERE text = 'heard'") == [(2,)]
        assert_goes_on(network, pantin, vitry)


def test_what_its_writer_lets_go_of_is_owed_by_nobody(network, proto):
    """Also where the hub that cannot read gets the redact first, or later than the bodies are missing."""
    with readers_of_nord(network, proto, "writer") as (pantin, vitry, writer):
        nord, hub = writer.groups["nord"], network.hub

        def redact(seq):
            dot = proto.Dot(site=writer.site, epoch=writer.writer_in(nord).epoch, seq=seq, index=0)
            return proto.Op(kind=form.REDACT, time_ms=1, names=[dot]).SerializeToString(deterministic=True)
        writer.write_in(nord, writer.put("learner", ["l1"], name="Ada Exemple", visible_to=NORD))
        for school in (pantin, vitry):
            writer.until(lambda: learners(school) == [("l1", "Ada Exemple")], "%s has it" % school.name)
        writer.write_in(nord, clear=[redact(1)])
        raw = writer.seal_in(nord, writer.put("learner", ["l2"], name="Bo Exemple", visible_to=NORD))
        writer.push(form.withhold(proto, raw, lambda op: op.kind == form.SEALED))
        for site in (hub, pantin, vitry):
            writer.until(lambda: owed(site) == 1, "%s owes the second one" % site.name)
        writer.arrived = []  # nobody gets it from its writer
        writer.push(writer.seal_in(nord, clear=[redact(3)]))
        for site in (hub, pantin, vitry):
            writer.until(lambda: owed(site) == 0, "%s owes nothing" % site.name)
            wait_until(lambda: site.cli("verify")["redacted"] == 2, "%s let go of both" % site.name)
        assert learners(pantin) == learners(vitry) == []
        assert_goes_on(network, pantin, vitry)
