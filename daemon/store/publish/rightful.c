/* What was published, as far as it was its writer's to say: temporary views that stand before the tables. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/publish.h"
#include "store/publish/keys.h"
#include "store/trust/rights.h"

static int place_of(const struct nv_table *table, const char *column)
{
    int place = 0;
    while (place < (int)table->key_count && sqlite3_stricmp(table->keys[place], column) != 0)
        place++;
    return place < (int)table->key_count ? place : -1;
}

/* ---- whose rows are left out ---- */

/* Under the name of another site than the one that wrote them. */
static bool is_of_another(void *context, const struct nv_store *store, struct nv_site_id home,
                          const struct nv_value *key)
{
    const struct nv_value *site = &key[*(const int *)context];
    const char *name = nv_store_site_name(store, home);
    return name == NULL || site->type != NV_TEXT || site->bytes.size != strlen(name) ||
           memcmp(site->bytes.data, name, site->bytes.size) != 0;
}

/* By another site than a hub. */
static bool is_of_no_hub(void *context, const struct nv_store *store, struct nv_site_id home,
                         const struct nv_value *key)
{
    const struct nv_member *member = nv_store_member(store, home);
    (void)context;
    (void)key;
    return member == NULL || member->role != NV_ROLE_HUB;
}

/* ---- the views ---- */

/* Of each kind only what has begun, and of at most so many years that nobody makes reports forget by a host of periods.
 */
static void append_periods(sqlite3_str *sql)
{
    static const struct {
        const char *every, *form;
    } kinds[] = {{"year", "(period GLOB '[0-9][0-9][0-9][0-9]'"},
                 {"quarter", "(period GLOB '[0-9][0-9][0-9][0-9]-Q[1-4]'"},
                 {"month", "((period GLOB '[0-9][0-9][0-9][0-9]-0[1-9]' OR "
                           "period GLOB '[0-9][0-9][0-9][0-9]-1[0-2]')"}};
    struct nv_wall_ms now = nv_wall_now();
    char period[NV_PERIOD_TEXT];
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        nv_period_of(kinds[i].every, now, period);
        sqlite3_str_appendf(sql, "%s%s AND period <= '%q')", i == 0 ? "(" : " OR ", kinds[i].form, period);
    }
    nv_period_of("year", now, period);
    sqlite3_str_appendf(sql, ") AND CAST(substr(period, 1, 4) AS INTEGER) > %q - %d", period, NV_PERIOD_YEARS);
}

static enum nv_status stand_before(struct nv_store *store, const struct nv_table *table, bool has_periods,
                                   nv_keys_wanted *left_out, int place, struct nv_error *error)
{
    char list[NV_LIMIT_NAME + 32];
    snprintf(list, sizeof list, "navette_strange_%u", table->number);
    enum nv_status status = nv_keys_list(store, store->db, table, list, left_out, &place, error);
    if (status != NV_OK)
        return status;
    sqlite3_str *sql = sqlite3_str_new(store->db);
    sqlite3_str_appendf(sql, "CREATE TEMP VIEW \"%w\" AS SELECT * FROM main.\"%w\" AS told WHERE ", table->name,
                        table->name);
    nv_keys_append_absent(sql, table, list, "told");
    if (has_periods) {
        sqlite3_str_appendall(sql, " AND ");
        append_periods(sql);
    }
    return nv_keys_run(store->db, sql, error);
}

static enum nv_status find(const struct nv_store *store, const char *name, const struct nv_table **ret_table,
                           struct nv_error *error)
{
    const struct nv_table *table = nv_store_table(store, name);
    if (table == NULL || table->missing || place_of(table, "period") < 0 || place_of(table, "site") < 0)
        return nv_fail(error, NV_NOT_YET, "the table %.64s, from which reports are made, is not here now", name);
    *ret_table = table;
    return NV_OK;
}

enum nv_status nv_store_see_rightful(struct nv_store *store, const char *counts, const char *disclosures,
                                     struct nv_error *error)
{
    const struct nv_table *table;
    bool changed;
    enum nv_status status = nv_store_refresh(store, &changed, error);
    if (status == NV_OK)
        status = find(store, counts, &table, error);
    if (status == NV_OK)
        status = stand_before(store, table, true, is_of_another, place_of(table, "site"), error);
    if (status == NV_OK)
        status = find(store, disclosures, &table, error);
    if (status == NV_OK)
        status = stand_before(store, table, false, is_of_no_hub, 0, error);
    return status;
}
