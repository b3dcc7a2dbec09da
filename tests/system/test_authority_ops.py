"""A member writes what only the authority may: it counts nowhere, and blocks nobody."""
import pytest

from grouped import NORD, assert_goes_on, assert_listed_alike, learners, readers_of_nord
from network import wait_until
from peer import changeset as form


def authority_ops(proto, member):
    """One op of each kind of the authority log, such as its writer would like them."""
    nord, own = member.groups["nord"], member.members[member.site]
    victim = next(site for site, certificate in member.members.items() if certificate.name == "vitry")
    ops = [proto.Op(kind=form.GENESIS, genesis=proto.Genesis(network="mine", authority_key=own.sign_key,
                                                             successor_key=own.sign_key)),
           proto.Op(kind=form.CERTIFICATE, certificate=own),
           proto.Op(kind=form.SCHEMA, schema=proto.Schema(statements=["CREATE TABLE mine(id TEXT NOT NULL PRIMARY KEY)"])),
           proto.Op(kind=form.GROUP, group=proto.Group(name="mine")),
           proto.Op(kind=form.READER, reader=proto.Reader(scope=nord, site=own.site)),
           proto.Op(kind=form.REMOVAL, removal=proto.Removal(scope=nord, site=victim)),
           proto.Op(kind=form.REVOCATION, revocation=proto.Revocation(site=victim))]
    for op in ops:
        op.time_ms = 1
    return [op.SerializeToString(deterministic=True) for op in ops]


def test_ops_of_the_authority_in_other_logs(network, proto):
    """In `network`, in a group in the clear, and in a group in boxes: no-ops, and what follows them is merged."""
    with readers_of_nord(network, proto, "thief") as (pantin, vitry, thief):
        nord, members = thief.groups["nord"], network.hub.cli("members")
        ops = authority_ops(proto, thief)
        thief.push(thief.seal(*ops))
        thief.push(thief.seal(thief.put("notice", ["n1"], text="after")))
        for how in ({"clear": ops}, {}):
            thief.push(thief.seal_in(nord, *(() if how else ops), **how))
        thief.push(thief.seal_in(nord, thief.put("learner", ["l1"], name="after", visible_to=NORD)))
        for school in (pantin, vitry):
            thief.until(lambda: learners(school) == [("l1", "after")], "what follows in the group")
            thief.until(lambda: school.query("SELECT text FROM notice") == [("after",)], "what follows in the network")
        assert_listed_alike(pantin, vitry)
        for school in (pantin, vitry):
            assert school.refusals() == {"malformed": 3 * len(ops)}
            assert school.cli("verify")["no_ops"] == 2 * len(ops)  # boxes are not opened for it
        network.converge(pantin, vitry)
        assert_goes_on(network, pantin, vitry)
        assert network.hub.cli("members") == members
        assert sorted(network.hub.cli("group", "nord")["readers"]) == ["pantin", "thief", "vitry"]


@pytest.mark.parametrize("at_school", (False, True))
def test_a_changeset_of_the_authority_log(network, proto, at_school):
    """Signed by a member it is refused: at the hub, and at a school to which it is brought directly."""
    with readers_of_nord(network, proto, "thief", listen=True) as (pantin, vitry, thief):
        victim = pantin if at_school else network.hub
        if at_school:
            thief.close()
            thief.connect(pantin.endpoint(), server_key=thief.curve_key_of("pantin")).follow("nord")
        log, head = next((log, head) for log, head in thief.heads.items() if log[0] == form.AUTHORITY_SCOPE)

        def pretend(header):
            header.site, header.epoch, header.scope, header.seq = log[1], log[2], log[0], head[0] + 1
            header.previous = form.header_hash(thief.parsed(thief.logs[log][-1]).header)
            header.absolute, header.authority_seq, header.authority_pin = False, 0, b""
            header.ClearField("context")
        for op in authority_ops(proto, thief):
            thief.push(thief.seal(op, change_header=pretend, advance=False))
        thief.until(lambda: victim.refusals() == {"signature": 7}, "all are refused: %s" % victim.refusals())
        for site in network.sites:
            assert len(site.cli("members")) == 4
            assert site is victim or site.refusals() == {}
        wait_until(lambda: network.reads(vitry, NORD), "Vitry reads on")
        assert_goes_on(network, pantin, vitry)
