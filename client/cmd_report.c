/* navette report: what became of the learners, for the school itself, for the hub, and for those who pay. */
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "client/command.h"
#include "client/language.h"
#include "client/report/show.h"
#include "store/authority.h"
#include "store/db.h"

struct reporting {
    struct nv_store *store;
    struct nv_own *own; /* where the site's own records are reported, as they are now */
    enum nv_audience audience;
    struct nv_definitions definitions;
    struct nv_counts counts;
    struct nv_figures figures;
    bool is_draft;
};

/* ---- what is asked for ---- */

static enum nv_status choose_audience(const struct nv_call *call, struct reporting *reporting, struct nv_error *error)
{
    static const char *const names[] = {[NV_FOR_SITE] = "site", [NV_FOR_HUB] = "hub", [NV_FOR_FUNDER] = "funder"};
    const struct nv_member *self = nv_store_member(reporting->store, nv_store_identity(reporting->store)->site);
    const char *asked = nv_option(call, "--for");
    reporting->audience = self != NULL && self->role == NV_ROLE_HUB ? NV_FOR_HUB : NV_FOR_SITE;
    for (size_t i = 0; asked != NULL && i < sizeof names / sizeof names[0]; i++)
        if (strcmp(asked, names[i]) == 0) {
            reporting->audience = (enum nv_audience)i;
            asked = NULL;
        }
    if (asked != NULL)
        return nv_fail(error, NV_USAGE, "--for takes site, hub or funder");
    if (nv_option(call, "--disclose") != NULL && reporting->audience != NV_FOR_FUNDER)
        return nv_fail(error, NV_USAGE, "--disclose is for what is handed out: it goes with --for funder");
    if (nv_option(call, "--disclose") != NULL && (self == NULL || self->role != NV_ROLE_HUB))
        return nv_fail(error, NV_REFUSED, "the hub alone hands out reports to funders, and keeps account of them");
    bool is_log = reporting->audience == NV_FOR_HUB && call->word_count > 0 && strcmp(call->words[0], "R14") == 0;
    if (nv_option(call, "--why") != NULL && !is_log)
        return nv_fail(
            error, NV_USAGE,
            "--why goes with report R14 of the hub: it is a log to keep there, for with it hidden counts can "
            "be worked out");
    return NV_OK;
}

static enum nv_status choose_split(const struct nv_call *call, const struct nv_definitions *definitions,
                                   size_t *ret_split, struct nv_error *error)
{
    const char *asked = nv_option(call, "--by");
    char known[200] = "";
    *ret_split = 0;
    if (asked == NULL)
        return NV_OK;
    for (size_t i = 1; i < definitions->split_count; i++) {
        if (strcmp(definitions->splits[i], asked) == 0) {
            *ret_split = i;
            return NV_OK;
        }
        size_t size = strlen(known);
        snprintf(known + size, sizeof known - size, "%s%.64s", i == 1 ? "" : ", ", definitions->splits[i]);
    }
    return nv_fail(error, NV_USAGE, "reports are not split by %.60s, but by: %s", asked, known);
}

static enum nv_status check_name(const struct nv_definitions *definitions, const char *name, struct nv_error *error)
{
    for (size_t i = 0; i < definitions->report_count; i++)
        if (name == NULL || strcmp(definitions->reports[i].name, name) == 0)
            return NV_OK;
    return nv_fail(error, NV_NOT_FOUND, "there is no report %.40s: `navette report` shows them all", name);
}

typedef enum nv_status show(const struct nv_page *page, struct nv_error *error);

static enum nv_status choose_format(const struct nv_call *call, show **ret_show, struct nv_error *error)
{
    static const struct {
        const char *name;
        show *show;
    } formats[] = {{"table", nv_show_table}, {"csv", nv_show_csv}, {"json", nv_show_json}, {"html", nv_show_html}};
    const char *asked = nv_option(call, "--format");
    *ret_show = call->json ? nv_show_json : nv_show_table;
    if (asked == NULL)
        return NV_OK;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (strcmp(formats[i].name, asked) == 0) {
            *ret_show = formats[i].show;
            return NV_OK;
        }
    return nv_fail(error, NV_USAGE, "--format takes table, csv, json or html");
}

/* ---- what was handed out ---- */

/* Whether the last period of the counts was disclosed, and whether a later one was. */
static enum nv_status look_for_disclosures(struct reporting *reporting, bool *ret_is, bool *ret_is_past,
                                           struct nv_error *error)
{
    bool row;
    sqlite3_stmt *found =
        nv_db_prepare(nv_store_db(reporting->store),
                      "SELECT coalesce(max(period = ?1), 0), coalesce(max(period > ?1), 0) FROM disclosure", error);
    if (found == NULL)
        return error->status;
    sqlite3_bind_text(found, 1, reporting->counts.periods[reporting->counts.period_count - 1], -1, SQLITE_STATIC);
    enum nv_status status = nv_db_step(found, &row, error);
    if (status == NV_OK) {
        *ret_is = sqlite3_column_int(found, 0) != 0;
        *ret_is_past = sqlite3_column_int(found, 1) != 0;
    }
    sqlite3_finalize(found);
    return status;
}

/* Writes down whose counts of the period are handed out now: what comes later is hidden so that nothing of these is
 * given back. An ordinary write, which other sites get too. */
static enum nv_status disclose(struct reporting *reporting, struct nv_error *error)
{
    sqlite3_stmt *insert = nv_db_prepare(nv_store_db(reporting->store),
                                         "INSERT INTO main.disclosure(period, site, disclosed_on) "
                                         "SELECT DISTINCT period, site, date('now') FROM outcome_count "
                                         "WHERE period = ?1",
                                         error);
    if (insert == NULL)
        return error->status;
    sqlite3_bind_text(insert, 1, reporting->counts.periods[reporting->counts.period_count - 1], -1, SQLITE_STATIC);
    enum nv_status status = nv_db_run(insert, error);
    sqlite3_finalize(insert);
    return status;
}

/* What funders get follows what they got before, in the order of periods; and one hub keeps account of it. */
static enum nv_status follow_disclosures(const struct nv_call *call, struct reporting *reporting,
                                         struct nv_error *error)
{
    bool is_disclosed = false, is_past = false, wants = nv_option(call, "--disclose") != NULL;
    const char *period = reporting->counts.periods[reporting->counts.period_count - 1];
    enum nv_status status = look_for_disclosures(reporting, &is_disclosed, &is_past, error);
    if (status == NV_OK && !is_disclosed && is_past)
        status = nv_fail(error, NV_REFUSED,
                         "%.16s was not handed out, and a later period was: beside that one, its counts would give "
                         "back what is hidden",
                         period);
    if (status == NV_OK && !is_disclosed && wants)
        status = disclose(reporting, error);
    reporting->is_draft = !is_disclosed && !wants;
    return status;
}

/* ---- reading, computing, showing ---- */

/* The published counts, all of one moment. */
static enum nv_status read_published(const struct nv_call *call, struct reporting *reporting,
                                     const struct nv_source *source, struct nv_error *error)
{
    sqlite3 *db = nv_store_db(reporting->store);
    struct nv_counts_wanted wanted = {.period = nv_option(call, "--period"),
                                      .disclosed_only = reporting->audience == NV_FOR_FUNDER};
    /* Who discloses is to write: a moment that was only read cannot become one. */
    enum nv_status status = nv_db_exec(db, nv_option(call, "--disclose") != NULL ? "BEGIN IMMEDIATE" : "BEGIN", error);
    if (status == NV_OK)
        status = nv_definitions_read(source, &reporting->definitions, error);
    if (status == NV_OK)
        status = nv_store_see_rightful(reporting->store, "outcome_count", "disclosure", error);
    if (status == NV_OK)
        status = nv_counts_read_published(source, &wanted, &reporting->definitions, &reporting->counts, error);
    if (status == NV_OK && reporting->audience == NV_FOR_FUNDER)
        status = follow_disclosures(call, reporting, error);
    return status == NV_OK ? nv_db_exec(db, "COMMIT", error) : status;
}

static enum nv_status read_counts(const struct nv_call *call, struct reporting *reporting, struct nv_error *error)
{
    struct nv_source source = {.store = reporting->store};
    if (reporting->audience != NV_FOR_SITE)
        return read_published(call, reporting, &source, error);
    enum nv_status status = nv_own_open(reporting->store, &reporting->own, error);
    source.own = reporting->own;
    if (status == NV_OK)
        status = nv_definitions_read(&source, &reporting->definitions, error);
    if (status == NV_OK)
        status = nv_counts_read_own(&source, &reporting->definitions, &reporting->counts, error);
    return status;
}

static enum nv_status show_page(const struct nv_call *call, struct reporting *reporting, show *show_it,
                                struct nv_error *error)
{
    const struct nv_counts *counts = &reporting->counts;
    struct nv_page page = {
        .definitions = &reporting->definitions,
        .counts = counts,
        .figures = &reporting->figures,
        .report = call->word_count > 0 ? call->words[0] : NULL,
        .site = nv_store_identity(reporting->store)->name,
        .period = counts->periods[counts->period_count - 1],
        .tells_why = nv_option(call, "--why") != NULL,
        .is_draft = reporting->is_draft,
    };
    nv_counts_days(counts, &page.day_from, &page.day_to);
    return show_it(&page, error);
}

enum nv_status nv_command_report(struct nv_call *call, struct nv_error *error)
{
    struct reporting reporting = {0};
    struct nv_figures_wanted wanted = {.report = call->word_count > 0 ? call->words[0] : NULL};
    show *show_it = NULL;
    enum nv_status status = choose_format(call, &show_it, error);
    if (status == NV_OK)
        status = nv_home_open(&call->home, &reporting.store, error);
    if (status == NV_OK)
        status = choose_audience(call, &reporting, error);
    if (status == NV_OK)
        status = read_counts(call, &reporting, error);
    if (status == NV_OK)
        status = check_name(&reporting.definitions, wanted.report, error);
    if (status == NV_OK)
        status = choose_split(call, &reporting.definitions, &wanted.split, error);
    if (status == NV_OK) {
        struct nv_source source = {.store = reporting.store, .own = reporting.own};
        wanted.audience = reporting.audience;
        status =
            nv_figures_compute(&source, &reporting.definitions, &reporting.counts, &wanted, &reporting.figures, error);
    }
    if (status == NV_OK)
        status = show_page(call, &reporting, show_it, error);
    nv_figures_done(&reporting.figures);
    nv_counts_done(&reporting.counts);
    nv_definitions_done(&reporting.definitions);
    nv_own_close(reporting.own);
    nv_store_close(reporting.store);
    return status;
}
