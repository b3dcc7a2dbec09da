/* Figures of the network as a whole: who was heard from, and how far the aims are. */
#include <string.h>

#include "base/clock.h"
#include "client/language.h"
#include "client/report/figures_internal.h"
#include "store/authority.h"
#include "store/db.h"

enum { HEARD_WITHIN_MS = 7 * 24 * 3600 * 1000 };

/* ---- coverage ---- */

static enum nv_status add_public(struct nv_figuring *figuring, enum nv_figure_kind kind, const char *report,
                                 const char *line, const char *label, int64_t numerator, int64_t denominator,
                                 struct nv_error *error)
{
    struct nv_figure figure = {.kind = kind,
                               .report = report,
                               .line = line,
                               .label = label,
                               .group = NV_EVERYBODY,
                               .shown = NV_SHOWN,
                               .numerator = numerator,
                               .denominator = denominator,
                               .unknown = -1,
                               .people = -1,
                               .when = -1};
    return nv_figure_add(figuring, &figure) == NULL ? nv_no_memory(error) : NV_OK;
}

/* When a site was last heard of: directly, or by what it wrote last. */
static enum nv_status last_word_of(struct nv_store *store, const struct nv_member *member, int64_t now_ms,
                                   int64_t *ret_ms, struct nv_error *error)
{
    bool row;
    sqlite3_stmt *last = nv_db_prepare(
        nv_store_db(store),
        "SELECT max(coalesce((SELECT CASE WHEN connected THEN ?2 ELSE last_heard_ms END FROM main.navette_peer "
        "WHERE site = ?1), 0), coalesce((SELECT max(c.sealed_ms) FROM main.navette_log AS l "
        "JOIN main.navette_changeset AS c ON c.log = l.number AND c.seq = l.has_seq WHERE l.site = ?1), 0))",
        error);
    if (last == NULL)
        return error->status;
    nv_db_bind_slice(last, 1, (struct nv_slice){member->site.bytes, sizeof member->site.bytes});
    sqlite3_bind_int64(last, 2, now_ms);
    enum nv_status status = nv_db_step(last, &row, error);
    if (status == NV_OK)
        *ret_ms = sqlite3_column_int64(last, 0);
    sqlite3_finalize(last);
    return status;
}

static enum nv_status hear_of_sites(struct nv_store *store, int64_t *ret_heard, int64_t *ret_expected,
                                    struct nv_error *error)
{
    const struct nv_member *members;
    size_t count;
    int64_t now_ms = nv_wall_now().ms;
    enum nv_status status = NV_OK;
    nv_store_members(store, &members, &count);
    for (size_t i = 0; status == NV_OK && i < count; i++) {
        int64_t last_ms = 0;
        if (members[i].role != NV_ROLE_SITE)
            continue;
        status = last_word_of(store, &members[i], now_ms, &last_ms, error);
        ++*ret_expected;
        *ret_heard += last_ms >= now_ms - HEARD_WITHIN_MS;
    }
    return status;
}

/* Units that anything is counted of, each once. */
static size_t units_counted(const struct nv_figuring *figuring, bool by_place)
{
    const struct nv_definitions *definitions = figuring->definitions;
    size_t found = 0;
    const char *last = NULL;
    for (size_t unit = 0; unit < definitions->unit_count; unit++) {
        bool is_counted = false;
        for (size_t i = 0; !is_counted && i < figuring->counts->item_count; i++)
            is_counted = figuring->counts->items[i].unit == unit;
        const struct nv_unit *at = &definitions->units[unit];
        if (!is_counted || at->starts_on[0] == '\0' || (by_place && last != NULL && strcmp(last, at->place) == 0))
            continue;
        last = at->place;
        found++;
    }
    return found;
}

enum nv_status nv_figures_add_coverage(struct nv_figuring *figuring, struct nv_error *error)
{
    const struct nv_definitions *definitions = figuring->definitions;
    int64_t expected = 0, heard = 0, courses = 0;
    enum nv_status status = NV_OK;
    if (figuring->figures.audience != NV_FOR_SITE)
        status = hear_of_sites(figuring->source->store, &heard, &expected, error);
    for (size_t i = 0; i < definitions->unit_count; i++)
        courses += definitions->units[i].starts_on[0] != '\0';
    if (status == NV_OK && expected > 0)
        status = add_public(figuring, NV_FIGURE_COVERAGE, "R12", "sites_heard", _("Sites heard from within 7 days"),
                            heard, expected, error);
    if (status == NV_OK && courses > 0)
        status = add_public(figuring, NV_FIGURE_COVERAGE, "R12", "courses_counted", _("Courses with counts"),
                            (int64_t)units_counted(figuring, false), courses, error);
    return status;
}

/* ---- aims ---- */

static enum nv_status add_people_aim(struct nv_figuring *figuring, const struct nv_aim *aim, struct nv_error *error)
{
    nv_parts everybody = nv_figuring_everybody(figuring, 0);
    struct nv_indicator indicator = {.numerator = everybody, .denominator = everybody, .dimension = 0};
    struct nv_figure figure = nv_figure_of_people(figuring, &indicator, NV_EVERYBODY);
    figure.kind = NV_FIGURE_AIM;
    figure.report = "R13";
    figure.line = aim->line;
    figure.label = aim->label;
    figure.denominator = aim->target;
    return nv_figure_add(figuring, &figure) == NULL ? nv_no_memory(error) : NV_OK;
}

/* A line's rate beside an aim in percent: the aim goes by the line's own name in the figures of R2. */
static enum nv_status add_rate_aim(struct nv_figuring *figuring, const struct nv_aim *aim, struct nv_error *error)
{
    struct nv_figure figure =
        nv_figure_of_people(figuring, &figuring->definitions->indicators[aim->indicator], NV_EVERYBODY);
    figure.report = "R13";
    figure.line = aim->line;
    figure.label = aim->label;
    figure.aim = aim->target;
    return nv_figure_add(figuring, &figure) == NULL ? nv_no_memory(error) : NV_OK;
}

enum nv_status nv_figures_add_aims(struct nv_figuring *figuring, struct nv_error *error)
{
    const struct nv_definitions *definitions = figuring->definitions;
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < definitions->aim_count; i++) {
        const struct nv_aim *aim = &definitions->aims[i];
        if (aim->indicator < definitions->indicator_count)
            status = add_rate_aim(figuring, aim, error);
        else if (strcmp(aim->line, "places") == 0)
            status = add_public(figuring, NV_FIGURE_AIM, "R13", aim->line, aim->label,
                                (int64_t)units_counted(figuring, true), aim->target, error);
        else
            status = add_people_aim(figuring, aim, error);
    }
    return status;
}
