"""Import: what spreadsheets write becomes records, twice is as good as once, and what is wrong is said by line."""
import os
import time

import pytest

from network import wait_until
from sheets import BOM, MAPS, SCHEMA, rows, said, values, write

HEADERS = ["Nom", "Prénom", "Date de naissance", "Sexe", "Code commune", "Niveau à l'entrée"]
PEOPLE = [["Exemple", "Zoé", "03/04/2001", "Femme", "41018", "5"],
          ["Modèle", "Chloë", "12.5.1999", "f", "1001", "4"],
          ["Témoin", "Œdipe", "1998-12-31", "HOMME", "2a004", "3"]]
STORED = [("Exemple", "Zoé", "2001-04-03", "F", "41018", 5), ("Modèle", "Chloë", "1999-05-12", "F", "01001", 4),
          ("Témoin", "Œdipe", "1998-12-31", "M", "2A004", 3)]
COLUMNS = ("family_name", "given_name", "born_on", "gender", "commune", "level")


@pytest.fixture
def hub(network):
    return network.add_hub(SCHEMA)


def counts(answer):
    return {name: answer[name] for name in ("created", "changed", "fields", "same", "refused")}


@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_both_encodings_and_three_separators(hub, tmp_path, separator, encoding):
    for number, (bom, end) in enumerate([(False, "\r\n"), (encoding == "utf-8", "\n")]):
        path = write(tmp_path, "eleves%d.csv" % number, HEADERS, *PEOPLE, "", separator * 5, separator=separator,
                     encoding=encoding, bom=bom, end=end)
        answer = hub.cli("import", path, "--into", "learner")
        assert answer["separator"] == separator
        assert answer["encoding"] == ("utf-8" if encoding == "utf-8" else "windows-1252")
        assert counts(answer) == {"created": 0 if number else 3, "changed": 0, "fields": 0, "same": 3 if number else 0,
                                  "refused": 0}
        assert answer["zeros_put_back"] == {"commune": 1}
        assert values(hub, "learner", *COLUMNS) == sorted(STORED)


def test_a_line_that_names_the_separator_is_obeyed_and_quoted_cells_keep_their_lines(hub, tmp_path):
    path = write(tmp_path, "lieux.csv", "sep=,", '"code",Lieu,"Région"', 'a,"Rue ""des; Lilas""\r\n2e étage",Centre', 'b,x,',
                 "c;,d", "e,f,g,h")
    answer = hub.cli("import", path, "--into", "place", codes=(3,))
    assert [(one["line"], one["problem"]) for one in answer["problems"]] == [(6, "too_few_cells"), (7, "too_many_cells")]
    answer = hub.cli("import", path, "--into", "place", "--skip-errors")
    assert answer["created"] == 2
    assert values(hub, "place", "code", "name", "region") == [("a", 'Rue "des; Lilas"\r\n2e étage', "Centre"),
                                                               ("b", "x", None)]


MISTAKES = [
    (2, None, "cette ligne a 4 cellules, et la ligne d'en-têtes en a 6", "too_few_cells"),
    (3, None, "cette ligne a 7 cellules, et la ligne d'en-têtes en a 6", "too_many_cells"),
    (4, "Date de naissance", "ce n'est pas une date : écrivez-la comme 31/12/2001", "bad_date"),
    (5, "Date de naissance", "ce jour n'existe pas au calendrier", "no_such_day"),
    (6, "Date de naissance", "l'année n'a que deux chiffres : écrivez les quatre, comme 31/12/2001", "short_year"),
    (7, "Sexe", "ce n'est pas dans la liste ; valeurs connues : Femme, Homme, Autre, Non renseigné", "unknown_choice"),
    (8, "Code commune", "ce n'est pas le code d'une commune : celui de l'INSEE a 5 caractères, comme 41018 ou 2A004, et "
                        "n'est pas le code postal", "bad_code"),
    (9, "Niveau à l'entrée", "ce n'est pas un nombre entier : écrivez seulement des chiffres, comme 210", "not_whole"),
    (11, None, "la ligne 10 dit autre chose de la même fiche", "told_twice"),
    (13, None, "rien ne dit de quelle fiche il s'agit : il faut la colonne Identifiant, ou toutes celles-ci : Nom, Prénom, "
               "Date de naissance", "not_told"),
]
WRONG_LINES = [["Un", "A", "01/01/2000", "Femme"], ["Deux", "A", "01/01/2000", "Femme", "41018", "5", "x"],
               ["Trois", "A", "né en mai", "Femme", "41018", "5"], ["Quatre", "A", "29/02/2001", "Femme", "41018", "5"],
               ["Cinq", "A", "31/12/01", "Femme", "41018", "5"], ["Six", "A", "01/01/2000", "H", "41018", "5"],
               ["Sept", "A", "01/01/2000", "Femme", "Blois", "5"], ["Huit", "A", "01/01/2000", "Femme", "41018", "bac"],
               ["Neuf", "A", "29/02/2000", "Femme", "41018", "5"], ["Neuf", "A", "29/02/2000", "Homme", "41018", "5"],
               ["Neuf", "A", "29/02/2000", "Femme", "41018", "5"], ["", "", "", "Femme", "41018", "5"],
               ["Dix", "=1+1", "01/01/2000", "", "", ""]]


def test_ten_kinds_of_mistakes_are_said_by_line_and_column_in_french(hub, tmp_path):
    path = write(tmp_path, "fautes.csv", HEADERS, *WRONG_LINES, encoding="cp1252")
    out, error = said(hub, "import", path, "--into", "learner", code=3)
    lines = out.splitlines()
    for line, header, sentence, _ in MISTAKES:
        assert "ligne %d%s : %s" % (line, ", " + header if header else "", sentence) in lines
    assert "  10 lignes refusées" in lines and "  2 fiches seraient créées" in lines
    assert "rien n'est importé" in error
    assert not rows(hub, "learner") and not (tmp_path / "fautes.rejected.csv").exists()
    # Nothing of what stands in the file is in the errors.
    assert "Trois" not in out and "mai" not in out and "Blois" not in out
    answer = hub.cli("import", path, "--into", "learner", codes=(3,))
    assert [(one["line"], one["header"], one["problem"]) for one in answer["problems"]] == [
        (line, header, word) for line, header, _, word in MISTAKES]
    assert [one["column"] for one in answer["problems"]] == [
        None if header is None else HEADERS.index(header) + 1 for _, header, _, _ in MISTAKES]


def test_what_a_check_refuses_is_said_by_line_and_column(hub, tmp_path):
    path = write(tmp_path, "niveaux.csv", HEADERS, ["Un", "A", "01/01/2000", "Femme", "41018", "4"],
                 ["Deux", "A", "01/01/2000", "Femme", "41018", "9"])
    out, _ = said(hub, "import", path, "--into", "learner", code=3)
    assert "ligne 3, Niveau à l'entrée : la colonne n'accepte pas cette valeur : level BETWEEN 0 AND 8" in out.splitlines()
    done = hub.run("--json", "import", path, "--into", "learner", "--skip-errors")
    assert done.stderr == "" and values(hub, "learner", "family_name", "level") == [("Un", 4)]
    write(tmp_path, "niveaux.csv", HEADERS, ["Un", "A", "01/01/2000", "Femme", "41018", "-1"])
    out, _ = said(hub, "import", path, "--into", "learner", code=3)
    assert "ligne 2, Niveau à l'entrée" in out and values(hub, "learner", "level") == [(4,)]


def test_the_rest_is_imported_and_the_refused_lines_come_back_mended(hub, tmp_path):
    path = write(tmp_path, "fautes.csv", HEADERS, *WRONG_LINES, encoding="cp1252", separator=",")
    out, _ = said(hub, "import", path, "--into", "learner", "--skip-errors")
    assert "10 lignes refusées" in out and "fautes.rejected.csv" in out
    assert values(hub, "learner", "family_name", "given_name") == [("Dix", "=1+1"), ("Neuf", "A")]
    refused = tmp_path / "fautes.rejected.csv"
    assert refused.stat().st_mode & 0o777 == 0o600
    content = refused.read_bytes()
    assert content.startswith(BOM)
    lines = content[3:].decode().replace("\u00a0", " ").split("\r\n")
    assert lines[0] == ",".join(HEADERS) + ",Erreur" and lines[-1] == "" and len(lines) == 12
    assert lines[3] == 'Trois,A,né en mai,Femme,41018,5,Date de naissance : ce n\'est pas une date : écrivez-la comme 31/12/2001'

    # It is not written over; then nothing is imported either.
    more = write(tmp_path, "fautes.csv", HEADERS, ["Onze", "A", "01/01/2000", "", "", ""], ["Douze", "A", "x", "", "", ""])
    _, error = said(hub, "import", more, "--into", "learner", "--skip-errors", code=3)
    assert "fautes.rejected.csv" in error and content == refused.read_bytes()
    assert len(rows(hub, "learner")) == 2
    said(hub, "import", more, "--into", "learner", "--skip-errors", "--rejected", tmp_path / "other.csv")
    assert (tmp_path / "other.csv").exists() and len(rows(hub, "learner")) == 3

    # Where no line is left, nothing is imported, and that is no success.
    path = write(tmp_path, "douze.csv", HEADERS, ["Douze", "A", "x", "", "", ""])
    _, error = said(hub, "import", path, "--into", "learner", "--skip-errors", code=3)
    assert "aucune ligne" in error and (tmp_path / "douze.rejected.csv").exists()

    # Mended where it stands, with the column of mistakes still there, it is imported as any other file; what is wrong
    # once more does not get two such columns.
    mended = lines[:3] + [lines[3].replace("né en mai", "01/05/2000")]
    mended[1] = 'Un,A,01/01/2000,Femme,41018,5,""'
    mended[2] = 'Deux,A,01/01/2000,Femme,41018,5,'
    refused.write_bytes(BOM + "\r\n".join(mended + [lines[4]]).encode())
    answer = hub.cli("import", refused, "--into", "learner", "--skip-errors")
    assert counts(answer) == {"created": 3, "changed": 0, "fields": 0, "same": 0, "refused": 1}
    again = (tmp_path / "fautes.rejected.rejected.csv").read_bytes().decode("utf-8-sig").split("\r\n")
    assert again[0] == ",".join(HEADERS) + ",Error" and len(again[1].split(",")) == 7


def test_the_same_file_twice_changes_nothing_and_a_changed_one_only_what_differs(hub, tmp_path):
    first = write(tmp_path, "un.csv", HEADERS + ["Téléphone"], *[one + ["01"] for one in PEOPLE])
    assert hub.cli("import", first, "--into", "learner")["created"] == 3
    keys = set(rows(hub, "learner"))
    assert counts(hub.cli("import", first, "--into", "learner"))["same"] == 3
    changed = write(tmp_path, "deux.csv", ["prenom", "NOM", " date  de naissance ", "telephone", "Sexe", "E-mail"],
                    ["Zoé", "Exemple", "03/04/2001", "", "", "z@example.org"], ["Chloë", "Modèle", "12/05/1999", "02", "Autre", ""])
    out, _ = said(hub, "import", changed, "--into", "learner", "--dry-run")
    assert "2 fiches seraient modifiées (champs : 4)" in out and "essai" in out
    assert values(hub, "learner", "phone") == [("01",)] * 3
    answer = hub.cli("import", changed, "--into", "learner")
    assert counts(answer) == {"created": 0, "changed": 2, "fields": 4, "same": 0, "refused": 0}
    assert set(rows(hub, "learner")) == keys
    found = {row["given_name"]: row for row in rows(hub, "learner").values()}
    # An empty cell empties what may be empty, and leaves alone what may not.
    assert (found["Zoé"]["phone"], found["Zoé"]["gender"], found["Zoé"]["email"]) == (None, "F", "z@example.org")
    assert (found["Chloë"]["phone"], found["Chloë"]["gender"], found["Chloë"]["email"]) == ("02", "other", None)
    assert found["Chloë"]["level"] == 4


def test_an_import_is_undone_in_one_step(hub, tmp_path):
    write(tmp_path, "un.csv", HEADERS, *PEOPLE)
    hub.cli("import", tmp_path / "un.csv", "--into", "learner")
    before = rows(hub, "learner")
    write(tmp_path, "deux.csv", HEADERS, ["Exemple", "Zoé", "03/04/2001", "Autre", "75056", "6"],
          ["Nouvelle", "Ada", "01/01/2000", "Femme", "", ""], ["Autre", "Léo", "01/01/2000", "Homme", "", ""],
          ["Suivi", "Jo", "01/01/2000", "Homme", "", ""])
    assert counts(hub.cli("import", tmp_path / "deux.csv", "--into", "learner")) == {
        "created": 3, "changed": 1, "fields": 3, "same": 0, "refused": 0}
    assert [(one["table"], one["file"], one["created"], one["changed"]) for one in hub.cli("import")] == [
        ("learner", "deux.csv", 3, 1), ("learner", "un.csv", 3, 0)]
    keys = {row["given_name"]: key for key, row in rows(hub, "learner").items()}
    # Since then somebody has changed one of the fields, one of the new records, and given another one a child.
    hub.write("UPDATE learner SET commune = '93055' WHERE id = ?", keys["Zoé"])
    hub.write("UPDATE learner SET phone = '01' WHERE id = ?", keys["Léo"])
    hub.write("INSERT INTO right_request(learner, received_on, kind) VALUES (?, '2026-01-01', 'access')", keys["Jo"])
    undone = hub.cli("import", "--undo")
    assert (undone["deleted"], undone["fields"], undone["left_records"], undone["left_fields"]) == (1, 2, 2, 1)
    assert {(one["key"], one["why"]) for one in undone["left"]} == {
        (keys["Léo"], "changed"), (keys["Jo"], "referenced"), (keys["Zoé"], "changed")}
    after = rows(hub, "learner")
    assert set(after) == set(before) | {keys["Léo"], keys["Jo"]}
    assert {**before[keys["Zoé"]], "commune": "93055"} == after[keys["Zoé"]]
    hub.write("DELETE FROM right_request")
    assert hub.cli("import", "--undo")["deleted"] == 2  # Zoé's record has changed
    assert set(rows(hub, "learner")) == {keys["Zoé"], keys["Léo"], keys["Jo"]}
    assert hub.cli("import") == []
    hub.cli("import", "--undo", codes=(1,))
    assert not hub.query("SELECT 1 FROM navette_import_record UNION ALL SELECT 1 FROM navette_import_cell")


def test_a_file_may_have_any_name(hub, tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9.csv"
    with open(path, "wb") as file:
        file.write("Code du lieu;Ouvert le\r\na;01/02/2026\r\nb;hier\r\n".encode())
    assert hub.cli("import", os.fsdecode(path), "--into", "place", "--skip-errors")["created"] == 1
    assert [one["file"] for one in hub.cli("import")] == [{"text_hex": "636166e92e637376"}]
    assert hub.cli("import", "--undo")["deleted"] == 1


def test_the_last_five_imports_can_be_undone_for_thirty_days(hub, tmp_path):
    for number in range(7):
        path = write(tmp_path, "%d.csv" % number, ["Code du lieu", "Lieu"], ["lieu%d" % number, "x"])
        hub.cli("import", path, "--into", "place")
        hub.cli("import", path, "--into", "place")  # changes nothing, and takes no place in the list
    assert [one["file"] for one in hub.cli("import")] == ["%d.csv" % number for number in (6, 5, 4, 3, 2)]
    hub.write("UPDATE navette_import SET at_ms = at_ms - 31 * 86400000 WHERE file = '4.csv'")
    hub.cli("import", write(tmp_path, "8.csv", ["Code du lieu"], ["lieu8"]), "--into", "place")
    assert [one["file"] for one in hub.cli("import")] == ["8.csv", "6.csv", "5.csv", "3.csv"]
    assert hub.query("SELECT count(DISTINCT import) FROM navette_import_record") == [(4,)]


def test_codes_amounts_and_formulas(hub, tmp_path):
    path = write(tmp_path, "e.csv", ["SIRET", "Raison sociale", "NAF"],
                 ["552 100 554 00021", "=HYPERLINK(\"x\")", "62.01Z"], ["5580501200040", "+1", "-1"],
                 ["35600000000048", "@La Poste", ""], ["35600000049837", "'=A", ""], ["12345678900011", "'normal", ""])
    answer = hub.cli("import", path, "--into", "employer")
    assert answer["zeros_put_back"] == {"code": 1} and answer["wrong_check_digits"] == 2
    assert values(hub, "employer", "code", "name", "naf") == [
        ("05580501200040", "+1", "-1"), ("12345678900011", "'normal", None), ("35600000000048", "@La Poste", None),
        ("35600000049837", "=A", None), ("55210055400021", '=HYPERLINK("x")', "62.01Z")]
    out, _ = said(hub, "import", path, "--into", "employer")
    assert "SIRET : 1 valeur retrouve les zéros qu'un tableur lui avait ôtés" in out
    assert "2 lignes ont un SIRET dont la clé est fausse" in out and ": lignes 3, 6" in out
    path = write(tmp_path, "f.csv", ["SIRET", "Raison sociale"], ["1,23457E+13", "x"], ["552100554", "y"])
    answer = hub.cli("import", path, "--into", "employer", codes=(3,))
    assert [one["problem"] for one in answer["problems"]] == ["shortened", "bad_code"]

    headers = ["Lieu", "Programme", "Début", "Financeur", "Convention", "Montant (€)"]
    amounts = {"a": "1 002 758,20", "b": "12\u202f500,5 €", "c": "1.234,56", "d": "-7", "e": "1,234.5", "f": ""}
    path = write(tmp_path, "g.csv", headers, *[["p", "g", "1/9/2026", "r", name, text] for name, text in amounts.items()])
    hub.cli("import", path, "--into", "funding")
    assert values(hub, "funding", "agreement", "cents") == [("a", 100275820), ("b", 1250050), ("c", 123456), ("d", -700),
                                                            ("e", 123450), ("f", 0)]
    wrong = ["12,500", "1,2,3", "douze", "1e3", "99999999999999999999"]
    path = write(tmp_path, "h.csv", headers, *[["p", "g", "1/9/2026", "r", "x%d" % i, '"%s"' % text]
                                               for i, text in enumerate(wrong)])
    answer = hub.cli("import", path, "--into", "funding", codes=(3,))
    assert [one["problem"] for one in answer["problems"]] == ["bad_number"] * 3 + ["shortened", "bad_number"]
    # Under its own name a column is as it is stored.
    path = write(tmp_path, "i.csv", ["place", "programme", "starts_on", "funder", "agreement", "cents"],
                 ["p", "g", "2026-09-01", "r", "a", "5"])
    hub.cli("import", path, "--into", "funding")
    assert ("a", 5) in values(hub, "funding", "agreement", "cents")


def test_maps_and_headers(hub, tmp_path):
    path = write(tmp_path, "a.csv", ["Elève", "Prenom usuel", "Né le", "Groupe", "nom"], ["Exemple", "Ada", "01/01/2000", "B", "x"])
    out, error = said(hub, "import", path, "--into", "learner", code=3)
    assert [line.split(" : ")[0] for line in out.splitlines()[:4]] == [
        "ligne 1, Elève", "ligne 1, Prenom usuel", "ligne 1, Né le", "ligne 1, Groupe"]
    assert "La table a : Identifiant, Nom, Prénom, Date de naissance" in out and "en-têtes" in error
    carte = tmp_path / "eleves.map"
    carte.write_text("# les élèves\nélève = family_name\nPRENOM usuel= Prénom\n\nNé le = born_on\nGroupe = -\nnom = -\n")
    kept = tmp_path / "kept.map"
    out, _ = said(hub, "import", path, "--into", "learner", "--map", carte, "--dry-run")
    assert out.splitlines()[:5] == ["Elève -> Nom", "Prenom usuel -> Prénom", "Né le -> Date de naissance", "Groupe -> ignoré",
                                    "nom -> ignoré"]
    assert hub.cli("import", path, "--into", "learner", "--map", carte, "--save-map", kept)["created"] == 1
    assert kept.read_text() == "Elève = family_name\nPrenom usuel = given_name\nNé le = born_on\nGroupe = -\nnom = -\n"
    assert hub.cli("import", path, "--into", "learner", "--map", kept)["same"] == 1
    for text, what in [("nom = family_name\nnom = -\n", "line 2"), ("x\n", "line 1"), ("\n = a\n", "line 2"),
                       ("nom = nowhere\n", "line 1"), ("Classe = -\n* = -\n", "line 1")]:
        carte.write_text(text)
        assert what in hub.run("import", path, "--into", "learner", "--map", carte, codes=(3,)).stderr
    twice = write(tmp_path, "b.csv", ["Nom", "family_name", "Prénom", "Né"], ["a", "b", "c", "d"])
    answer = hub.cli("import", twice, "--into", "learner", codes=(3,))
    assert [(one["column"], one["problem"]) for one in answer["problems"]] == [(2, "header_twice"), (4, "unknown_header")]
    unnamed = write(tmp_path, "c.csv", ["Code du lieu", "Lieu", ""], ["a", "x", ""], ["b", "y", "z"])
    answer = hub.cli("import", unnamed, "--into", "place", codes=(3,))
    assert [(one["line"], one["problem"]) for one in answer["problems"]] == [(3, "no_header")]


def test_a_learner_is_named_by_what_people_know(hub, tmp_path):
    hub.cli("import", write(tmp_path, "a.csv", HEADERS, *PEOPLE, ["Exemple", "Zoé", "01/01/1990", "Femme", "", ""]),
            "--into", "learner")
    headers = ["Apprenant : Nom", "learner.given_name", "Apprenant: date de naissance", "Lieu", "Programme", "Début", "État"]
    same = ["blois", "dev", "01/09/2026", "Admis"]
    path = write(tmp_path, "b.csv", headers, ["Modèle", "Chloë", "", *same], ["Exemple", "Zoé", "3/4/2001", *same],
                 ["Exemple", "Zoé", "", *same], ["Inconnue", "Ada", "", *same], ["", "", "", *same],
                 ["Témoin", "Œdipe", "hier", *same])
    answer = hub.cli("import", path, "--into", "enrolment", "--skip-errors")
    assert [(one["line"], one["column"], one["problem"]) for one in answer["problems"]] == [
        (4, 1, "several_parents"), (5, 1, "no_parent"), (6, 1, "no_key"), (7, 3, "bad_date")]
    names = {key: row["given_name"] for key, row in rows(hub, "learner").items()}
    assert sorted((names[learner], rest[0], rest[2], row["state"])
                  for (learner, *rest), row in rows(hub, "enrolment").items()) == [
        ("Chloë", "blois", "2026-09-01", "admitted"), ("Zoé", "blois", "2026-09-01", "admitted")]
    # A key that nobody has is no learner, and one that somebody has is.
    key = next(iter(names))
    path = write(tmp_path, "c.csv", ["Apprenant", "Reçue le", "Nature"], [key, "1/2/2026", "Accès"], ["nobody", "1/2/2026", "access"])
    answer = hub.cli("import", path, "--into", "right_request", "--skip-errors")
    assert answer["created"] == 1 and [one["problem"] for one in answer["problems"]] == ["no_parent"]
    # Two learners whom nothing tells apart are told apart by their key alone.
    hub.write("INSERT INTO learner(family_name, given_name, born_on) SELECT family_name, given_name, born_on FROM learner")
    answer = hub.cli("import", tmp_path / "a.csv", "--into", "learner", codes=(3,))
    assert [one["problem"] for one in answer["problems"]] == ["several_records"] * 4


def test_a_template_is_what_people_fill_in(hub, tmp_path):
    out, _ = said(hub, "import", "--template", "enrolment")
    assert out == "\ufeffApprenant : Nom;Apprenant : Prénom;Apprenant : Date de naissance;Lieu;Programme;Début;" \
                  "Candidature le;Admission le;Entrée le;Sortie le;État;Motif\r\n"
    out, _ = said(hub, "import", "--template", "employer", language="en_GB.UTF-8")
    assert out == "\ufeffSIRET;Name;NAF;Staff bracket;Commune\r\n"
    for table in ("learner", "enrolment", "attendance", "place", "funding", "employer_contact"):
        out, _ = said(hub, "import", "--template", table)
        path = tmp_path / (table + ".csv")
        path.write_text(out)
        assert hub.cli("import", path, "--into", table)["lines"] == 0


HOSTILE = {
    "nul": (b"Nom;Pr\0nom\r\n", "la ligne 1 contient un octet nul"),
    "empty": (b"", "est vide"),
    "blank": (b"\r\n;;\r\n \r\n", "est vide"),
    "wide": (b"a;" * 100000 + b"\r\n", "la ligne 1 a plus de 1024 cellules"),
    "long": (b"Nom\r\n" + b"x" * (1 << 20) + b"\r\n", "une cellule de la ligne 2"),
    "half a quote": (b'Nom;Sexe\r\na;b\r\n"c;d\r\ne;f\r\n', "ouvert à la ligne 3 n'est jamais fermé"),
    "long quote": (b'Nom\r\n"' + b"a\n" * (1 << 16), "une cellule de la ligne 2"),
    "no encoding": (b"Nom\r\n\x81\xe9\r\n", "voir la ligne 2"),
    "spreadsheet": (b"PK\3\4rest", "fichier de tableur"),
    "utf-16": ("Nom\r\n".encode("utf-16"), "UTF-16"),
    "too many": (b"Nom\n" + b"x\n" * 50001, "trop de lignes"),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_what_is_no_table_is_refused_with_a_sentence(hub, tmp_path, name):
    path = tmp_path / "x.csv"
    content, what = HOSTILE[name]
    path.write_bytes(content)
    _, error = said(hub, "import", path, "--into", "learner", code=3)
    assert str(path) in error and what in error and not rows(hub, "learner")


def test_what_is_no_file_is_refused(hub, tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", tmp_path, tmp_path / "nothing.csv", "/dev/zero"):
        assert str(path) in hub.run("import", path, "--into", "learner", codes=(3,)).stderr
    hub.run("import", tmp_path / "x.csv", codes=(2,))
    hub.run("import", "--into", "learner", codes=(2,))
    hub.run("import", tmp_path / "x.csv", "--into", "nowhere", codes=(1,))
    hub.run("import", tmp_path / "x.csv", "--into", "learner", "--rejected", "y", codes=(2,))


def test_a_schema_without_the_views_works_too(network, tmp_path):
    hub = network.add_hub("""
        CREATE TABLE item (id TEXT NOT NULL PRIMARY KEY, n INTEGER, x REAL, t TEXT NOT NULL DEFAULT 'd', u,
                           CHECK (n < 100));
        INSERT INTO navette_table(name, scope) VALUES ('item', 'network');""")
    path = write(tmp_path, "a.csv", ["ID", "N", "x", "T"], ["a", "1 2", "1,5", ""], ["b", "", "-.", "y"], ["", "1", "", ""],
                 ["c", "100", "", ""])
    answer = hub.cli("import", path, "--into", "item", "--skip-errors")
    assert [(one["line"], one["problem"]) for one in answer["problems"]] == [(3, "bad_number"), (4, "no_key"),
                                                                             (5, "table_refuses")]
    assert values(hub, "item", "id", "n", "x", "t") == [("a", 12, 1.5, "d")]


@pytest.mark.skipif("NAVETTE_ORGANISMES" not in os.environ, reason="NAVETTE_ORGANISMES names no file")
@pytest.mark.parametrize("table", ["organisation", "employer"])
def test_the_real_training_bodies_are_imported_once(hub, table):
    path = os.path.abspath(os.environ["NAVETTE_ORGANISMES"])
    carte = MAPS / ("organismes-%s.map" % table)
    begun = time.monotonic()
    answer = hub.cli("import", path, "--into", table, "--map", carte)
    print("%s: %.2f s" % (table, time.monotonic() - begun))
    assert counts(answer) == {"created": 6059, "changed": 0, "fields": 0, "same": 0, "refused": 0}
    begun = time.monotonic()
    assert counts(hub.cli("import", path, "--into", table, "--map", carte)) == {
        "created": 0, "changed": 0, "fields": 0, "same": 6059, "refused": 0}
    print("again: %.2f s" % (time.monotonic() - begun))
    assert hub.query("SELECT count(*) FROM %s" % table) == [(6059,)]
    assert hub.cli("import", "--undo")["deleted"] == 6059
    assert hub.query("SELECT count(*) FROM %s" % table) == [(0,)]


def test_what_is_kept_of_an_import_leaves_with_the_records(network, tmp_path):
    network.add_hub(SCHEMA)
    pantin, poissy = network.add_schools("pantin", "poissy")
    network.add_group("nord", pantin, poissy)
    poissy.write("INSERT INTO learner(id, family_name, phone, visible_to) VALUES ('l1', 'Exemple', '01', 'group/nord')")
    wait_until(lambda: rows(pantin, "learner"), "Pantin has the learner")
    path = write(tmp_path, "a.csv", ["Identifiant", "Nom", "Téléphone", "Visible par"], ["l1", "Exemple", "02", "group/nord"],
                 ["l2", "Modèle", "03", "group/nord"], ["l3", "Témoin", "04", ""])
    assert counts(pantin.cli("import", path, "--into", "learner"))["changed"] == 1
    wait_until(lambda: len(rows(poissy, "learner")) == 2, "Poissy has both")
    kept = "SELECT count(*) FROM navette_import_record UNION ALL SELECT count(*) FROM navette_import_cell"
    assert pantin.query(kept) == [(2,), (1,)]
    network.hub.cli("group", "nord", "--remove", "pantin")
    wait_until(lambda: set(rows(pantin, "learner")) == {"l3"}, "the group's records have left Pantin")
    assert pantin.query(kept) == [(1,), (0,)]
    assert pantin.cli("import", "--undo")["deleted"] == 1
