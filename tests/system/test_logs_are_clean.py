"""What daemons and commands say, and the names of their files, hold nothing of what a record holds, and no key."""
import os

from network import wait_until
from schemas import PEOPLE

# Values that occur nowhere else, so that finding one means that it was taken from a record.
KEY, NAME, PHONE, TOWN, OTHER = "kq7wzx-learner", "Zébulon Quartzfeather", "0699887766", "Xyzzyville", "0611223344"
SECRETS = [KEY, NAME, "Quartzfeather", PHONE, TOWN, OTHER]


def test_no_personal_value_in_what_daemons_say(network):
    network.add_hub(PEOPLE)
    here, there = network.add_schools("here", "there")
    here.sql("INSERT INTO person(id, name, phone, town) VALUES ('%s', '%s', '%s', '%s');" % (KEY, NAME, PHONE, TOWN))
    network.converge()

    # A conflict, an answer, a delete, a rebuilt table, a value that a column cannot hold, a kill, a store that is wrong.
    there.line.cut()
    here.sql("UPDATE person SET phone = '%s' WHERE id = '%s';" % (OTHER, KEY))
    there.sql("UPDATE person SET phone = '%s.', visits = '%s' WHERE id = '%s';" % (PHONE, TOWN, KEY))
    there.line.heal()
    network.converge()
    spoken = [there.run("resolve", "person", KEY, "phone", "--take", "1", codes=(0, 1, 3)).stderr]
    spoken.append(here.run("resolve", "person", KEY, "town", "--take", "1", codes=(1, 3)).stderr)
    network.converge()
    there.sql("BEGIN; CREATE TABLE keep AS SELECT * FROM person; DELETE FROM person;"
              "INSERT INTO person SELECT * FROM keep; DROP TABLE keep; COMMIT;")
    network.hub.kill()
    network.hub.start()
    here.sql("DELETE FROM person WHERE id = '%s';" % KEY)
    network.converge()
    here.stop()
    with here.connection() as connection:
        connection.execute("UPDATE navette_changeset SET body = body || x'00'"
                           " WHERE number = (SELECT max(number) FROM navette_changeset)")
    spoken.append(here.run("verify", codes=(1,)).stderr)
    here.start()
    wait_until(lambda: here.endpoint() or here.process.poll() is None, "started")
    there.sql("INSERT INTO person(id, name) VALUES ('%s', '%s');" % (KEY, NAME))
    network.converge(network.hub, there)

    for site in network.sites:
        spoken.append(site.stderr(10**8))
        names = [name for _, folders, files in os.walk(site.home) for name in (*folders, *files)]
        spoken.append("\n".join(names))
    hexadecimal = [value.encode().hex() for value in SECRETS]
    secret_keys = [file.read_text().strip() for site in network.sites for file in (site.home / "keys").iterdir()]
    assert secret_keys
    for text in spoken:
        for value in (*SECRETS, *hexadecimal, *secret_keys):
            assert value.lower() not in text.lower(), "found %r in: %s" % (value, text[:2000])


def test_keys_and_store_are_for_their_owner_alone(network):
    network.add_hub(PEOPLE)
    school, = network.add_schools("school")
    for site in (network.hub, school):
        for file in (site.home / "keys").iterdir():
            assert file.stat().st_mode & 0o077 == 0, file
        assert (site.home / "keys").stat().st_mode & 0o077 == 0
        raw = site.store.read_bytes()
        for file in (site.home / "keys").iterdir():
            key = file.read_text().strip()
            assert key.encode() not in raw and bytes.fromhex(key) not in raw, "a key is in the store"
