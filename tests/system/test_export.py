"""Export: a spreadsheet opens it right and it comes back unchanged; a person gets all that is held on them."""
import csv
import html.parser
import io
import json
import re

import pytest

from network import wait_until
from sheets import SCHEMA, rows, said, write

AWKWARD = ["=1+1", "+33 6 00", "-", "@x", "'=1", "''+", "'plain", "\tx", "\r", " around ", "two\r\nlines\n", 'a "b"; c', "œ€\u00a0",
           "", "0042", "1e5", "31/12/2001", "Oui", "yes", "t'00'", "<b>&amp;\"'</b>"]


def fill(site):
    """A record or more in every table, with text in every column that takes it: what spreadsheets get wrong, words that
    are in no list, keys that should be days and are none."""
    with site.connection() as connection:
        connection.execute("BEGIN")
        tables = [name for (name,) in connection.execute("SELECT name FROM navette_table WHERE published IS NOT NULL")]
        for table in tables:
            columns = connection.execute('PRAGMA table_info("%s")' % table).fetchall()
            for number in range(len(AWKWARD)):
                given = {}
                for place, (_, name, kind, not_null, _, key) in enumerate(columns):
                    if kind == "INTEGER":
                        numbers = [0, -5, 1234567, None] if name == "cents" else [0, 5, 8, None]
                        given[name] = numbers[(number + place) % (3 if not_null else 4)]
                    elif not key and (name.endswith("_on") or name in ("label_from", "label_until")):
                        given[name] = ["2001-12-31", "2024-02-29", None][(number + place) % 3]
                    elif key:
                        given[name] = "%s-%d" % (AWKWARD[(number + place) % 3], number)
                    elif (number + place) % 7 or not_null:
                        given[name] = AWKWARD[(number + place) % len(AWKWARD)]
                given.pop("visible_to", None)
                connection.execute('INSERT INTO "%s"(%s) VALUES (%s)' % (
                    table, ", ".join(given), ", ".join("?" * len(given))), list(given.values()))
        connection.execute("UPDATE learner SET born_on = '2001-12-31', gender = 'F' WHERE rowid % 2")
        connection.execute("UPDATE learner SET phone = CAST(x'00ff' AS TEXT), email = x'0102' WHERE rowid % 5 = 1")
        connection.execute("COMMIT")
    return tables


@pytest.mark.parametrize("language", ["fr_FR.UTF-8", "en_GB.UTF-8", "codes"])
def test_every_table_comes_back_unchanged(network, tmp_path, language):
    hub = network.add_hub(SCHEMA)
    for table in fill(hub):
        path = tmp_path / (table + ".csv")
        options = ["--codes"] if language == "codes" else []
        said(hub, "export", table, "--output", path, *options, language=language)
        assert path.stat().st_mode & 0o777 == 0o600
        before = rows(hub, table)
        assert len(before) == len(AWKWARD)
        out, _ = said(hub, "import", path, "--into", table, language=language)
        said_same = "%d lignes ne changent rien" if language[:2] == "fr" else "%d lines say what stands already"
        assert said_same % len(before) in out, (table, out)
        assert rows(hub, table) == before
        # What is exported in one language is read in the other.
        other = "en_GB.UTF-8" if language[:2] == "fr" else "fr_FR.UTF-8"
        said(hub, "import", path, "--into", table, "--dry-run", "--skip-errors", language=other)


def test_a_spreadsheet_opens_it_right(network, tmp_path):
    hub = network.add_hub(SCHEMA)
    hub.write("INSERT INTO funding VALUES ('blois', 'dev', '2026-09-01', '=cmd', 'c', 100275820, 'esf')")
    out, _ = said(hub, "export", "funding")
    assert out == "\ufeffLieu;Programme;Début;Financeur;Convention;Montant (€);Nature\r\n" \
                  "blois;dev;01/09/2026;'=cmd;c;1002758,20;FSE\r\n"
    out, _ = said(hub, "export", "funding", "--format", "csv", language="C")
    assert out == "\ufeffPlace;Programme;Starts on;Funder;Agreement;Amount (€);Kind\r\n" \
                  "blois;dev;2026-09-01;'=cmd;c;1002758.20;ESF\r\n"
    out, _ = said(hub, "export", "funding", "--codes")
    assert out == "\ufeffplace;programme;starts_on;funder;agreement;cents;kind\r\n" \
                  "blois;dev;2026-09-01;'=cmd;c;100275820;esf\r\n"
    # A key that is empty stands so in the store, and is no key of a new record.
    hub.write("UPDATE funding SET agreement = ''")
    path = tmp_path / "empty.csv"
    hub.run("export", "funding", "--output", path)
    assert hub.cli("import", path, "--into", "funding")["same"] == 1
    hub.write("DELETE FROM funding")
    answer = hub.cli("import", path, "--into", "funding", codes=(3,))
    assert [(one["header"], one["problem"]) for one in answer["problems"]] == [("Agreement", "no_key")]
    path = tmp_path / "x.csv"
    path.write_text("kept")
    assert str(path) in hub.run("export", "funding", "--output", path, codes=(3,)).stderr and path.read_text() == "kept"
    hub.run("export", "funding", "--format", "html", codes=(2,))
    hub.run("export", "funding", "key", "--format", "csv", codes=(2,))
    hub.run("export", "learner", "nobody", "--output", tmp_path / "y", codes=(1,))
    assert not (tmp_path / "y").exists()


PERSON = """
    INSERT INTO learner(id, family_name, given_name, born_on, gender, phone, email, address, commune, qpv, level, months_jobless)
    VALUES ('l1', 'Exemple', 'Ada', '2001-12-31', 'F', '0600000001', 'ada@example.org', '1 rue <Courte>', '41018', 'QN04101', 4, 7);
    INSERT INTO enrolment VALUES ('l1', 'blois', 'dev', '2026-09-01', '2026-05-01', '2026-06-02', '2026-09-03', '2026-10-04',
                                  'dropped_out', 'déménage');
    INSERT INTO attendance VALUES ('l1', 'blois', 'dev', '2026-09-01', '2026-09-05', 'morning', 123, 210, 'project', 'yes');
    INSERT INTO skill_assessment VALUES ('l1', 'blois', 'dev', '2026-09-01', 'html', 'vitrine', 'adapt', '2026-09-06');
    INSERT INTO placement VALUES ('l1', 'blois', 'dev', '2026-09-01', '55210055400021', '2026-09-07', 'pmsmp', '2026-09-08',
                                  '2026-09-09', 'fermeture');
    INSERT INTO certification VALUES ('l1', 'blois', 'dev', '2026-09-01', 'CCP1', '2026-09-10', 'partial', 'bloc 2');
    INSERT INTO follow_up VALUES ('l1', 'blois', 'dev', '2026-09-01', 'M3', 'reached', '2027-01-11', 'employed', 'cdd', 91,
                                  '35600000000048', 'retirée');
    INSERT INTO right_request VALUES ('l1', '2027-02-12', 'access', '2027-02-13');
    INSERT INTO learner(id, family_name, given_name) VALUES ('l2', 'Tiers', 'Autre');
    INSERT INTO enrolment(learner, place, programme, starts_on, reason) VALUES ('l2', 'blois', 'dev', '2026-09-01', 'secret');
"""


class Text(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.text, self.tags = [], []

    def handle_data(self, data):
        self.text.append(data)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))


def test_a_person_gets_all_that_is_held_on_them_and_nothing_of_others(network):
    hub = network.add_hub(SCHEMA)
    hub.sql(PERSON)
    wait_until(lambda: hub.pending() == 0, "all is sealed")
    # What was written before, what was deleted, and what could not be taken is held, too.
    hub.sql("UPDATE learner SET phone = '0600000002' WHERE id = 'l1';"
            "INSERT INTO attendance(learner, place, programme, starts_on, day, half) VALUES "
            "('l1', 'blois', 'dev', '2026-09-01', '2026-09-20', 'afternoon');")
    wait_until(lambda: hub.pending() == 0, "all is sealed")
    hub.sql("DELETE FROM attendance WHERE day = '2026-09-20';")
    wait_until(lambda: hub.pending() == 0, "all is sealed")
    # The key 'l1' as it is encoded: text, of two bytes.
    hub.write("INSERT INTO navette_quarantine(tbl, key, field, reason, value, first_ms, last_ms) "
              "SELECT t.number, x'03026c31', c.field, 'value', 'aside@example.org', 1, 2 FROM navette_table AS t "
              "JOIN navette_column AS c ON c.table_name = t.name AND c.name = 'email' WHERE t.name = 'learner'")

    answer = hub.cli("export", "learner", "l1")
    assert answer["table"] == "learner" and answer["key"] == "l1" and answer["site"] == "hub"
    found = {section["table"]: section["records"] for section in answer["tables"]}
    assert {table: len(records) for table, records in found.items()} == {
        "learner": 1, "enrolment": 1, "attendance": 2, "skill_assessment": 1, "placement": 1, "certification": 1,
        "follow_up": 1, "right_request": 1}
    for table, records in found.items():
        stored = rows(hub, table)
        for record in records:
            fields = record["fields"]
            key = tuple(fields[name] for name in key_columns(hub, table))
            row = stored.get(key[0] if len(key) == 1 else key)
            assert record["is_in_table"] == (row is not None)
            if row is not None:
                assert fields == row
            assert record["history"]
    learner = found["learner"][0]
    assert [entry["fields"]["phone"] for entry in learner["history"] if "phone" in entry["fields"]] == ["0600000001", "0600000002"]
    assert [(one["field"], one["value"]) for one in learner["set_aside"]] == [("email", "aside@example.org")]
    assert [record["is_in_table"] for record in found["attendance"]] == [True, False]
    assert "Tiers" not in json.dumps(answer) and "secret" not in json.dumps(answer)

    out, _ = said(hub, "export", "learner", "l1")
    page, _ = said(hub, "export", "learner", "l1", "--format", "html")
    parser = Text()
    parser.feed(page)
    seen = "".join(parser.text)
    for text in (out, seen):
        for value in ("Contrat ou stage", "Exemple", "31/12/2001", "Femme", "0600000001", "0600000002", "ada@example.org", "aside@example.org",
                      "1 rue <Courte>", "QN04101", "03/09/2026", "Abandon", "déménage", "123", "Adapter", "vitrine", "PMSMP",
                      "fermeture", "Partielle", "bloc 2", "À 3 mois", "CDD", "91", "35600000000048", "retirée", "13/02/2027",
                      "20/09/2026", "la fiche est supprimée"):
            assert value in text, value
        assert "Tiers" not in text and "secret" not in text
    # The page needs nothing from elsewhere, and what stands in records is no part of it.
    assert not re.search(r"(src|href|url\(|@import)", page) and "courte" not in {tag for tag, _ in parser.tags}
    assert {tag for tag, _ in parser.tags} <= {"html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "h4", "p",
                                              "section", "table", "tr", "th", "td"}
    assert ("html", {"lang": "fr"}) in parser.tags


def key_columns(site, table):
    with site.connection() as connection:
        columns = connection.execute('PRAGMA table_info("%s")' % table).fetchall()
    return [column[1] for column in sorted(columns, key=lambda column: column[5]) if column[5]]


def test_values_that_compete_are_all_told(network):
    hub = network.add_hub(SCHEMA)
    (school,) = network.add_schools("pantin")
    hub.sql("INSERT INTO employer(code, name) VALUES ('55210055400021', 'Avant');")
    network.converge()
    school.line.cut()
    hub.sql("UPDATE employer SET name = 'Au siège';")
    school.sql("UPDATE employer SET name = 'À l''école';")
    wait_until(lambda: hub.pending() + school.pending() == 0, "all is sealed")
    school.line.heal()
    network.converge()
    out, _ = said(hub, "export", "employer", "55210055400021")
    assert "pas encore tranché" in out
    after = out[out.index("pas encore tranché"):]
    assert re.search("Raison sociale : Au siège .*hub", after) and re.search("Raison sociale : À l'école .*pantin", after)


def test_the_file_is_read_by_other_programs(network):
    hub = network.add_hub(SCHEMA)
    hub.write("INSERT INTO place(code, name) VALUES ('a', ?)", 'x;"y"\r\nz')
    out, _ = said(hub, "export", "place", "--codes")
    (row,) = csv.DictReader(io.StringIO(out.removeprefix("\ufeff"), newline=""), delimiter=";")
    assert row["name"] == 'x;"y"\r\nz' and row["region"] == ""


def test_a_table_of_other_peoples_words_is_written_safely_to_the_rejected_file(network, tmp_path):
    """A refused line stands in its file as it was, also where a spreadsheet would compute it."""
    hub = network.add_hub(SCHEMA)
    path = write(tmp_path, "a.csv", ["Code du lieu", "Ouvert le", "Lieu"], ["a", "x", "'=1+1"])
    hub.cli("import", path, "--into", "place", "--skip-errors", codes=(3,))
    assert "a;x;'=1+1;" in (tmp_path / "a.rejected.csv").read_text()


def test_the_schema_says_how_each_date_code_and_amount_is_written(network):
    hub = network.add_hub(SCHEMA)
    columns = {(table, column) for (table,) in hub.query("SELECT name FROM navette_table WHERE published IS NOT NULL")
               for (column,) in hub.query("SELECT name FROM pragma_table_info(?)", table)}
    formats = {tuple(field.split(".")): kind for field, kind in hub.query("SELECT field, kind FROM format")}
    assert set(formats) <= columns and set(formats.values()) <= {"date", "siret", "siren", "commune", "epci", "cents"}
    dates = {(table, column) for table, column in columns
             if column.endswith("_on") or column in ("day", "label_from", "label_until")}
    assert {field for field, kind in formats.items() if kind == "date"} == dates
    told = {tuple(one) for one in hub.query("SELECT table_name, column_name FROM known_by")}
    assert told <= columns
