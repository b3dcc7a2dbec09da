"""People who do not exist: the names are plainly made up, and no telephone number or address can be anybody's."""
import calendar_days

WOMEN = ["Amel", "Chloé", "Élodie", "Fatou", "Hanaé", "Joëlle", "Lina", "Maëlle", "Noémie", "Oumou", "Pauline", "Rokia",
         "Salomé", "Tess", "Yasmine", "Zoé"]
MEN = ["Bilal", "Dénis", "Gaël", "Idriss", "Kévin", "Loïc", "Mamadou", "Noé", "Oscar", "Paulin", "Quentin", "Rayan", "Samba",
       "Théo", "Ulysse", "Yanis"]
ANYBODY = ["Alix", "Camille", "Charlie", "Claude", "Dominique", "Eden", "Lou", "Sacha"]
FAMILIES = ["Anonyme", "Brouillon", "Démonstration", "Ébauche", "Échantillon", "Esquisse", "Essai", "Exemple", "Fictif",
            "Figurant", "Imaginaire", "Maquette", "Modèle", "Pastiche", "Personnage", "Prototype", "Pseudonyme",
            "Quelconque", "Simulacre", "Specimen"]
GIVEN_NAMES = {"F": WOMEN, "M": MEN}


def one_of(things, chance):
    return things[int(chance.random() * len(things))]


def learner(key, person, entered_on, chance):
    """The row of a learner; `person` has what counts, the rest is made up."""
    given, family = one_of(GIVEN_NAMES.get(person.get("gender"), ANYBODY), chance), one_of(FAMILIES, chance)
    age = person.get("age")
    number = int(chance.random() * 10_000)
    return {
        "id": key,
        "family_name": family,
        "given_name": given,
        "born_on": None if age is None else calendar_days.birth_date(age, entered_on, chance).isoformat(),
        "phone": "01 99 00 %02d %02d" % divmod(number, 100),
        "email": "apprenant-%s@example.org" % key[-8:],
        **{field: person.get(field) for field in ("gender", "commune", "qpv", "qpv_generation", "disability", "level",
                                                  "situation", "months_jobless", "minimum_benefit", "last_contact_on")},
    }


def neighbourhood(commune, lives_there, generation):
    """The two fields that say it: the code of a priority neighbourhood that does not exist, and the generation by which
    the address was looked up (None: nobody looked)."""
    if lives_there == "unknown":
        return {"qpv": None, "qpv_generation": None}
    code = "QP%3s901" % (commune or "0")[:2].rjust(3, "0")
    return {"qpv": code if lives_there == "yes" else None, "qpv_generation": generation}
