#include "written.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "store/care.h"
#include "store/db.h"
#include "store/schema.h"

/* Whether the write had reached the site. */
static bool has_reached(const struct nv_write *write, struct nv_stores *stores, size_t site)
{
    return write->site == site || (write->seq > 0 && nv_stores_applied(stores, site, write->site) >= write->seq);
}

/* The writer at `site` saw that value there (NV_WRITE_OF_RECORD: an end of the record), and writes over it. Of a quiet
 * field nobody is asked: whoever writes to it writes over all that had reached the site. */
static void cover(struct nv_writes *writes, struct nv_stores *stores, size_t site, size_t record, int field, int code)
{
    for (size_t i = 0; i < writes->count; i++) {
        struct nv_write *write = &writes->items[i];
        if (write->record != record || write->field != field || !has_reached(write, stores, site))
            continue;
        if (write->site == site && write->seq == 0)
            write->is_overwritten = true;
        if (field == NV_WRITE_OF_RECORD || field == NV_STORES_QUIET || write->code == code)
            write->is_covered = true;
    }
}

static void add(struct nv_writes *writes, size_t site, size_t record, int field, int code)
{
    assert_true(writes->count < NV_WRITES_MAX);
    nv_dice_trace("  write %zu: site %zu, %s.%s", writes->count, site, nv_stores_keys[record],
                  field < 0 ? "(deleted)" : nv_stores_fields[field]);
    writes->items[writes->count++] = (struct nv_write){.site = site, .record = record, .field = field, .code = code};
}

/* A write of one field over what the row showed; base -1: there was no row. */
static void write_field(struct nv_writes *writes, struct nv_stores *stores, size_t site, size_t record, int field,
                        int base, int code)
{
    cover(writes, stores, site, record, field, base);
    add(writes, site, record, field, code);
}

static void write_delete(struct nv_writes *writes, struct nv_stores *stores, size_t site, size_t record,
                         const struct nv_stores_row *base)
{
    for (int field = 0; field < NV_STORES_FIELDS; field++)
        cover(writes, stores, site, record, field, base->codes[field]);
    cover(writes, stores, site, record, NV_WRITE_OF_RECORD, 0);
    add(writes, site, record, NV_WRITE_OF_RECORD, 0);
}

void nv_writes_notice(struct nv_writes *writes, struct nv_stores *stores, size_t site)
{
    struct nv_stores_row rows[NV_STORES_RECORDS];
    nv_stores_rows(stores, site, rows);
    for (size_t record = 0; record < NV_STORES_RECORDS; record++) {
        const struct nv_stores_row *base = &writes->base[site][record], *row = &rows[record];
        if (base->there && !row->there)
            write_delete(writes, stores, site, record, base);
        if (!row->there)
            continue;
        bool any = false;
        for (int field = 0; field < NV_STORES_FIELDS; field++) {
            if (base->there && base->codes[field] == row->codes[field])
                continue;
            write_field(writes, stores, site, record, field, base->there ? base->codes[field] : -1, row->codes[field]);
            any = true;
        }
        if (any) /* whoever writes to a record keeps it: a delete that reached the site is answered */
            cover(writes, stores, site, record, NV_WRITE_OF_RECORD, 0);
    }
    memcpy(writes->base[site], rows, sizeof rows);
}

void nv_writes_settle(struct nv_writes *writes, struct nv_stores *stores, size_t site)
{
    uint64_t seq = nv_stores_applied(stores, site, site);
    for (size_t i = 0; i < writes->count; i++)
        if (writes->items[i].site == site && writes->items[i].seq == 0)
            writes->items[i].seq = seq;
    nv_stores_rows(stores, site, writes->base[site]);
}

/* ---- answers ---- */

struct open_conflict {
    size_t record;
    int field; /* NV_WRITE_OF_RECORD: deleted */
};

static size_t place_of(const char *name, const char *const *names, size_t count)
{
    size_t place = 0;
    while (place < count && strcmp(names[place], name) != 0)
        place++;
    assert_true(place < count);
    return place;
}

static bool pick_conflict(struct nv_stores *stores, struct nv_dice *dice, size_t site, struct open_conflict *ret_open)
{
    struct nv_error error;
    sqlite3_stmt *rows = nv_db_prepare(nv_store_db(stores->sites[site].store),
                                       "SELECT DISTINCT key_text, field FROM navette_conflict ORDER BY 1, 2", &error);
    assert_non_null(rows);
    size_t seen = 0;
    while (sqlite3_step(rows) == SQLITE_ROW) {
        if (nv_dice_below(dice, ++seen) != 0)
            continue;
        const char *field = (const char *)sqlite3_column_text(rows, 1);
        ret_open->record = place_of((const char *)sqlite3_column_text(rows, 0), nv_stores_keys, NV_STORES_RECORDS);
        ret_open->field = field == NULL ? NV_WRITE_OF_RECORD : (int)place_of(field, nv_stores_fields, NV_STORES_FIELDS);
    }
    sqlite3_finalize(rows);
    return seen > 0;
}

/* The values that a field's conflict lists (NV_WRITE_OF_RECORD: all the record's) are before the eyes of whoever
 * answers. Returns how many there are. */
static size_t cover_listed(struct nv_writes *writes, struct nv_stores *stores, size_t site, size_t record, int only)
{
    struct nv_error error;
    size_t count = 0;
    sqlite3_stmt *rows =
        nv_db_prepare(nv_store_db(stores->sites[site].store),
                      "SELECT field, value FROM navette_conflict WHERE key_text = ?1 AND kind = 'values'", &error);
    assert_non_null(rows);
    sqlite3_bind_text(rows, 1, nv_stores_keys[record], -1, SQLITE_STATIC);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        int field = (int)place_of((const char *)sqlite3_column_text(rows, 0), nv_stores_fields, NV_STORES_FIELDS);
        struct nv_value value = nv_db_value(rows, 1);
        if (only != NV_WRITE_OF_RECORD && field != only)
            continue;
        cover(writes, stores, site, record, field, nv_code_of(&value));
        count++;
    }
    sqlite3_finalize(rows);
    return count;
}

static void answer_with(struct nv_stores *stores, size_t site, const struct open_conflict *open, int choice,
                        const char *value)
{
    struct nv_wall_ms now = nv_stores_turn(stores, site);
    struct nv_store *store = stores->sites[site].store;
    struct nv_buffer key = {0};
    struct nv_error error;
    nv_dice_trace("site %zu answers %s.%s with %d", site, nv_stores_keys[open->record],
                  open->field < 0 ? "(deleted)" : nv_stores_fields[open->field], choice);
    enum nv_status status = nv_key_from_text(nv_store_table(store, "item"), nv_stores_keys[open->record], &key, &error);
    if (status == NV_OK)
        status =
            nv_conflict_resolve(store, "item", nv_buffer_slice(&key),
                                open->field < 0 ? NULL : nv_stores_fields[open->field], choice, value, now, &error);
    if (status != NV_OK)
        fail_msg("resolve: %s", error.text);
    nv_buffer_done(&key);
}

void nv_writes_answer(struct nv_writes *writes, struct nv_stores *stores, struct nv_dice *dice, size_t site)
{
    struct open_conflict open;
    struct nv_stores_row rows[NV_STORES_RECORDS];
    if (!pick_conflict(stores, dice, site, &open))
        return;
    struct nv_stores_row base = writes->base[site][open.record];
    bool is_delete = open.field == NV_WRITE_OF_RECORD && nv_dice_percent(dice, 50);
    size_t listed = 0;
    if (is_delete || open.field != NV_WRITE_OF_RECORD)
        listed = cover_listed(writes, stores, site, open.record, open.field);
    if (open.field != NV_WRITE_OF_RECORD)
        answer_with(stores, site, &open, (int)nv_dice_below(dice, listed + 1), "5");
    else
        answer_with(stores, site, &open, is_delete ? 2 : 1, NULL);
    nv_stores_rows(stores, site, rows);
    if (is_delete)
        write_delete(writes, stores, site, open.record, &base);
    for (int field = 0; field < NV_STORES_FIELDS && !is_delete; field++)
        if (open.field == NV_WRITE_OF_RECORD || open.field == field)
            write_field(writes, stores, site, open.record, field, base.codes[field], rows[open.record].codes[field]);
    if (!is_delete)
        cover(writes, stores, site, open.record, NV_WRITE_OF_RECORD, 0);
    memcpy(writes->base[site], rows, sizeof rows);
}
