#include "story.h"

#include "base/hex.h"
#include "report.h"
#include "store/db.h"
#include "store/log.h"
#include "trace.h"
#include "words.h"

enum { BATCH = 256, TEXT = 900, BUDGET = 1 << 20 };

/* ---- logs ---- */

static void tell_taken(const struct sim_machine *machine, const struct nv_slice *changesets, size_t count)
{
    char text[TEXT];
    struct sim_words words = {text, sizeof text};
    if (count == 0)
        return;
    sim_say_heads_of(&words, changesets, count);
    sim_trace("%s holds%s", machine->name, text);
}

static void tell_sealed(const struct sim_machine *machine, struct nv_slice changeset)
{
    char text[TEXT];
    struct sim_words words = {text, sizeof text};
    sim_say_heads_of(&words, &changeset, 1);
    sim_say_changeset(&words, changeset);
    sim_trace("%s seals%s", machine->name, text);
}

static void tell_batch(const struct sim_machine *machine, const struct nv_buffer *bytes, const size_t *ends,
                       const struct nv_far_head *heads, size_t count)
{
    struct nv_slice changesets[BATCH];
    size_t taken = 0;
    for (size_t i = 0, start = 0; i < count; start = ends[i++]) {
        const struct nv_slice changeset = {bytes->data + start, ends[i] - start};
        if (nv_site_id_compare(heads[i].site, machine->founding->sites[machine->place]) != 0) {
            changesets[taken++] = changeset;
            continue;
        }
        tell_taken(machine, changesets, taken);
        taken = 0;
        tell_sealed(machine, changeset);
    }
    tell_taken(machine, changesets, taken);
}

void sim_story_logs(struct sim_world *world, size_t place)
{
    static struct nv_far_head heads[BATCH];
    struct sim_machine *machine = &world->machines[place];
    struct nv_heads *told = &world->told[place];
    const struct nv_far_head *has;
    size_t has_count, ends[BATCH], count;
    nv_store_has(machine->store, &has, &has_count);
    if (!sim_trace_is_read() || nv_heads_cover(told, has, has_count)) {
        nv_heads_assign(told, has, has_count);
        return;
    }
    struct nv_store *reader = sim_machine_examiner(machine);
    struct nv_buffer bytes = {0};
    struct nv_error error;
    int64_t cursor = 0;
    bool done = false, changed;
    if (reader == NULL || nv_store_refresh(reader, &changed, &error) != NV_OK)
        sim_fail("history", "the store of %s cannot be read", machine->name);
    while (!done) {
        nv_buffer_clear(&bytes);
        if (nv_store_read_for(reader, told->heads, told->count, NULL, &cursor, BUDGET, &bytes, ends, heads, BATCH,
                              &count, &done, &error) != NV_OK)
            sim_fail("history", "the log of %s cannot be read: %s", machine->name, error.text);
        tell_batch(machine, &bytes, ends, heads, count);
    }
    nv_buffer_done(&bytes);
    nv_heads_assign(told, has, has_count);
}

/* ---- rows ---- */

static sqlite3_stmt *prepare(struct sim_world *world, size_t place, const char *sql)
{
    sqlite3 *db = sim_machine_eyes(&world->machines[place]);
    sqlite3_stmt *rows = NULL;
    if (db == NULL || sqlite3_prepare_v2(db, sql, -1, &rows, NULL) != SQLITE_OK)
        sim_fail("scenario", "%s cannot be asked: %s", sim_place_name(place), sqlite3_errmsg(db));
    return rows;
}

static void add_rows(sqlite3_stmt *rows, struct sim_words *words)
{
    bool any = false;
    while (sqlite3_step(rows) == SQLITE_ROW) {
        sim_say(words, "%s %s:", any ? ";" : "shows", (const char *)sqlite3_column_text(rows, 0));
        for (int column = 1; column < sqlite3_column_count(rows); column++) {
            struct nv_value value = nv_db_value(rows, column);
            sim_say(words, " %s=", sqlite3_column_name(rows, column));
            sim_say_value(words, &value);
        }
        any = true;
    }
    sim_say(words, any ? "\n" : "shows no row\n");
}

static const char *name_of(const char *hex)
{
    struct nv_site_id site;
    return nv_unhex(hex, site.bytes, sizeof site.bytes) ? sim_site_name(site) : hex;
}

static void add_conflicts(sqlite3_stmt *rows, struct sim_words *words)
{
    while (sqlite3_step(rows) == SQLITE_ROW) {
        const char *field = (const char *)sqlite3_column_text(rows, 1);
        struct nv_value value = nv_db_value(rows, 4);
        sim_say(words, "lists %s%s%s, by %s: ", (const char *)sqlite3_column_text(rows, 0), field == NULL ? "" : ".",
                field == NULL ? "" : field, name_of((const char *)sqlite3_column_text(rows, 2)));
        if (field == NULL)
            sim_say(words, "deleted");
        else
            sim_say_value(words, &value);
        sim_say(words, sqlite3_column_int(rows, 3) != 0 ? " (shown)\n" : "\n");
    }
}

void sim_story_shown(struct sim_world *world, size_t place, char *ret_text, size_t capacity)
{
    struct sim_words words = {ret_text, capacity};
    sqlite3_stmt *rows = prepare(world, place, "SELECT * FROM item ORDER BY id");
    add_rows(rows, &words);
    sqlite3_finalize(rows);
    rows = prepare(world, place,
                   "SELECT key_text, field, site, shown, value FROM navette_conflict ORDER BY key_text, field, choice");
    add_conflicts(rows, &words);
    sqlite3_finalize(rows);
}

char *sim_story_ask(struct sim_world *world, size_t place, const char *sql)
{
    sqlite3_stmt *rows = prepare(world, place, sql);
    sqlite3_str *text = sqlite3_str_new(NULL);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        for (int column = 0; column < sqlite3_column_count(rows); column++) {
            const char *value = (const char *)sqlite3_column_text(rows, column);
            sqlite3_str_appendf(text, "%s%s", column > 0 ? " " : "", value == NULL ? "NULL" : value);
        }
        sqlite3_str_appendchar(text, 1, ';');
    }
    sqlite3_finalize(rows);
    char *answer = sqlite3_str_finish(text);
    return answer == NULL ? sqlite3_mprintf("") : answer;
}
