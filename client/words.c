#include "client/words.h"

#include <stdio.h>
#include <string.h>

#include "client/language.h"
#include "client/output.h"

/* {n} the number, {s} the name, {t} the span of time, the size or further names. The plural is NULL where the sentence
 * counts nothing.
 */
static const struct {
    struct {
        const char *one, *many;
    } english, french;
} sentences[NV_SAY_COUNT] = {
    [NV_SAY_NO_NETWORK] = {{"In no network yet: ask the hub for an invitation, then run `navette join`", NULL},
                           {"Dans aucun réseau : demandez une invitation au site central, puis `navette join`", NULL}},
    [NV_SAY_REVOKED] =
        {{"Taken out of the network: what you write is kept here; a new invitation lets this site back", NULL},
         {"Retiré du réseau : vos modifications restent ici ; une nouvelle invitation permet d'y revenir", NULL}},
    [NV_SAY_ALONE] = {{"Alone in the network: no other site has joined yet", NULL},
                      {"Seul dans le réseau : aucun autre site ne l'a encore rejoint", NULL}},
    [NV_SAY_STOPPED] = {{"navetted is not running: you can go on working, what you write is sent once it runs", NULL},
                        {"navetted est arrêté : vous pouvez continuer, tout sera envoyé quand il tournera", NULL}},
    [NV_SAY_CONNECTING] = {{"Not connected to another site yet: you can go on working", NULL},
                           {"Pas encore connecté à un autre site : vous pouvez continuer", NULL}},
    [NV_SAY_OFFLINE] = {{"Offline for {t}: you can go on working", NULL},
                        {"Hors ligne depuis {t} : vous pouvez continuer", NULL}},
    [NV_SAY_CATCHING_UP] = {{"Catching up: {n} changeset to come", "Catching up: {n} changesets to come"},
                            {"Rattrapage : {n} envoi à recevoir", "Rattrapage : {n} envois à recevoir"}},
    [NV_SAY_UP_TO_DATE] = {{"Up to date ({t})", NULL}, {"À jour ({t})", NULL}},
    [NV_SAY_PENDING] = {{"{n} change waits to be sent", "{n} changes wait to be sent"},
                        {"{n} modification en attente", "{n} modifications en attente"}},
    [NV_SAY_CONFLICTS] = {{"{n} conflict to settle: see `navette conflicts`",
                           "{n} conflicts to settle: see `navette conflicts`"},
                          {"{n} conflit à régler : voir `navette conflicts`",
                           "{n} conflits à régler : voir `navette conflicts`"}},
    [NV_SAY_MISSING_ROWS] =
        {{"{n} record is gone from its table without having been deleted; `navette rm` confirms that it may go:",
          "{n} records are gone from their tables without having been deleted; `navette rm` confirms that one may go:"},
         {"{n} fiche a disparu de sa table sans avoir été supprimée ; `navette rm` confirme sa suppression :",
          "{n} fiches ont disparu de leurs tables sans avoir été supprimées ; `navette rm` confirme une suppression "
          ":"}},
    [NV_SAY_MISSING_TABLE] = {{"The table {s} is not in the store: nothing of it is sent until it is back", NULL},
                              {"La table {s} n'est plus dans la base : rien n'en est envoyé avant son retour", NULL}},
    [NV_SAY_FORKS] = {{"{n} log has two histories: a site was copied, or restored from a backup",
                       "{n} logs have two histories: a site was copied, or restored from a backup"},
                      {"{n} journal a deux histoires : un site a été copié ou restauré",
                       "{n} journaux ont deux histoires : un site a été copié ou restauré"}},
    [NV_SAY_OWED] = {{"{n} change lacks its content; other sites are asked for it",
                      "{n} changes lack their content; other sites are asked for it"},
                     {"{n} modification sans son contenu, demandé aux autres sites",
                      "{n} modifications sans leur contenu, demandé aux autres sites"}},
    [NV_SAY_WAITING] =
        {{"{n} changeset is here and waits: for a key that other sites are asked for, for a table that is "
          "away, or for newer software",
          "{n} changesets are here and wait: for keys that other sites are asked for, for a table that is "
          "away, or for newer software"},
         {"{n} envoi est là et attend : une clé demandée aux autres sites, une table absente ou un "
          "logiciel plus récent",
          "{n} envois sont là et attendent : des clés demandées aux autres sites, une table absente ou "
          "un logiciel plus récent"}},
    [NV_SAY_QUARANTINE] =
        {{"{n} value is set aside: no row can hold it, or its writer had no right to it",
          "{n} values are set aside: no row can hold them, or their writers had no right to them"},
         {"{n} valeur mise de côté : aucune ligne ne l'accepte, ou l'auteur n'en avait pas le droit",
          "{n} valeurs mises de côté : aucune ligne ne les accepte, ou leurs auteurs n'en avaient pas "
          "le droit"}},
    [NV_SAY_UNPLACED] = {{"{n} record stays here until the group, site or parent that it names is known",
                          "{n} records stay here until the groups, sites or parents that they name are known"},
                         {"{n} fiche reste ici tant que le groupe, le site ou le parent qu'elle nomme est inconnu",
                          "{n} fiches restent ici tant que les groupes, sites ou parents qu'elles nomment sont "
                          "inconnus"}},
    [NV_SAY_MOVING] = {{"{n} record is on its way to other readers: it leaves where it was once another site has it",
                        "{n} records are on their way to other readers: they leave where they were once another site "
                        "has them"},
                       {"{n} fiche change de lecteurs : elle quitte sa place dès qu'un autre site l'a reçue",
                        "{n} fiches changent de lecteurs : elles quittent leur place dès qu'un autre site les a "
                        "reçues"}},
    [NV_SAY_REFUSED] = {{"Refused once: {s} ({t})", "Refused {n} times: {s} (last {t})"},
                        {"Refusé une fois : {s} ({t})", "Refusé {n} fois : {s} (dernier {t})"}},
    [NV_SAY_PEER_IN_STEP] = {{"  {s}: connected, has all that is here", NULL},
                             {"  {s} : connecté, a tout ce qui est ici", NULL}},
    [NV_SAY_PEER_BEHIND] = {{"  {s}: connected, {n} changeset behind for {t}",
                             "  {s}: connected, {n} changesets behind for {t}"},
                            {"  {s} : connecté, en retard de {n} envoi depuis {t}",
                             "  {s} : connecté, en retard de {n} envois depuis {t}"}},
    [NV_SAY_PEER_AWAY] = {{"  {s}: not connected for {t}, has all that is here", NULL},
                          {"  {s} : déconnecté depuis {t}, a tout ce qui est ici", NULL}},
    [NV_SAY_PEER_AWAY_BEHIND] = {{"  {s}: not connected for {t}, {n} changeset behind",
                                  "  {s}: not connected for {t}, {n} changesets behind"},
                                 {"  {s} : déconnecté depuis {t}, en retard de {n} envoi",
                                  "  {s} : déconnecté depuis {t}, en retard de {n} envois"}},
    [NV_SAY_CLOCK_AHEAD] = {{"  {s}: its clock is {t} ahead of this one: one of the two is wrong", NULL},
                            {"  {s} : son horloge avance de {t} sur celle-ci : l'une des deux est fausse", NULL}},
    [NV_SAY_CLOCK_BEHIND] = {{"  {s}: its clock is {t} behind this one: one of the two is wrong", NULL},
                             {"  {s} : son horloge retarde de {t} sur celle-ci : l'une des deux est fausse", NULL}},
    [NV_SAY_MEMBER] = {{"  {s}: newest change known here: {t}", NULL},
                       {"  {s} : dernière modification connue ici : {t}", NULL}},
    [NV_SAY_MEMBER_SILENT] = {{"  {s}: nothing of it has come yet", NULL}, {"  {s} : rien n'en est encore venu", NULL}},
    [NV_SAY_CARRIED] = {{"{n} changeset is only passed on here: this site does not read it",
                         "{n} changesets are only passed on here: this site does not read them"},
                        {"{n} envoi ne fait que passer par ici : ce site ne le lit pas",
                         "{n} envois ne font que passer par ici : ce site ne les lit pas"}},
    [NV_SAY_VOUCHED] = {{"A right was taken from {s}: {n} changeset of it counts by the word of {t}",
                         "A right was taken from {s}: {n} changesets of it count by the word of {t}"},
                        {"Un droit a été retiré à {s} : {n} de ses envois compte, sur la parole de {t}",
                         "Un droit a été retiré à {s} : {n} de ses envois comptent, sur la parole de {t}"}},
    [NV_SAY_HELD_BESIDE] = {{"A right was taken from {s}: {n} changeset of it is set aside, and counts for nothing",
                             "A right was taken from {s}: {n} changesets of it are set aside, and count for nothing"},
                            {"Un droit a été retiré à {s} : {n} de ses envois est mis de côté, sans effet",
                             "Un droit a été retiré à {s} : {n} de ses envois sont mis de côté, sans effet"}},
    [NV_SAY_SIZE] = {{"Store: {t}", NULL}, {"Base : {t}", NULL}},
    [NV_SAY_FULL] = {{"The disk is full ({t} left): nothing is lost, and the work goes on once there is room", NULL},
                     {"Le disque est plein (il reste {t}) : rien n'est perdu, tout reprend dès qu'il y a de la place",
                      NULL}},
};

void nv_say(enum nv_sentence sentence, uint64_t number, const char *name, const char *span)
{
    bool is_french = nv_is_french();
    const char *one = is_french ? sentences[sentence].french.one : sentences[sentence].english.one;
    const char *many = is_french ? sentences[sentence].french.many : sentences[sentence].english.many;
    for (const char *at = many != NULL && number > 1 ? many : one; *at != '\0'; at++) {
        if (at[0] != '{') {
            putchar(*at);
            continue;
        }
        if (at[1] == 'n')
            printf("%llu", (unsigned long long)number);
        else if (at[1] == 's')
            nv_print_string(name != NULL ? name : "?");
        else
            fputs(span != NULL ? span : "?", stdout);
        at += 2;
    }
    putchar('\n');
}

void nv_span(int64_t ms, char ret_text[NV_SPAN_TEXT])
{
    long long minutes = ms / 60000;
    const char *day = nv_is_french() ? "j" : "d";
    if (minutes < 1)
        snprintf(ret_text, NV_SPAN_TEXT, "%lld s", ms < 1000 ? 1 : (long long)(ms / 1000));
    else if (minutes < 60)
        snprintf(ret_text, NV_SPAN_TEXT, "%lld min", minutes);
    else if (minutes < 48 * 60)
        snprintf(ret_text, NV_SPAN_TEXT, "%lld h", minutes / 60);
    else
        snprintf(ret_text, NV_SPAN_TEXT, "%lld %s", minutes / (24 * 60), day);
}

void nv_span_ago(int64_t ms, char ret_text[NV_SPAN_TEXT])
{
    char span[NV_SPAN_TEXT];
    if (ms < 60000) {
        snprintf(ret_text, NV_SPAN_TEXT, "%s", nv_is_french() ? "à l'instant" : "just now");
        return;
    }
    nv_span(ms, span);
    snprintf(ret_text, NV_SPAN_TEXT, "%s%.24s%s", nv_is_french() ? "il y a " : "", span, nv_is_french() ? "" : " ago");
}

void nv_size_text(uint64_t bytes, char ret_text[NV_SPAN_TEXT])
{
    const char *const units[] = {"kB", "MB", "GB", "TB"}, *const unites[] = {"ko", "Mo", "Go", "To"};
    double size = (double)bytes / 1000;
    size_t unit = 0;
    for (; size >= 1000 && unit < 3; unit++)
        size /= 1000;
    snprintf(ret_text, NV_SPAN_TEXT, "%.1f %s", size, nv_is_french() ? unites[unit] : units[unit]);
}
