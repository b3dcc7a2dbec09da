"""The command line: what it prints, what it refuses, and with which exit code."""
import json
import os
import pathlib
import re
import sqlite3
import stat
import subprocess

import pytest

from network import BUILD, Site, wait_until
from schemas import PEOPLE

NAVETTE = BUILD / "navette"

SCHEMA = PEOPLE + """
CREATE TABLE visit (
    id   TEXT NOT NULL PRIMARY KEY DEFAULT (lower(hex(randomblob(8)))),
    day  TEXT NOT NULL DEFAULT '',
    note BLOB
);
CREATE TABLE pair (
    one TEXT NOT NULL, two INTEGER NOT NULL, value REAL,
    PRIMARY KEY (one, two)
);
INSERT INTO navette_table(name, scope) VALUES ('visit', 'network'), ('pair', 'network');
"""


def navette(*arguments, home=None, codes=(0,), **environment):
    command = [NAVETTE, *(["--home", home] if home else []), *map(str, arguments)]
    environment = {**os.environ, "LC_ALL": "C.UTF-8", **environment}
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, env=environment)
    assert done.returncode in codes, (command, done)
    return done.stdout.decode("utf-8", "surrogateescape"), done.stderr.decode("utf-8", "surrogateescape")


@pytest.fixture
def hub(tmp_path):
    """A hub whose daemon does not run: the command line works on the store alone."""
    site = Site(tmp_path / "hub", "hub")
    site.cli("init", "hub", "--hub", "--listen", "tcp://127.0.0.1:*")
    schema = tmp_path / "schema.sql"
    schema.write_text(SCHEMA)
    site.cli("schema", "apply", schema)
    return site


# ---- the program itself ----------------------------------------------------------------------------------------------

def test_usage():
    usage, _ = navette("help")
    assert usage == navette("--help")[0]
    for command in ("init", "invite", "join", "members", "revoke", "group", "schema apply", "schema show", "get", "list",
                    "put", "rm", "status", "peers", "conflicts", "resolve", "history", "verify", "digest", "rebuild"):
        assert "\n  %s " % command in usage.replace("\n      ", " \n      "), command
        assert command in navette(*command.split(), "--help")[0].splitlines()[0]
    assert re.fullmatch(r"navette \d+\.\d+\.\d+\n", navette("--version")[0])


@pytest.mark.parametrize("arguments", [
    (), ("frob",), ("schema",), ("get", "person"), ("init", "a", "b"), ("list", "person", "--limit", "none"),
    ("init", "a", "--nope"), ("init", "a", "--listen"), ("init", "a", "--listen", "here"), ("init", ""),
    ("init", "a", "--enrol", "tcp://127.0.0.1:1"), ("init", "a", "--reader"), ("group",), ("group", "a", "--add"),
    ("revoke",), ("init", "bad\nname"), ("resolve", "person", "k", "name"),
    ("resolve", "person", "k", "name", "--take", "1", "--null"), ("init", "a", "--hub=yes")])
def test_wrong_usage(tmp_path, arguments):
    out, err = navette(*arguments, home=tmp_path / "home", codes=(2,))
    assert out == "" and err.startswith("navette: ") and err.count("\n") == 1
    error = json.loads(navette("--json", *arguments, home=tmp_path / "home", codes=(2,))[1])["error"]
    assert error["status"] == "usage" and len(error["text"]) > 10
    assert not (tmp_path / "home").exists()


def test_options_stand_before_or_after_the_command(hub):
    want = navette("--home", hub.home, "--json", "members")[0]
    assert navette("members", "--json", "--home", hub.home)[0] == want
    assert navette("members", "--home=%s" % hub.home, "--json")[0] == want
    assert navette("members", "--json", NAVETTE_HOME=str(hub.home))[0] == want


def test_no_home(tmp_path):
    _, err = navette("status", home=tmp_path / "none", codes=(1,))
    assert "init" in err


# ---- init ------------------------------------------------------------------------------------------------------------

def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_init_makes_a_home(tmp_path):
    home = tmp_path / "school"
    made = json.loads(navette("--json", "init", "école", home=home)[0])
    assert (made["name"], made["role"], made["listen"]) == ("école", "site", None)
    assert "recovery_secret" not in made
    assert mode(home) == 0o700 and mode(home / "keys") == 0o700
    assert sorted(path.name for path in (home / "keys").iterdir()) == ["curve.key", "sign.key"]
    assert all(mode(path) == 0o600 for path in (home / "keys").iterdir())
    assert sorted(path.name for path in home.iterdir()) == ["keys", "navette.conf", "store.db"]
    state = json.loads(navette("--json", "status", home=home)[0])
    assert (state["state"], state["network"], state["name"]) == ("no_network", None, "école")
    navette("members", home=home, codes=(1,))
    navette("get", "person", "p1", home=home, codes=(1,))


def test_init_of_a_hub(tmp_path):
    home = tmp_path / "hub"
    made = json.loads(navette("--json", "init", "hub", "--hub", home=home)[0])
    assert made["listen"] == "tcp://0.0.0.0:7420" and made["enrol"] == "tcp://0.0.0.0:7421"
    assert re.fullmatch(r"tcp://[^0*][^:]*:7420", made["advertise"])
    assert re.fullmatch(r"([0-9a-f]{4}-){15}[0-9a-f]{4}", made["recovery_secret"])
    assert {path.name for path in (home / "keys").iterdir()} == {
        "sign.key", "curve.key", "authority.key", "successor.key"}
    # The secret is stored nowhere.
    secret = made["recovery_secret"].replace("-", "")
    for path in home.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert bytes.fromhex(secret) not in data and secret.encode() not in data, path
    members = json.loads(navette("--json", "members", home=home)[0])
    assert [(m["name"], m["role"], m["own"], m["endpoint"]) for m in members] == [
        ("hub", "hub", True, made["advertise"])]
    settings = (home / "navette.conf").read_text()
    assert "listen = tcp://0.0.0.0:7420\n" in settings and "enrol = tcp://0.0.0.0:7421\n" in settings


def test_init_overwrites_nothing(tmp_path):
    home = tmp_path / "school"
    navette("init", "one", home=home)
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    _, err = navette("init", "two", home=home, codes=(3,))
    assert "already" in err
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def test_a_half_made_home_is_explained(tmp_path):
    home = tmp_path / "school"
    navette("init", "one", home=home)
    (home / "store.db").unlink()
    _, err = navette("init", "one", home=home, codes=(3,))
    assert "not finished" in err and "remove" in err


def test_an_init_that_fails_leaves_nothing(tmp_path):
    home = tmp_path / "none" / "school"
    navette("init", "one", home=home, codes=(4,))
    assert not home.parent.exists()


# ---- invite ----------------------------------------------------------------------------------------------------------

def test_invite(hub, tmp_path):
    # The port is the kernel's choice, and the daemon has not chosen one.
    _, err = navette("invite", "pantin", home=hub.home, codes=(4,))
    assert "start" in err
    (hub.home / "endpoints").write_text("listen tcp://127.0.0.1:4000\nenrol tcp://127.0.0.1:4001\n")
    made = json.loads(navette("--json", "invite", "pantin", "--days", "3", home=hub.home)[0])
    assert made["invitation"].startswith("navette1:") and made["endpoint"] == "tcp://127.0.0.1:4001"
    assert navette("invite", "poissy", home=hub.home)[0].startswith("navette1:")
    navette("invite", "hub", home=hub.home, codes=(3,))
    navette("invite", "vitry", "--role", "king", home=hub.home, codes=(2,))
    # A site that is no hub has no key to invite with.
    navette("init", "school", home=tmp_path / "school")
    navette("invite", "vitry", home=tmp_path / "school", codes=(3,))
    # Nobody answers there; a lost character is noticed.
    broken = made["invitation"][:-8] + ("A" if made["invitation"][-8] != "A" else "B") + made["invitation"][-7:]
    navette("join", broken, home=tmp_path / "school", codes=(3,))


# ---- records ---------------------------------------------------------------------------------------------------------

def test_put_get_list_rm(hub):
    assert hub.cli("put", "person", "p1", "name=Ada Exemple", "visits=3", "phone=") == {
        "table": "person", "key": "p1", "created": True}
    assert hub.cli("put", "person", "p1", "town=Pantin", "referent=@@home")["created"] is False
    found = hub.cli("get", "person", "p1")
    assert found == {"table": "person", "key": "p1", "conflicts": [], "fields": {
        "name": "Ada Exemple", "phone": "", "town": "Pantin", "visits": 3, "first_day": None, "referent": "@home",
        "seen": None}}
    assert hub.query("SELECT name, visits, typeof(visits), phone FROM person") == [("Ada Exemple", 3, "integer", "")]
    hub.cli("put", "person", "p1", "town=@null", "visits=4")
    hub.cli("put", "person", "p2", "name=Bo Exemple")
    assert [row["key"] for row in hub.cli("list", "person")] == ["p1", "p2"]
    assert [row["key"] for row in hub.cli("list", "person", "town=@null", "visits=4")] == ["p1"]
    assert [row["key"] for row in hub.cli("list", "person", "id=p2")] == ["p2"]
    assert [row["key"] for row in hub.cli("list", "person", "--limit", "1")] == ["p1"]
    hub.cli("rm", "person", "p2")
    hub.cli("rm", "person", "p2", codes=(1,))
    hub.cli("get", "person", "p2", codes=(1,))
    assert hub.cli("list", "person", "name=Bo Exemple") == []
    # Captured as any other program's writes are.
    assert hub.pending() == 5


def test_put_makes_a_key_where_the_table_does(hub):
    made = hub.cli("put", "visit", "day=2024-05-01", "note=@hex:00ff")
    assert made["created"] is True and re.fullmatch("[0-9a-f]{16}", made["key"])
    assert hub.cli("get", "visit", made["key"])["fields"] == {"day": "2024-05-01", "note": {"blob": "00ff"}}
    assert re.fullmatch("[0-9a-f]{16}\n", hub.run("put", "visit").stdout)
    assert hub.cli("put", "visit", "id=mine", "day=x")["key"] == "mine"
    hub.cli("put", "visit", "id=mine", codes=(3,))
    hub.cli("put", "visit", "mine", "id=other", codes=(2,))
    # A misspelt field makes no record of that name; a key with an equals sign has a backslash before it.
    hub.cli("put", "visit", "dya=2024-05-01", codes=(1,))
    assert hub.cli("put", "visit", "\\a=b", "day=y")["key"] == "a=b"
    assert hub.cli("get", "visit", "a=b")["fields"]["day"] == "y"


def test_a_key_of_two_columns(hub):
    assert hub.cli("put", "pair", "a\\/b/07", "value=1")["key"] == "a\\/b/7"
    assert hub.query("SELECT one, two, value, typeof(value) FROM pair") == [("a/b", 7, 1.0, "real")]
    assert hub.cli("get", "pair", "a\\/b/7")["fields"] == {"value": 1.0}
    _, err = navette("get", "pair", "a", home=hub.home, codes=(3,))
    assert "one/two" in err
    hub.cli("rm", "pair", "a\\/b/7")
    assert hub.query("SELECT count(*) FROM pair") == [(0,)]


@pytest.mark.parametrize("arguments, codes", [
    (("put", "nothing", "k", "a=b"), (1,)), (("put", "person", "k", "nope=b"), (1,)), (("put", "person", "k", "bare"), (2,)),
    (("put", "person", "k", "name=a", "name=b"), (2,)), (("put", "person", "k", "name=@x"), (2,)),
    (("put", "person", "k", "name=@hex:0"), (2,)), (("put", "person", "k", "name=@null"), (3,)),
    (("list", "person", "nope=1"), (1,)), (("get", "person", "x'0'"), (3,)), (("put", "person", "name=a"), (3,))])
def test_wrong_records(hub, arguments, codes):
    out, err = navette(*arguments, home=hub.home, codes=codes)
    assert out == "" and err.startswith("navette: ")
    assert hub.query("SELECT count(*) FROM person") == [(0,)] and hub.pending() == 0


def test_values_cannot_drive_a_terminal(hub):
    hostile = "\x1b[2Jred\u202eevil\u0085\r\n\x7f"
    hub.write("INSERT INTO person(id, name, phone) VALUES (?, ?, CAST(x'61ff1b62' AS TEXT))", "k\x1b[2J", hostile)
    for arguments in (("list", "person"), ("get", "person", "t'6b1b5b324a'")):
        out, _ = navette(*arguments, home=hub.home)
        shown = out.replace("\n", "")
        assert shown.isprintable(), repr(shown)
        assert "\\x1b[2Jred\\u{202e}evil\\u{85}\\r\\n\\x7f" in shown and "a\\xff\\x1bb" in shown
    row = hub.cli("list", "person")[0]
    assert row["key"] == "t'6b1b5b324a'"
    assert row["fields"]["name"] == hostile and row["fields"]["phone"] == {"text_hex": "61ff1b62"}


def test_numbers_are_exact_in_json(hub):
    hub.write("INSERT INTO pair(one, two, value) VALUES ('a', 9223372036854775807, 0.1)")
    hub.write("INSERT INTO pair(one, two, value) VALUES ('b', -9223372036854775808, 1e308)")
    hub.write("INSERT INTO pair(one, two, value) VALUES ('c', 3, 9e999)")
    rows = hub.cli("list", "pair")
    assert [row["key"] for row in rows] == ["a/9223372036854775807", "b/-9223372036854775808", "c/3"]
    assert [row["fields"]["value"] for row in rows] == [0.1, 1e308, {"real": "inf"}]
    assert [hub.cli("get", "pair", row["key"])["fields"] for row in rows] == [row["fields"] for row in rows]


def test_labels_are_in_the_readers_language(hub):
    hub.cli("put", "person", "p1", "name=Ada Exemple")
    assert "Prénom" not in navette("get", "person", "p1", home=hub.home)[0]
    assert "Venues" in navette("get", "person", "p1", home=hub.home, LC_ALL="fr_FR.UTF-8")[0]
    assert "Visits" in navette("get", "person", "p1", home=hub.home, LC_ALL="en_GB.UTF-8")[0]


def test_a_long_table_is_listed_whole(hub):
    with hub.connection() as connection:
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO person(id, name) VALUES (?, ?)",
                               [("k%05d" % i, "Number %d" % i) for i in range(3000)])
        connection.execute("COMMIT")
    assert len(hub.cli("list", "person")) == 3000
    lines = hub.run("list", "person").stdout.splitlines()
    assert len(lines) == 3001 and lines[0].split()[:2] == ["id", "name"] and lines[3000].startswith("k02999")


def test_a_write_waits_for_another_writer_and_then_gives_up(hub):
    with hub.connection() as connection:
        connection.execute("BEGIN IMMEDIATE")
        _, err = navette("put", "person", "p1", "name=a", home=hub.home, codes=(4,))
        assert "another program" in err
        connection.execute("ROLLBACK")
    hub.cli("put", "person", "p1", "name=a")


def test_a_record_that_vanished_is_deleted_by_a_persons_word(hub):
    hub.start().wait_for_endpoint()
    hub.cli("put", "person", "p1", "name=Ada Exemple")
    hub.cli("put", "person", "p2", "name=Bo Exemple")
    wait_until(lambda: hub.pending() == 0, "sealed")
    # A tool that rebuilds a table drops its triggers, and loses a row on the way.
    hub.sql("BEGIN; CREATE TABLE copy AS SELECT * FROM person WHERE id <> 'p1'; DROP TABLE person; "
            "CREATE TABLE person (id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL DEFAULT '', phone TEXT, town TEXT, "
            "visits INTEGER NOT NULL DEFAULT 0, first_day TEXT, referent TEXT, seen INTEGER); "
            "INSERT INTO person SELECT * FROM copy; DROP TABLE copy; COMMIT;")
    try:
        def missing():
            return hub.cli("status", codes=(0, 1))["missing"]
        wait_until(missing, "the row is found missing")
        assert [(one["table"], one["key"]) for one in missing()] == [("person", "p1")]
        assert hub.run("status", codes=(1,)).stdout.count("person p1") == 1
        assert hub.cli("rm", "person", "p1")["was_missing"] is True
        wait_until(lambda: missing() == [], "it is no longer missing")
        wait_until(lambda: hub.history("person", "p1")[-1]["kind"] == "delete", "the deletion is sealed")
    finally:
        hub.stop()


# ---- schema ----------------------------------------------------------------------------------------------------------

def test_schema(hub, tmp_path):
    shown = {table["name"]: table for table in hub.cli("schema", "show")}
    assert set(shown) == {"person", "visit", "pair"}
    assert shown["person"]["key"] == [{"name": "id", "type": "TEXT"}]
    visits = next(field for field in shown["person"]["fields"] if field["name"] == "visits")
    assert visits == {"name": "visits", "type": "INTEGER", "not_null": True, "rule": "max", "quiet": False,
                      "label_fr": "Venues", "label_en": "Visits"}
    assert "first_day" in hub.run("schema", "show").stdout

    file = tmp_path / "more.sql"
    file.write_text("CREATE TABLE note (id TEXT NOT NULL PRIMARY KEY, text TEXT);"
                    "INSERT INTO navette_table(name, scope) VALUES ('note', 'network');")
    assert hub.cli("schema", "apply", file, "--dry-run")["published"] is False
    assert "note" not in {table["name"] for table in hub.cli("schema", "show")}
    assert hub.cli("schema", "apply", file)["published"] is True
    assert "note" in {table["name"] for table in hub.cli("schema", "show")}
    file.write_text("CREATE TABLE bad (id INTEGER PRIMARY KEY);"
                    "INSERT INTO navette_table(name, scope) VALUES ('bad', 'network');")
    _, err = navette("schema", "apply", file, home=hub.home, codes=(3,))
    assert "bad" in err
    navette("schema", "apply", tmp_path / "none.sql", home=hub.home, codes=(3,))
    navette("init", "school", home=tmp_path / "school")
    navette("schema", "apply", file, home=tmp_path / "school", codes=(3,))


# ---- status ----------------------------------------------------------------------------------------------------------

def test_status_in_words(hub):
    hub.cli("put", "person", "p1", "name=Ada Exemple")
    assert hub.cli("status")["pending"] == 1
    english, french = (navette("status", home=hub.home, LC_ALL=language)[0] for language in ("C.UTF-8", "fr_FR.UTF-8"))
    assert "1 change waits to be sent" in english and "you can go on working" in english
    assert "1 modification en attente" in french and "vous pouvez continuer" in french
    told = [json.loads(navette("--json", "status", home=hub.home, LC_ALL=language)[0]) for language in ("C", "fr_FR.UTF-8")]
    assert all(one.pop("free_bytes") > 0 for one in told)  # the disk is not ours alone
    assert told[0] == told[1]


def test_status_watch_shows_it_again_and_again(hub):
    watching = subprocess.Popen([NAVETTE, "--home", hub.home, "--json", "status", "--watch"], stdout=subprocess.PIPE)
    try:
        assert json.loads(watching.stdout.readline())["pending"] == 0
        hub.cli("put", "person", "p1", "name=Ada Exemple")
        wait_until(lambda: json.loads(watching.stdout.readline())["pending"] == 1, "the next one tells it", pause=0)
    finally:
        watching.kill()
        watching.wait()


def test_a_network_seen_from_the_command_line(network):
    network.add_hub(PEOPLE)
    (pantin,) = network.add_schools("pantin")
    pantin.cli("put", "person", "p1", "name=Ada Exemple", "phone=01")
    network.converge()
    assert {member["name"]: member["role"] for member in pantin.cli("members")} == {"hub": "hub", "pantin": "site"}
    _, err = navette("join", network.invitation("vitry"), home=pantin.home, codes=(3,))
    assert "already" in err

    wait_until(lambda: pantin.cli("status")["state"] == "up_to_date", "Pantin is up to date")
    assert "Up to date (just now)" in navette("status", home=pantin.home)[0]
    assert "À jour (à l'instant)" in navette("status", home=pantin.home, LC_ALL="fr_FR.UTF-8")[0]
    assert "hub" in pantin.run("peers").stdout

    pantin.line.cut()
    wait_until(lambda: pantin.cli("status")["state"] == "offline", "Pantin is offline")
    assert "Offline for" in navette("status", home=pantin.home)[0]
    network.hub.cli("put", "person", "p1", "phone=02")
    pantin.cli("put", "person", "p1", "phone=03", "town=Pantin")
    pantin.cli("put", "person", "p2", "name=O'Brian Exemple")
    network.converge(network.hub)
    wait_until(lambda: pantin.pending() == 0, "sealed")
    pantin.line.heal()
    network.converge()

    (conflict,) = pantin.cli("conflicts", codes=(1,))
    assert (conflict["table"], conflict["key"], conflict["field"], conflict["kind"]) == (
        "person", "p1", "phone", "values")
    assert [(one["choice"], one["value"], one["site"], one["shown"]) for one in conflict["values"]] == [
        (1, "02", "hub", False), (2, "03", "pantin", True)]
    assert pantin.cli("get", "person", "p1")["conflicts"] == [conflict]
    text = navette("conflicts", home=pantin.home, codes=(1,))[0]
    assert "navette resolve person p1 phone --take N" in text
    assert pantin.cli("status", codes=(1,))["conflicts"] == 1
    assert "1 conflit à régler" in navette("status", home=pantin.home, codes=(1,), LC_ALL="fr_FR.UTF-8")[0]

    pantin.cli("resolve", "person", "p1", "phone", "--take", "3", codes=(1,))
    pantin.cli("resolve", "person", "p1", "nope", "--take", "1", codes=(1,))
    pantin.cli("resolve", "person", "p1", "-", "--take", "1", codes=(1,))
    pantin.cli("resolve", "person", "p1", "-", "--null", codes=(2,))
    pantin.cli("resolve", "person", "p1", "phone", "--null")
    network.converge()
    assert network.hub.cli("conflicts") == [] and network.hub.cli("get", "person", "p1")["fields"]["phone"] is None
    assert network.hub.run("conflicts").stdout == "No conflict is open.\n"

    history = network.hub.history("person", "p1")
    assert [(one["site"], one["kind"], one["fields"].get("phone")) for one in history][0] == ("pantin", "put", "01")
    assert sorted(str(one["fields"].get("phone")) for one in history) == ["01", "02", "03", "None"]
    assert "phone=03" in network.hub.run("history", "person", "p1").stdout
    network.hub.cli("history", "person", "none", codes=(1,))

    verified = network.hub.cli("verify", "--deep")
    assert verified["bad"] == 0 and verified["file"] == "ok" and verified["logs"] >= 3
    assert network.hub.cli("rebuild")["records"] == 2
    assert network.hub.run("digest").stdout == pantin.run("digest").stdout


def test_a_deleted_record_that_was_edited(network):
    network.add_hub(PEOPLE)
    (pantin,) = network.add_schools("pantin")
    for key in ("p1", "p2"):
        pantin.cli("put", "person", key, "name=Ada Exemple", "phone=01")
    network.converge()
    pantin.line.cut()
    for key in ("p1", "p2"):
        network.hub.cli("rm", "person", key)
        pantin.cli("put", "person", key, "phone=02")
    network.converge(network.hub)
    wait_until(lambda: pantin.pending() == 0, "sealed")
    pantin.line.heal()
    network.converge()
    conflicts = pantin.cli("conflicts", codes=(1,))
    assert [(one["key"], one["field"], one["kind"], one["deleted_by"], one["values"]) for one in conflicts] == [
        ("p1", None, "deleted", "hub", []), ("p2", None, "deleted", "hub", [])]
    assert "navette resolve person p1 - --take 1" in pantin.run("conflicts", codes=(1,)).stdout
    pantin.cli("resolve", "person", "p1", "-", "--take", "1")
    pantin.cli("resolve", "person", "p2", "-", "--take", "2")
    network.converge()
    for site in network.sites:
        assert site.cli("conflicts") == []
        assert site.query("SELECT id, name, phone FROM person") == [("p1", "Ada Exemple", "02")]


def test_joining_again_after_a_lost_answer_gives_the_same_recovery_secret(network):
    hub = network.add_hub(PEOPLE)
    school = Site(network.folder / "vitry", "vitry")
    school.cli("init", "vitry")
    invitation = network.invitation("vitry")
    before = {path: path.read_bytes() for path in school.home.glob("store.db*")}
    first = school.cli("join", invitation)
    # The answer never came: the store is as it was.
    for path in school.home.glob("store.db*"):
        path.unlink()
    for path, content in before.items():
        path.write_bytes(content)
    assert school.cli("status")["network"] is None
    second = school.cli("join", invitation)
    assert second["recovery_secret"] == first["recovery_secret"]
    with sqlite3.connect(hub.store) as connection:
        (certified,) = connection.execute("SELECT recovery_key FROM navette_member WHERE name = 'vitry'").fetchone()
    from nacl.public import PrivateKey
    assert bytes(PrivateKey(bytes.fromhex(first["recovery_secret"].replace("-", ""))).public_key) == certified
    # Nor may another site use it.
    other = Site(network.folder / "other", "other")
    other.cli("init", "other")
    other.cli("join", invitation, codes=(3,))


def test_joining_while_the_hub_is_away(network):
    network.add_hub(PEOPLE)
    invitation = network.invitation("vitry")
    network.hub.stop()
    school = Site(network.folder / "vitry", "vitry")
    school.cli("init", "vitry")
    _, err = navette("join", invitation, home=school.home, codes=(4,))
    assert err.startswith("navette: ")


def test_the_manual_knows_every_command():
    manual = (pathlib.Path(__file__).resolve().parents[2] / "deploy" / "man" / "navette.1").read_text()
    for line in navette("help")[0].splitlines():
        found = re.match(r"  ([a-z]+(?: [a-z]+)?)(?: |$)", line)
        if found and not line.startswith("   "):
            assert ".It Ic %s" % found.group(1) in manual, line
