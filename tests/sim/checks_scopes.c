#include "checks_scopes.h"

#include <inttypes.h>
#include <string.h>

#include "checks.h"
#include "report.h"
#include "siblings.h"
#include "store/care.h"
#include "store/db.h"
#include "store/log.h"

enum { HUB = 0 };
static const uint64_t LATEST = UINT64_MAX - 1; /* a position beyond all */

/* ---- where marks stand ---- */

static void search(const struct sim_world *world, size_t place, struct nv_slice bytes, const char *where)
{
    size_t at = 0, key;
    unsigned mark;
    enum sim_table table;
    while (sim_marks_next(bytes, &at, &mark, &table, &key)) {
        if (mark != 0 && !sim_marks_may_have(&world->marks, &world->rights, mark, place))
            sim_fail("scope", "%s has value %u of %s %zu in %s, which %s wrote at position %" PRIu64,
                     sim_place_name(place), mark, sim_shapes[world->marks.marks[mark].table].name,
                     world->marks.marks[mark].key, where, sim_place_name(world->marks.marks[mark].place),
                     world->marks.marks[mark].position);
        if (mark == 0 && !sim_marks_may_have_key(&world->marks, &world->rights, table, key, place))
            sim_fail("scope", "%s has the key of %s %zu in %s", sim_place_name(place), sim_shapes[table].name, key,
                     where);
    }
}

void sim_check_scopes_frame(struct sim_world *world, size_t from, size_t to, struct nv_slice frame)
{
    (void)from;
    if (world->profile.has_scopes)
        search(world, to, frame, "a frame");
}

void sim_check_scopes_file(struct sim_world *world, size_t place)
{
    static struct nv_buffer bytes;
    static const char *const files[] = {"store.db", "store.db-wal"};
    for (size_t i = 0; world->profile.has_scopes && i < sizeof files / sizeof *files; i++) {
        nv_buffer_clear(&bytes);
        if (nv_disk_get(world->machines[place].disk, files[i], &bytes))
            search(world, place, nv_buffer_slice(&bytes), files[i]);
    }
}

void sim_check_scopes_reader(struct sim_world *world, size_t from, size_t to, struct nv_scope_id scope)
{
    const struct nv_far_head *has;
    size_t count, bit = sim_rights_bit(&world->rights, scope);
    nv_store_has(world->machines[from].store, &has, &count);
    if (nv_scope_id_equal(scope, NV_SCOPE_AUTHORITY) || (to == HUB && bit != SIM_BIT_NETWORK))
        return;
    if (count > 0 && !sim_rights_reads(&world->rights, bit, to, has[0].seq))
        sim_fail("carried", "%s sends to %s what that does not carry at position %" PRIu64, sim_place_name(from),
                 sim_place_name(to), has[0].seq);
}

/* ---- content keys ---- */

static void check_grant(const struct sim_world *world, const struct sim_grant *grant)
{
    const struct sim_history *history = &world->history;
    const struct sim_content_key *key = &history->keys[grant->key];
    const struct sim_log *by = &history->logs[grant->by_log];
    size_t scope = sim_rights_bit(&world->rights, by->scope), to = sim_rights_place(&world->rights, grant->to);
    if (to == SIZE_MAX || scope == SIM_BITS)
        sim_fail("granted", "a key is given to nobody, or in no scope");
    if (!sim_rights_reads(&world->rights, scope, to, grant->position))
        sim_fail("granted", "%s gives a key to %s, which does not read the scope at position %" PRIu64,
                 sim_site_name(by->site), sim_place_name(to), grant->position);
    if (!sim_rights_reads_from(&world->rights, scope, to, key->last_use))
        sim_fail("granted", "%s seals with a key that %s has, which reads no more at position %" PRIu64,
                 sim_site_name(history->logs[key->log].site), sim_place_name(to), key->last_use);
}

/* Whether a member other than that place, which reads the scope by now, opened a grant of the key. */
static bool has_somebody_key(struct sim_world *world, size_t place, const struct nv_log_id *log, uint64_t number)
{
    static const char sql[] = "SELECT 1 FROM navette_grant AS g JOIN navette_log AS l ON l.number = g.log WHERE "
                              "l.site = ?1 AND l.epoch = ?2 AND l.scope = ?3 AND g.number = ?4 AND g.opens > 0";
    size_t scope = sim_rights_bit(&world->rights, log->scope);
    for (size_t other = 0; other < world->places; other++) {
        sqlite3_stmt *row = NULL;
        if (other == place || !sim_world_has(world, other) || !sim_rights_reads(&world->rights, scope, other, LATEST))
            continue;
        bool has = sqlite3_prepare_v2(sim_machine_eyes(&world->machines[other]), sql, -1, &row, NULL) == SQLITE_OK;
        sqlite3_bind_blob(row, 1, log->site.bytes, sizeof log->site.bytes, SQLITE_STATIC);
        sqlite3_bind_int64(row, 2, (int64_t)log->epoch);
        sqlite3_bind_blob(row, 3, log->scope.bytes, sizeof log->scope.bytes, SQLITE_STATIC);
        sqlite3_bind_int64(row, 4, (int64_t)number);
        has = has && sqlite3_step(row) == SQLITE_ROW;
        sqlite3_finalize(row);
        if (has)
            return true;
    }
    return false;
}

/* Whether a key is lacking at the place of a scope that it reads (SIM_BITS: of any), which somebody else has, or not.
 */
static bool lacks_key(struct sim_world *world, size_t place, size_t scope, bool somebody_has)
{
    sqlite3_stmt *rows = NULL;
    bool lacks = false;
    if (sqlite3_prepare_v2(sim_machine_eyes(&world->machines[place]),
                           "SELECT l.site, l.epoch, l.scope, g.number FROM navette_grant AS g JOIN navette_log AS l ON "
                           "l.number = g.log WHERE g.introduces AND NOT EXISTS (SELECT 1 FROM navette_grant AS o WHERE "
                           "o.log = g.log AND o.number = g.number AND o.opens = 1)",
                           -1, &rows, NULL) != SQLITE_OK)
        return true;
    while (!lacks && sqlite3_step(rows) == SQLITE_ROW) {
        struct nv_log_id log = {.epoch = (uint64_t)sqlite3_column_int64(rows, 1)};
        memcpy(log.site.bytes, sqlite3_column_blob(rows, 0), sizeof log.site.bytes);
        memcpy(log.scope.bytes, sqlite3_column_blob(rows, 2), sizeof log.scope.bytes);
        size_t of = sim_rights_bit(&world->rights, log.scope);
        lacks = (of == scope || scope == SIM_BITS) && sim_rights_reads(&world->rights, of, place, LATEST) &&
                has_somebody_key(world, place, &log, (uint64_t)sqlite3_column_int64(rows, 3)) == somebody_has;
    }
    sqlite3_finalize(rows);
    return lacks;
}

bool sim_check_lacks_keys(struct sim_world *world, size_t place)
{
    return lacks_key(world, place, SIM_BITS, true);
}

/* ---- at rest ---- */

/* Of the readers of a scope each has merged the same: whose digest is not closed lacks a key that nobody has any more.
 */
static void check_readers(struct sim_world *world, size_t scope)
{
    struct nv_scope_digest digest, first;
    size_t first_place = SIZE_MAX;
    struct nv_error error;
    for (size_t place = 1; place < world->places; place++) {
        if (!sim_world_has(world, place) || !sim_rights_reads(&world->rights, scope, place, LATEST))
            continue;
        if (nv_store_digest(world->machines[place].store, sim_rights_scope(&world->rights, scope), &digest, &error) !=
            NV_OK)
            sim_fail("rest", "%s: %s", sim_place_name(place), error.text);
        if (!digest.closed && !lacks_key(world, place, scope, false))
            sim_fail("rest", "%s is not at a closed cut of group %zu", sim_place_name(place), scope);
        if (!digest.closed)
            continue;
        if (first_place == SIZE_MAX) {
            first = digest;
            first_place = place;
        }
        if (memcmp(&first.vector, &digest.vector, sizeof digest.vector) != 0 ||
            memcmp(&first.state, &digest.state, sizeof digest.state) != 0)
            sim_fail("rest", "%s and %s show different digests of group %zu", sim_place_name(first_place),
                     sim_place_name(place), scope);
    }
}

/* ---- what became of marks ---- */

static void note_sealed(struct sim_world *world, const struct sim_op *op)
{
    for (size_t field = 0; field < SIM_FIELDS; field++) {
        size_t at = 0, key;
        unsigned mark;
        enum sim_table table;
        if (!(op->fields >> field & 1) || op->values[field].type != NV_TEXT)
            continue;
        while (sim_marks_next(op->values[field].bytes, &at, &mark, &table, &key))
            world->marks.marks[mark].is_sealed = true;
    }
}

/* The scope that the op stands in is one that its values were meant for. */
static void check_place(const struct sim_world *world, const struct sim_op *op)
{
    size_t scope = sim_rights_bit(&world->rights, world->history.logs[op->log].scope);
    for (size_t field = 0; field < SIM_FIELDS; field++) {
        size_t at = 0, key;
        unsigned mark;
        enum sim_table table;
        if (!(op->fields >> field & 1) || op->values[field].type != NV_TEXT)
            continue;
        while (sim_marks_next(op->values[field].bytes, &at, &mark, &table, &key))
            if (mark != 0 && !(sim_marks_meant(&world->marks, &world->rights, mark) >> scope & 1))
                sim_fail("scope", "%s seals value %u of %s %zu in a scope that nobody meant it for",
                         sim_site_name(world->history.logs[op->log].site), mark,
                         sim_shapes[world->marks.marks[mark].table].name, world->marks.marks[mark].key);
    }
}

void sim_check_scopes_history(struct sim_world *world)
{
    struct sim_history *history = &world->history;
    bool has_grants = world->grants_seen < history->grant_count, has_ops = world->ops_seen < history->op_count;
    for (; world->ops_seen < history->op_count; world->ops_seen++) {
        note_sealed(world, &history->ops[world->ops_seen]);
        check_place(world, &history->ops[world->ops_seen]);
    }
    world->grants_seen = history->grant_count;
    for (size_t i = 0; (has_grants || has_ops) && i < history->grant_count; i++)
        check_grant(world, &history->grants[i]);
}

static bool is_in_quarantine(sqlite3 *db, unsigned mark)
{
    char text[SIM_MARK_TEXT];
    sqlite3_stmt *row = NULL;
    sim_mark_text(mark, text);
    bool is = sqlite3_prepare_v2(db, "SELECT 1 FROM navette_quarantine WHERE instr(value, ?1) > 0", -1, &row, NULL) ==
                  SQLITE_OK &&
              sqlite3_bind_text(row, 1, text, -1, SQLITE_STATIC) == SQLITE_OK && sqlite3_step(row) == SQLITE_ROW;
    sqlite3_finalize(row);
    return is;
}

void sim_check_scopes_end(struct sim_world *world)
{
    for (size_t place = 1; place < world->places; place++)
        if (sim_world_has(world, place) && world->was_recovered[place] && !world->has_lost_keys[place] &&
            lacks_key(world, place, SIM_BIT_OWN + place, false))
            sim_fail("recovered", "%s lacks keys of its own, which its recovery key opens", sim_place_name(place));
    for (size_t group = 0; group < SIM_GROUPS; group++)
        if (world->rights.is_made[group])
            check_readers(world, SIM_BIT_GROUP + group);
    for (unsigned i = 1; i <= world->marks.count; i++) {
        const struct sim_mark *mark = &world->marks.marks[i];
        if (!mark->is_committed || mark->is_over || mark->is_sealed || world->was_taken[mark->place] ||
            is_in_quarantine(sim_machine_eyes(&world->machines[mark->place]), i))
            continue;
        sim_fail("lost", "%s wrote value %u of %s %zu, and no op has it", sim_place_name(mark->place), i,
                 sim_shapes[mark->table].name, mark->key);
    }
}

/* ---- rows ---- */

/* The wider, the greater: a place's own scope, others' own, groups, the network. */
static unsigned width(size_t scope, size_t place)
{
    if (scope >= SIM_BIT_OWN)
        return scope == SIM_BIT_OWN + place ? 0 : 1;
    return scope == SIM_BIT_NETWORK ? 3 : 2;
}

static bool is_narrower(const struct sim_world *world, size_t place, const struct sim_named *one,
                        const struct sim_named *other)
{
    unsigned one_width = width(sim_rights_bit(&world->rights, one->scope), place);
    unsigned other_width = width(sim_rights_bit(&world->rights, other->scope), place);
    if (one_width != other_width)
        return one_width < other_width;
    int order = memcmp(&one->scope, &other->scope, sizeof one->scope);
    if (order != 0)
        return order < 0;
    const struct nv_site_id self = world->rights.sites[place];
    bool is_own = nv_site_id_compare(one->home, self) == 0, is_other_own = nv_site_id_compare(other->home, self) == 0;
    return is_own != is_other_own ? is_own : nv_site_id_compare(one->home, other->home) < 0;
}

static uint64_t shown_of(const struct sim_history *history, const struct nv_model_state *state, const size_t *ops,
                         size_t count, int field)
{
    static const struct nv_value null = {.type = NV_NULL};
    static struct sim_siblings siblings;
    sim_siblings_gather(history, state, ops, count, field, NV_RULE_LAST, &siblings);
    return sim_code_of(siblings.count == 0 ? &null : &siblings.candidates[siblings.shown].value);
}

/* The record that the row of a key is to show, by the model; NULL: none. What its fields show is in `ret_row`. */
static const struct sim_named *find_shown(const struct sim_world *world, size_t place, uint64_t position,
                                          const struct sim_cut *cut, enum sim_table table, const char *key,
                                          struct sim_row *ret_row)
{
    static struct nv_model_state state;
    const struct sim_named *shown = NULL;
    for (size_t i = 0; i < world->history.named_count; i++) {
        const struct sim_named *named = &world->history.named[i];
        size_t ops[SIM_MODEL_OPS], count, scope = sim_rights_bit(&world->rights, named->scope);
        if (named->table != table || strcmp(named->key, key) != 0 ||
            !sim_rights_reads(&world->rights, scope, place, position) ||
            (shown != NULL && is_narrower(world, place, shown, named)))
            continue;
        sim_history_meaning(&world->history, SIM_RECORDS + (int)i, cut, &state, ops, &count);
        if (!state.is_shown)
            continue;
        shown = named;
        *ret_row = (struct sim_row){.is_there = true};
        for (size_t field = 0; field < sim_shapes[table].field_count; field++)
            ret_row->codes[field] = shown_of(&world->history, &state, ops, count, (int)field);
    }
    return shown;
}

/* As SQL has it. False where it cannot be read. */
static bool read_row(sqlite3 *db, enum sim_table table, const char *key, struct sim_row *ret_row)
{
    const struct sim_shape *shape = &sim_shapes[table];
    char sql[128];
    sqlite3_stmt *row = NULL;
    *ret_row = (struct sim_row){0};
    snprintf(sql, sizeof sql, "SELECT * FROM %s WHERE id = ?1", shape->name);
    if (sqlite3_prepare_v2(db, sql, -1, &row, NULL) != SQLITE_OK)
        return false;
    sqlite3_bind_text(row, 1, key, -1, SQLITE_STATIC);
    ret_row->is_there = sqlite3_step(row) == SQLITE_ROW;
    for (size_t field = 0; ret_row->is_there && field < shape->field_count; field++) {
        struct nv_value value = nv_db_value(row, 1 + (int)field);
        ret_row->codes[field] = sim_code_of(&value);
    }
    sqlite3_finalize(row);
    return true;
}

void sim_check_scopes_rows(struct sim_world *world, size_t place, const struct sim_cut *cut)
{
    sqlite3 *db = sim_machine_eyes(&world->machines[place]);
    uint64_t position =
        (uint64_t)sim_check_number(db, "SELECT max(has_seq) FROM navette_log WHERE scope = zeroblob(16)");
    if (!world->profile.has_scopes || sim_check_number(db, "SELECT count(*) FROM navette_scope WHERE leaving") != 0 ||
        !sim_rights_reads(&world->rights, SIM_BIT_NETWORK, place, position))
        return;
    for (enum sim_table table = SIM_LEARNER; table < SIM_TABLES; table++)
        for (size_t key = 0; key < sim_shapes[table].keys; key++) {
            struct sim_row meant = {0}, row;
            char text[SIM_MARK_TEXT];
            sim_mark_key_text(table, key, text);
            find_shown(world, place, position, cut, table, text, &meant);
            if (!read_row(db, table, text, &row))
                continue;
            if (row.is_there != meant.is_there)
                sim_fail("model", "%s %s %s %s, unlike the model", sim_place_name(place),
                         row.is_there ? "shows" : "does not show", sim_shapes[table].name, text);
            for (size_t field = 0; field < sim_shapes[table].field_count; field++)
                if (row.codes[field] != meant.codes[field])
                    sim_fail("model", "%s shows another value of %s %s.%s than the model", sim_place_name(place),
                             sim_shapes[table].name, text, sim_shapes[table].fields[field]);
        }
}
