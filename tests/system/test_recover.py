"""A school's machine is lost while the others are away: with its recovery secret it comes back from a hub that is blind."""
import os
import pty
import select
import shutil
import sqlite3
import subprocess

import nacl.bindings
import nacl.public
import pytest

from network import BUILD, PATIENCE, Site, rows_of, wait_until
from peer import sealed
from peer.changeset import blake
from peer.member import Invitation, Member

SCHEMA = """
CREATE TABLE employer (siret TEXT NOT NULL PRIMARY KEY, name TEXT);
CREATE TABLE note (id TEXT NOT NULL PRIMARY KEY, text TEXT);
CREATE TABLE learner (id TEXT NOT NULL PRIMARY KEY, name TEXT, visible_to TEXT);
CREATE TABLE visit (id TEXT NOT NULL PRIMARY KEY, learner TEXT REFERENCES learner(id), day TEXT);
INSERT INTO navette_table(name, scope) VALUES
    ('employer', 'network'), ('note', 'site'), ('learner', 'column:visible_to'), ('visit', 'parent:learner');
"""
TABLES = ("employer", "note", "learner", "visit")


def join(network, name):
    """A school of the network, and its recovery secret."""
    school = Site(network.folder / name, name)
    school.cli("init", name)
    secret = school.cli("join", network.invitation(name))["recovery_secret"]
    school.line = network.relay_to(network.hub)
    network.set_peers(school, {network.hub.name: school.line.endpoint})
    network.schools[name] = school.start()
    tables = set(network.tracked_tables(network.hub))
    wait_until(lambda: set(network.tracked_tables(school)) == tables, name + " has the schema")
    return school, secret


def write(site, letter):
    """A record of each scope that the site writes in, and one in the group."""
    site.sql("INSERT INTO employer(siret, name) VALUES ('{0}-1', 'Atelier {0}');"
             "INSERT INTO note(id, text) VALUES ('{0}-1', 'own {0}');"
             "INSERT INTO learner(id, name, visible_to) VALUES ('{0}-1', 'Ada {0}', NULL), "
             "('{0}-2', 'Bo {0}', 'group/est'), ('{0}-3', 'Cy {0}', 'network');".format(letter))
    wait_until(lambda: site.pending() == 0, "sealed")
    site.sql("INSERT INTO visit(id, learner, day) VALUES ('{0}-1', '{0}-1', '2026-01-05'), "
             "('{0}-2', '{0}-2', '2026-01-06'), ('{0}-3', '{0}-3', '2026-01-07');".format(letter))
    wait_until(lambda: site.pending() == 0, "sealed")


def lists_of(site):
    return {table: rows_of(site, table) for table in TABLES}


def states_of(site):
    """The state of each scope that the site reads; None while something is not merged."""
    found = site.cli("digest", codes=(0, 1))
    return {one["scope"]: one["state"] for one in found} if all(one["closed"] for one in found) else None


def converge(*readers, scope):
    """Waits until the scope's readers have the same of it."""
    wait_until(lambda: all(site.pending() == 0 for site in readers), "sealed")
    def holds():
        digests = {site.digest(scope) for site in readers}
        return len(digests) == 1 and None not in digests
    wait_until(holds, "one digest of " + scope)


def wait_until_told(hub, *sites):
    """Waits until the hub has all that is in these sites' logs, in every scope."""
    def held(site, where):
        with sqlite3.connect(where.store) as connection:
            return dict(((scope, epoch), seq) for scope, epoch, seq in connection.execute(
                "SELECT scope, epoch, has_seq FROM navette_log WHERE site = (?1)", (site_id(site),)))
    for site in sites:
        wait_until(lambda: held(site, site) == held(site, hub), "the hub has what %s wrote" % site.name)


def site_id(site):
    return bytes(site.query("SELECT value FROM navette_meta WHERE name = 'site'")[0][0])


def epochs(site):
    """The epochs in which the site has logs of its own, and the one in which it goes on."""
    logs = {epoch for (epoch,) in site.query("SELECT epoch FROM navette_log WHERE site = ?1", site_id(site))}
    return logs, site.query("SELECT value FROM navette_meta WHERE name = 'epoch'")[0][0]


def authority_position(site):
    return site.query("SELECT has_seq FROM navette_log WHERE scope = zeroblob(16)")[0][0]


def secret_file(network, secret):
    file = network.folder / "secret"
    file.write_text(secret + "\n")
    return file


def new_machine(network, name, folder):
    """A home of the site's name on another machine, which has joined nothing."""
    school = Site(network.folder / folder, name)
    school.log = network.folder / (folder + ".stderr")
    school.cli("init", name)
    return school


def start_in_place_of(network, old, school):
    school.line = old.line
    network.set_peers(school, {network.hub.name: school.line.endpoint})
    network.schools[school.name] = school.start()


@pytest.fixture
def three(network):
    """A blind hub and three schools, two of them in a group; each has written. With the recovery secret of the first."""
    hub = network.add_hub(SCHEMA)
    (pantin, secret), (vitry, _), (poissy, _) = (join(network, name) for name in ("pantin", "vitry", "poissy"))
    hub.cli("group", "est")
    hub.cli("group", "est", "--add", "pantin", "--add", "vitry")
    for site in (pantin, vitry):
        wait_until(lambda: authority_position(site) == authority_position(hub), "%s knows the group" % site.name)
    for site, letter in ((pantin, "p"), (vitry, "v"), (poissy, "y")):
        write(site, letter)
    converge(pantin, vitry, scope="group/est")
    converge(hub, pantin, vitry, poissy, scope="network")
    wait_until_told(hub, pantin, vitry, poissy)
    assert len(rows_of(pantin, "visit")) == 6 and len(rows_of(hub, "visit")) == 3  # the hub reads network alone
    return network, hub, pantin, vitry, poissy, secret


def test_a_lost_machine_comes_back_while_the_others_are_away(three):
    network, hub, pantin, vitry, poissy, secret = three
    rows, states, before = lists_of(pantin), states_of(pantin), epochs(pantin)[0]
    identity = site_id(pantin)
    vitry.stop()
    poissy.stop()
    pantin.kill()
    shutil.rmtree(pantin.home)

    made = hub.cli("invite", "pantin")
    assert made["recovers"] is True
    assert "pantin is a member already" in hub.run("invite", "pantin").stderr
    new = new_machine(network, "pantin", "new")
    joined = new.cli("join", made["invitation"], "--recover", "--secret", secret_file(network, secret))
    assert joined["recovered"] is True and joined["name"] == "pantin" and "recovery_secret" not in joined
    (network.folder / "secret").unlink()
    assert site_id(new) == identity
    start_in_place_of(network, pantin, new)

    wait_until(lambda: lists_of(new) == rows, "every record is back")
    wait_until(lambda: states_of(new) == states, "every scope's state is the one that was lost")
    # What the recovery secret opened it has granted itself, and keeps nowhere else.
    wait_until(lambda: new.query("SELECT count(*) FROM navette_recovered") == [(0,)], "it has all keys by its own grants")
    for word in (secret, secret.replace("-", "")):
        for file in new.home.rglob("*"):
            assert not file.is_file() or word.encode() not in file.read_bytes(), file
    new.stop()
    new.start()
    new.wait_until_ready()
    network.assert_clean(new)
    assert lists_of(new) == rows and states_of(new) == states

    # It goes on, in another epoch; the others come back, and all are in step.
    write(new, "n")
    logs, own = epochs(new)
    assert own not in before and logs == before | {own}
    wait_until_told(hub, new)
    for site in (vitry, poissy):
        site.start()
    converge(new, vitry, scope="group/est")
    converge(hub, new, vitry, poissy, scope="network")
    vitry.sql("INSERT INTO learner(id, name, visible_to) VALUES ('v-4', 'Di v', 'group/est');"
              "UPDATE learner SET name = 'Bo von Vitry' WHERE id = 'n-2';")
    new.sql("UPDATE learner SET name = 'Bo aus Pantin' WHERE id = 'v-2';")
    converge(new, vitry, scope="group/est")
    for site in (new, vitry):
        assert site.query("SELECT name FROM learner WHERE id IN ('n-2', 'v-2', 'v-4') ORDER BY id") == [
            ("Bo von Vitry",), ("Bo aus Pantin",), ("Di v",)]
    network.assert_clean(hub, new, vitry, poissy)
    assert all(not site.refusals() for site in (hub, new, vitry, poissy))


def test_who_has_the_lost_machine_has_no_right_any_more(three):
    network, hub, pantin, vitry, poissy, secret = three
    pantin.stop()
    thief = Site(network.folder / "thief", "thief")
    shutil.copytree(pantin.home, thief.home)
    network.schools["thief"] = thief.start()
    thief.wait_until_ready()

    def is_connected():
        return [peer["connected"] for peer in hub.cli("peers") if peer["name"] == "pantin"] == [True]
    wait_until(is_connected, "the thief has a line to the hub")
    new = new_machine(network, "pantin", "new")
    new.cli("join", hub.cli("invite", "pantin")["invitation"], "--recover", "--secret", secret_file(network, secret))
    wait_until(lambda: not is_connected(), "the thief's line is cut", seconds=5)
    start_in_place_of(network, pantin, new)
    thief.sql("INSERT INTO employer(siret, name) VALUES ('t-1', 'thief');"
              "INSERT INTO learner(id, name, visible_to) VALUES ('t-1', 'thief', 'group/est');")
    wait_until(lambda: thief.pending() == 0, "the thief has sealed")
    vitry.sql("INSERT INTO learner(id, name, visible_to) VALUES ('v-5', 'Ed v', 'group/est');")
    new.sql("INSERT INTO learner(id, name, visible_to) VALUES ('n-5', 'Ed n', 'group/est');")
    converge(new, vitry, scope="group/est")
    converge(hub, new, vitry, poissy, scope="network")
    for site in (hub, new, vitry, poissy):
        assert site.query("SELECT count(*) FROM employer WHERE siret = 't-1'") == [(0,)]
        assert site.query("SELECT count(*) FROM learner WHERE id = 't-1'") == [(0,)]
    assert new.query("SELECT count(*) FROM learner WHERE id IN ('v-5', 'n-5')") == [(2,)]
    assert thief.query("SELECT count(*) FROM learner WHERE id IN ('v-5', 'n-5')") == [(0,)]
    network.assert_clean(hub, new, vitry, poissy)


def test_nothing_changes_without_the_secret_and_the_right_invitation(three):
    network, hub, pantin, _, _, secret = three
    pantin.stop()
    position = authority_position(hub)
    new = new_machine(network, "pantin", "new")
    invitation = hub.cli("invite", "pantin")["invitation"]

    def refused(*words, said, code=3):
        done = new.run("join", *words, codes=(code,))
        assert said in done.stderr, done.stderr
        assert authority_position(hub) == position and new.cli("status")["network"] is None

    wrong = ("1" if secret[0] != "1" else "2") + secret[1:]
    refused(invitation, "--recover", "--secret", secret_file(network, wrong), said="not the recovery secret")
    refused(invitation, "--recover", "--secret", secret_file(network, secret[:-1]), said="16 groups of 4")
    refused(invitation, "--recover", "--secret", network.folder / "none", said="cannot be read", code=1)
    refused(invitation, "--recover", said="no recovery secret")  # standard input is empty
    refused(invitation, said="--recover")
    refused(invitation, "--secret", secret_file(network, secret), said="--recover", code=2)
    refused(network.invitation("melun"), "--recover", "--secret", secret_file(network, secret),
            said="join without --recover")
    assert hub.run("invite", "pantin", "--role", "hub", codes=(3,)).stderr.count("--role") == 1
    assert "hub itself" in hub.run("invite", "hub", codes=(3,)).stderr
    # What was tried has used up nothing. The secret may be typed with spaces and capitals, on standard input.
    done = subprocess.run([BUILD / "navette", "--home", new.home, "join", "-", "--recover", "--secret", "-"], text=True,
                          input=invitation + "\n" + secret.replace("-", " ").upper() + "\n", capture_output=True,
                          timeout=PATIENCE)
    assert done.returncode == 0 and "This is now the site pantin" in done.stdout and secret not in done.stdout, done.stderr
    assert authority_position(hub) == position + 1
    other = new_machine(network, "pantin", "other")
    assert "was used" in other.run("join", invitation, "--recover", "--secret", secret_file(network, secret),
                                   codes=(3,)).stderr


def test_the_secret_does_not_show_on_a_terminal(three):
    network, hub, pantin, _, _, secret = three
    pantin.stop()
    new = new_machine(network, "pantin", "new")
    ours, theirs = pty.openpty()
    process = subprocess.Popen([BUILD / "navette", "--home", new.home, "join", hub.cli("invite", "pantin")["invitation"],
                                "--recover"], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    shown = b""

    def read():
        assert select.select([ours], [], [], PATIENCE)[0], shown
        return os.read(ours, 1000)
    while not shown.endswith(b"secret: "):
        shown += read()
    os.write(ours, secret.encode() + b"\n")
    with pytest.raises(OSError):  # the terminal is gone once the program has ended
        while True:
            shown += read()
    os.close(ours)
    assert process.wait(PATIENCE) == 0, shown
    assert b"This is now the site pantin" in shown and secret.encode() not in shown and secret[:4].encode() + b"-" not in shown


def test_a_recovery_that_was_cut_short_is_done_again(three):
    network, hub, pantin, _, _, secret = three
    rows = lists_of(pantin)
    pantin.stop()
    new = new_machine(network, "pantin", "new")
    invitation = hub.cli("invite", "pantin")["invitation"]
    before = {path: path.read_bytes() for path in new.home.glob("store.db*")}
    position = authority_position(hub)
    command = ("join", invitation, "--recover", "--secret", secret_file(network, secret))
    new.cli(*command)
    # The hub has certified the new keys, and the answer never came: the store is as it was.
    for path in new.home.glob("store.db*"):
        path.unlink()
    for path, content in before.items():
        path.write_bytes(content)
    assert new.cli("status")["network"] is None
    new.cli(*command)
    new.cli(*command)  # and once more, for good measure
    assert authority_position(hub) == position + 1
    start_in_place_of(network, pantin, new)
    assert "stop it" in new.run(*command, codes=(4,)).stderr
    wait_until(lambda: lists_of(new) == rows, "every record is back")


def test_a_machine_that_was_revoked_first_is_recovered(three):
    network, hub, pantin, vitry, poissy, secret = three
    notes = rows_of(pantin, "note")
    pantin.kill()
    shutil.rmtree(pantin.home)
    spare = hub.cli("invite", "pantin")["invitation"]
    hub.cli("revoke", "pantin")
    new = new_machine(network, "pantin", "new")
    file = secret_file(network, secret)
    assert "taken out" in new.run("join", spare, "--recover", "--secret", file, codes=(3,)).stderr
    made = hub.cli("invite", "pantin")
    assert made["recovers"] is False  # another site may have the name now
    new.cli("join", made["invitation"], "--recover", "--secret", file)
    start_in_place_of(network, pantin, new)
    wait_until(lambda: rows_of(new, "note") == notes, "its own records are back")
    assert new.query("SELECT count(*) FROM learner WHERE id = 'p-2'") == [(0,)]  # of the group it is no reader now
    hub.cli("group", "est", "--add", "pantin")
    converge(new, vitry, scope="group/est")
    assert new.query("SELECT id FROM learner WHERE id IN ('p-2', 'v-2') ORDER BY id") == [("p-2",), ("v-2",)]
    new.sql("UPDATE learner SET name = 'Bo aus Pantin' WHERE id = 'v-2';")
    converge(new, vitry, scope="group/est")
    converge(hub, new, vitry, poissy, scope="network")
    network.assert_clean(hub, new, vitry, poissy)


def test_a_recovery_written_from_the_protocol(three, proto):
    """The request, its proofs, and the keys in the answer, by somebody who knows PROTOCOL.md alone."""
    _, hub, pantin, vitry, _, secret = three
    pantin.stop()
    position = authority_position(hub)
    invitation = Invitation.read(hub.cli("invite", "pantin")["invitation"])
    recovery = nacl.public.PrivateKey(bytes.fromhex(secret.replace("-", "")))
    member = Member(proto, "pantin")
    member.network_key = invitation.authority_key

    def body(**other):
        return proto.EnrolBody(**{**dict(
            name="whoever", sign_key=bytes(member.sign_key.verify_key), curve_key=bytes(member.curve_key.public_key),
            recovery_key=bytes(recovery.public_key), invitation=invitation.number, recovers=True), **other,
        }).SerializeToString(deterministic=True)

    def proof(request, key=recovery):
        shared = nacl.bindings.crypto_scalarmult(bytes(key), invitation.hub_curve_key)
        return blake(b"navette recovery proof 1\n" + invitation.authority_key + invitation.hub_curve_key +
                     bytes(recovery.public_key) + request, key=shared)

    def ask(asked, proven):
        request = member.request(asked, invitation.secret)
        request.recovery_proof = proven
        return member.ask_to_enrol(invitation, request)

    good = body()
    # A thief who has the invitation, and knows the certified recovery key; a proof of another request; none at all.
    thief = ask(good, proof(good, nacl.public.PrivateKey.generate()))
    other = ask(good, proof(body(curve_key=bytes(nacl.public.PrivateKey.generate().public_key))))
    for refused, text in ((thief, "not the recovery secret"), (other, "not the recovery secret"),
                          (ask(good, b""), "of another size"), (ask(body(recovers=False, site=member.site), b""), "--recover"),
                          (ask(body(site=site_id(pantin)), proof(good)), "an id or a key")):
        assert not refused.admitted and text in refused.text and not refused.keys, refused.text
    assert authority_position(hub) == position

    reply = ask(good, proof(good))
    assert reply.admitted and authority_position(hub) == position + 1
    for raw in reply.authority:
        member.take(raw)
    certified = member.members[site_id(pantin)]
    assert (certified.name, certified.anew, certified.recovery_key) == ("pantin", True, bytes(recovery.public_key))
    assert certified.sign_key == bytes(member.sign_key.verify_key)
    logs = set()
    for key in reply.keys:
        assert len(key) == 152
        log = (key[24:40], key[:16], int.from_bytes(key[16:24], "little"))
        content = nacl.public.SealedBox(recovery).decrypt(key[72:])
        assert sealed.key_id(content, log) == key[40:72]
        logs.add(log[:2])
    own = site_id(pantin)
    group = next(scope for scope, _ in logs if scope != own)
    assert logs == {(own, own), (group, own), (group, site_id(vitry))}
