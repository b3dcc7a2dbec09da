"""What people are told, in French and in English: chosen by the environment, on a machine that has no French locale."""
import json
import os
import re
import subprocess

import pytest

from network import BUILD, REPOSITORY, Site

FRENCH = {"LANG": "fr_FR.UTF-8"}
SCHEMA = """
CREATE TABLE person (id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL DEFAULT '');
INSERT INTO navette_table(name, scope) VALUES ('person', 'network');
"""


def said(*arguments, home=None, codes=(0,), program=BUILD / "navette", **environment):
    """What `navette` prints, and what it complains of, with nothing in the environment that says a language but these."""
    clean = {name: value for name, value in os.environ.items() if name != "LANG" and name[:3] != "LC_" and
             name != "LANGUAGE"}
    done = subprocess.run([program, *(["--home", home] if home else []), *arguments], capture_output=True, timeout=60,
                          stdin=subprocess.DEVNULL, env={**clean, **environment})
    assert done.returncode in codes, done
    return done.stdout.decode(), done.stderr.decode()


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A hub whose daemon does not run."""
    folder = tmp_path_factory.mktemp("french")
    site = Site(folder / "hub", "hub")
    site.cli("init", "hub", "--hub", "--listen", "tcp://127.0.0.1:*")
    (folder / "schema.sql").write_text(SCHEMA)
    site.cli("schema", "apply", folder / "schema.sql")
    return site


# ---- which language --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("environment", [
    {"LANG": "fr_FR.UTF-8"}, {"LANG": "fr"}, {"LANG": "fr_CA"}, {"LC_MESSAGES": "fr_FR.UTF-8", "LANG": "C"},
    {"LC_ALL": "fr_FR.UTF-8", "LC_MESSAGES": "C", "LANG": "C"}, {"LC_ALL": "", "LANG": "fr_FR.UTF-8"},
    {"LANG": "fr_FR.UTF-8", "LANGUAGE": "de"}])
def test_french_where_it_is_asked_for(hub, environment):
    assert said("conflicts", home=hub.home, **environment)[0] == "Aucun conflit n'est ouvert.\n"


@pytest.mark.parametrize("environment", [
    {}, {"LANG": "C"}, {"LANG": "en_GB.UTF-8"}, {"LANG": "en_GB.UTF-8", "LANGUAGE": "fr"}, {"LANG": "de_DE.UTF-8"},
    {"LC_ALL": "C", "LANG": "fr_FR.UTF-8"}])
def test_english_otherwise(hub, environment):
    assert said("conflicts", home=hub.home, **environment)[0] == "No conflict is open.\n"


# ---- what is said ----------------------------------------------------------------------------------------------------

def test_status(hub):
    hub.cli("put", "person", "p1", "name=Ada Exemple")
    assert said("status", home=hub.home, **FRENCH)[0].splitlines()[:2] == [
        "navetted est arrêté\u00a0: vous pouvez continuer, tout sera envoyé quand il tournera", "1 modification en attente"]
    hub.cli("put", "person", "p2")
    assert "2 modifications en attente\n" in said("status", home=hub.home, **FRENCH)[0]
    assert "2 changes wait to be sent\n" in said("status", home=hub.home, LANG="en_GB.UTF-8")[0]


def test_errors(hub, tmp_path):
    error = said("get", "person", "nobody", home=hub.home, codes=(1,), **FRENCH)[1]
    assert error == "navette: person n'a pas de fiche avec cette clé\n"
    assert said("get", "person", codes=(2,), **FRENCH)[1] == \
        "navette: il manque des arguments\u00a0: usage\u00a0: navette get TABLE KEY\n"
    assert "il n'y a pas de site dans %s" % tmp_path in said("status", home=tmp_path, codes=(1,), **FRENCH)[1]
    # From the store, a clause within a sentence.
    (tmp_path / "odd.sql").write_text("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT);\n"
                                      "INSERT INTO navette_table(name, scope) VALUES ('t', 'network');\n")
    error = said("schema", "apply", tmp_path / "odd.sql", home=hub.home, codes=(3,), **FRENCH)[1]
    assert error.startswith("navette: table t\u00a0: sa clé, la colonne id, est un nombre, et deux sites donneraient")
    # From reading what others made, a part that was never parted from its sentence.
    error = said("join", "navette1:x", home=hub.home, codes=(3,), **FRENCH)[1]
    assert error.startswith("navette: l'invitation est abîmée\u00a0:")


def test_a_full_set_of_help():
    """Nothing of the help is left in English: every command's summary is another one in French, and so is all about it."""
    english, french = (said("help", **environment)[0].splitlines() for environment in ({}, FRENCH))
    assert french[0] == "Usage\u00a0: navette [--home DIR] [--json] COMMAND"
    assert len(english) == len(french)
    usage = re.compile(r"  [a-z]+( |$)")
    for before, after in zip(english, french):
        if before != "" and before != "Options":
            assert (before == after) == (usage.match(before) is not None), (before, after)
    assert said("status", "--help", **FRENCH)[0] == \
        "Usage\u00a0: navette [--home DIR] [--json] status [--watch]\nDit en mots où en est ce site.\n"


def test_what_the_hub_answers_is_said_in_french(network):
    """The hub's daemon speaks English to all; who joins reads it in French."""
    hub = network.add_hub()
    invitation = network.invitation("pantin")
    for name in ("pantin", "other"):
        said("init", name, home=network.folder / name, **FRENCH)
    told = said("join", invitation, home=network.folder / "pantin", **FRENCH)[0]
    assert told.startswith("Ce site, pantin, est maintenant dans le réseau, qui compte 2 sites.\n\nNotez ce qui suit")
    assert said("join", invitation, home=network.folder / "other", codes=(3,), **FRENCH)[1] == \
        "navette: le site central n'a pas admis ce site\u00a0: cette invitation a été utilisée par un autre site\u00a0: " \
        "demandez-en une nouvelle\n"
    assert "ready: " in hub.stderr() and "prêt" not in hub.stderr()


# ---- what programs read ----------------------------------------------------------------------------------------------

def test_json_is_the_same_in_every_language(hub, tmp_path):
    hub.cli("put", "person", "p3", "name=Été")
    for arguments in (("members",), ("schema", "show"), ("list", "person"), ("get", "person", "p3"), ("digest",),
                      ("conflicts",), ("quarantine",), ("verify", "--deep"), ("peers",),
                      ("schema", "apply", tmp_path.parent / "none.sql"), ("get", "person", "nobody"), ("get",),
                      ("status", "--odd"), ("nothing",)):
        english, french = (said("--json", *map(str, arguments), home=hub.home, codes=(0, 1, 2, 3), **environment)
                           for environment in ({"LANG": "C"}, FRENCH))
        assert english == french, arguments
        json.loads(english[0] or english[1])
    error = json.loads(said("get", "person", "nobody", "--json", home=hub.home, codes=(1,), **FRENCH)[1])["error"]
    assert error == {"status": "not_found", "text": "person has no record with that key"}


# ---- where the catalogue is ------------------------------------------------------------------------------------------

def test_an_installed_program_finds_its_catalogue(hub, tmp_path):
    subprocess.run(["make", "--no-print-directory", "install", "BUILD=%s" % BUILD, "DESTDIR=%s" % tmp_path, "PREFIX=/usr"],
                   cwd=REPOSITORY, check=True, capture_output=True, timeout=600)
    program = tmp_path / "usr/bin/navette"
    catalogue = tmp_path / "usr/share/locale/fr/LC_MESSAGES/navette.mo"
    assert said("conflicts", home=hub.home, program=program, **FRENCH)[0] == "Aucun conflit n'est ouvert.\n"
    catalogue.unlink()
    assert said("conflicts", home=hub.home, program=program, **FRENCH)[0] == "No conflict is open.\n"
