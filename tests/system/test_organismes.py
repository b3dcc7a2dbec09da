"""A real file of training bodies, loaded by the sqlite3 shell alone, reaches a school whose line was cut.

NAVETTE_ORGANISMES names the file: CSV, a BOM, semicolons, and the columns of the table below.
"""
import csv
import os
import time

import pytest

COLUMNS = ["uai", "siret", "raison_sociale", "enseigne", "nature", "departement", "commune", "adresse",
           "prepa_apprentissage"]
SCHEMA = """
CREATE TABLE training_body (
    siret TEXT NOT NULL PRIMARY KEY,
    uai TEXT, raison_sociale TEXT, enseigne TEXT, nature TEXT, departement TEXT, commune TEXT, adresse TEXT,
    prepa_apprentissage TEXT
);
INSERT INTO navette_table(name, scope) VALUES ('training_body', 'network');
"""


@pytest.mark.skipif("NAVETTE_ORGANISMES" not in os.environ, reason="NAVETTE_ORGANISMES names no file")
def test_the_file_reaches_every_site(network):
    path = os.path.abspath(os.environ["NAVETTE_ORGANISMES"])
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert list(rows[0]) == COLUMNS

    network.add_hub(SCHEMA)
    loader, away, third = network.add_schools("villeneuve", "pantin", "poissy")
    away.line.cut()
    away.sql("INSERT INTO training_body(siret, raison_sociale) VALUES ('00000000000000', 'Entered while away');")
    loader.sql(""".mode csv
.separator ;
.import --schema temp "%s" incoming
BEGIN;
INSERT INTO training_body(%s) SELECT %s FROM temp.incoming;
COMMIT;
""" % (path, ", ".join(COLUMNS), ", ".join(COLUMNS)))
    assert loader.query("SELECT count(*) FROM training_body") == [(len(rows),)]
    network.converge(network.hub, loader, third)
    assert away.query("SELECT count(*) FROM training_body") == [(1,)]

    begun = time.monotonic()
    away.line.heal()
    network.converge()
    print("in step %.2f s after the line was back" % (time.monotonic() - begun))
    want = sorted(tuple(row[column] for column in COLUMNS) for row in rows)
    for site in network.sites:
        assert sorted(site.query("SELECT %s FROM training_body WHERE siret <> '00000000000000'" %
                                 ", ".join(COLUMNS))) == want, site.name
        assert site.query("SELECT count(*) FROM training_body") == [(len(rows) + 1,)], site.name
        assert site.conflicts() == {}, site.name
    network.assert_clean()
