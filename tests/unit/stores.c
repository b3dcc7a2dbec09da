#include "stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/authority.h"
#include "store/db.h"
#include "store/schema.h"
#include "store/seal.h"
#include "store/trust/rights.h"

enum { LONG_MS = 3600 * 1000, BATCH = 256, CODES = 1024 };

const char *const nv_stores_keys[] = {"r1", "r2", "r3"};
const char *const nv_stores_fields[] = {"a", "b", "c", "d"};

/* One field a rule; a CHECK and a default are in the way of none of the values that are written. */
static const char schema[] = "CREATE TABLE item(id TEXT NOT NULL PRIMARY KEY, a, b INTEGER NOT NULL DEFAULT 0, c TEXT, "
                             "d DEFAULT 'new' CHECK (d IS NULL OR d <> 'never'));"
                             "INSERT INTO navette_table(name, scope) VALUES ('item', 'network');"
                             "INSERT INTO navette_column(table_name, name, rule, quiet) VALUES"
                             " ('item', 'b', 'max', 0), ('item', 'c', 'home', 0), ('item', 'd', 'last', 1)";

static void must(enum nv_status status, const struct nv_error *error)
{
    if (status != NV_OK)
        fail_msg("%s: %s", nv_status_text(status), error->text);
}

/* ---- chance and time ---- */

static struct nv_dice source; /* of keys, ids and seeds */
static int64_t clock_ms = 1700000000000;

static const char *source_name(void)
{
    return "test";
}

static uint32_t source_word(void)
{
    return (uint32_t)nv_dice_bits(&source);
}

static void source_bytes(void *bytes, size_t size)
{
    nv_dice_bytes(&source, bytes, size);
}

static int julian_ms(sqlite3_vfs *vfs, sqlite3_int64 *ret_ms)
{
    (void)vfs;
    *ret_ms = clock_ms + 210866760000000; /* from noon, 24 November 4714 BC */
    return SQLITE_OK;
}

static int julian_days(sqlite3_vfs *vfs, double *ret_days)
{
    sqlite3_int64 ms;
    julian_ms(vfs, &ms);
    *ret_days = (double)ms / 86400000.0;
    return SQLITE_OK;
}

static void take_clocks(void)
{
    static struct randombytes_implementation chance;
    static sqlite3_vfs vfs;
    chance = (struct randombytes_implementation){
        .implementation_name = source_name, .random = source_word, .buf = source_bytes};
    randombytes_set_implementation(&chance);
    vfs = *sqlite3_vfs_find(NULL);
    vfs.zName = "navette-test";
    vfs.xCurrentTime = julian_days;
    vfs.xCurrentTimeInt64 = julian_ms;
    assert_int_equal(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
}

struct nv_wall_ms nv_stores_turn(struct nv_stores *stores, size_t site)
{
    clock_ms = stores->clock_ms + stores->sites[site].clock_ahead_ms;
    return (struct nv_wall_ms){clock_ms};
}

/* ---- the network that every schedule begins with ---- */

static struct {
    char folder[64];
    struct nv_sign_key authority, keys[NV_STORES_ALL];
    struct nv_curve_key curves[NV_STORES_ALL];
    struct nv_buffer files[NV_STORES_ALL];
} template;

static struct nv_sign_key keys[NV_STORES_ALL]; /* as they are certified now */
static struct nv_curve_key curves[NV_STORES_ALL];

static void file_name(size_t site, char path[96])
{
    snprintf(path, 96, "%s/%zu.db", template.folder, site);
}

static void remove_files(void)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".sign", ".curve"};
    for (size_t site = 0; site < NV_STORES_ALL; site++)
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
            char path[96], whole[128];
            file_name(site, path);
            snprintf(whole, sizeof whole, "%s%s", path, ends[i]);
            unlink(whole);
        }
}

static void remove_folder(void)
{
    remove_files();
    rmdir(template.folder);
}

static void read_file(const char *path, struct nv_buffer *buffer)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0);
    uint8_t bytes[65536];
    ssize_t size;
    while ((size = read(file, bytes, sizeof bytes)) > 0)
        nv_buffer_append(buffer, bytes, (size_t)size);
    assert_int_equal(size, 0);
    close(file);
}

static void write_file(const char *path, struct nv_slice bytes)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes.data, bytes.size), bytes.size);
    close(file);
}

/* With new keys. */
static struct nv_certificate certificate_of(size_t site, struct nv_store *store, struct nv_sign_key *sign,
                                            struct nv_curve_key *curve)
{
    static char name[16], file[16], path[96];
    static const char *const no_endpoints[] = {NULL};
    struct nv_error error;
    snprintf(name, sizeof name, "site%zu", site);
    snprintf(file, sizeof file, "%zu.db.sign", site);
    snprintf(path, sizeof path, "%s/%s", template.folder, file);
    unlink(path);
    must(nv_sign_key_create(template.folder, file, sign, &error), &error);
    snprintf(file, sizeof file, "%zu.db.curve", site);
    snprintf(path, sizeof path, "%s/%s", template.folder, file);
    unlink(path);
    must(nv_curve_key_create(template.folder, file, curve, &error), &error);
    return (struct nv_certificate){.site = nv_store_identity(store)->site,
                                   .name = name,
                                   .sign_key = sign->public_key,
                                   .curve_key = curve->public_key,
                                   .role = site == 0 ? NV_ROLE_HUB : NV_ROLE_SITE,
                                   .endpoints = no_endpoints};
}

/* Gives the authority log to a site that was certified. */
static void adopt(struct nv_store *hub, struct nv_store *store, struct nv_wall_ms now)
{
    struct nv_buffer bytes = {0};
    struct nv_slice changesets[BATCH];
    struct nv_far_head heads[BATCH];
    size_t ends[BATCH], count;
    int64_t cursor = 0;
    bool done;
    struct nv_error error;
    must(nv_store_read_for(hub, NULL, 0, NULL, &cursor, SIZE_MAX, &bytes, ends, heads, BATCH, &count, &done, &error),
         &error);
    for (size_t i = 0, start = 0; i < count; start = ends[i++])
        changesets[i] = (struct nv_slice){bytes.data + start, ends[i] - start};
    must(nv_authority_adopt(store, &template.authority.public_key, changesets, count, now, &error), &error);
    nv_buffer_done(&bytes);
}

static void make_network(struct nv_store *stores[NV_STORES_ALL], struct nv_wall_ms now)
{
    struct nv_sign_key successor;
    struct nv_error error;
    must(nv_sign_key_create(template.folder, "authority", &template.authority, &error), &error);
    must(nv_sign_key_create(template.folder, "successor", &successor, &error), &error);
    struct nv_certificate hub = certificate_of(0, stores[0], &template.keys[0], &template.curves[0]);
    must(nv_authority_found(stores[0], "test", &template.authority, &successor.public_key, &hub, now, &error), &error);
    must(nv_schema_apply(stores[0], &template.authority, schema, false, now, NULL, &error), &error);
    for (size_t site = 1; site < NV_STORES_ALL; site++) {
        struct nv_certificate certificate =
            certificate_of(site, stores[site], &template.keys[site], &template.curves[site]);
        must(nv_authority_certify(stores[0], &template.authority, &certificate, now, &error), &error);
    }
    for (size_t site = 1; site < NV_STORES_ALL; site++)
        adopt(stores[0], stores[site], now);
    for (size_t i = 0; i < 2; i++) {
        char path[96];
        snprintf(path, sizeof path, "%s/%s", template.folder, i == 0 ? "authority" : "successor");
        unlink(path);
    }
}

static void make_template(void)
{
    struct nv_store *stores[NV_STORES_ALL];
    char path[96];
    struct nv_error error;
    source = nv_dice_of(0);
    take_clocks();
    must(nv_wire_start(&error), &error);
    snprintf(template.folder, sizeof template.folder, "%s/navette-test-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(template.folder));
    atexit(remove_folder);
    for (size_t site = 0; site < NV_STORES_ALL; site++) {
        file_name(site, path);
        must(nv_store_create(path, "unnamed", &error), &error);
        must(nv_store_open(path, &stores[site], &error), &error);
    }
    make_network(stores, (struct nv_wall_ms){clock_ms});
    for (size_t site = 0; site < NV_STORES_ALL; site++) {
        nv_store_close(stores[site]);
        file_name(site, path);
        read_file(path, &template.files[site]);
    }
    remove_files();
}

static void open_site(struct nv_stores_site *site, size_t place)
{
    char path[96];
    struct nv_error error;
    file_name(place, path);
    write_file(path, nv_buffer_slice(&template.files[place]));
    must(nv_store_open(path, &site->store, &error), &error);
    keys[place] = template.keys[place];
    curves[place] = template.curves[place];
    nv_store_set_signer(site->store, &keys[place]);
    nv_store_set_opener(site->store, &curves[place]);
    static const char *const hub_name[] = {"site0"}; /* which reads of its groups what it is let */
    nv_store_set_hub_readers(site->store, hub_name, 1);
    site->id = nv_store_identity(site->store)->site;
    assert_int_equal(sqlite3_open(path, &site->tool), SQLITE_OK);
}

void nv_stores_open(struct nv_stores *stores, struct nv_dice *dice, size_t count)
{
    static const int64_t ahead[] = {0, 0, 0, 1, -1, 5, -7 * 86400000LL, LONG_MS};
    if (template.folder[0] == '\0')
        make_template();
    source = nv_dice_of(nv_dice_bits(dice));
    *stores = (struct nv_stores){.count = count, .clock_ms = 1700000000000};
    for (size_t site = 0; site < NV_STORES_ALL; site++) {
        if (site >= count && site != NV_STORES_ALL - 1)
            continue;
        open_site(&stores->sites[site], site);
        stores->sites[site].clock_ahead_ms = ahead[nv_dice_below(dice, sizeof ahead / sizeof *ahead)];
    }
}

void nv_stores_close(struct nv_stores *stores)
{
    for (size_t site = 0; site < NV_STORES_ALL; site++) {
        if (stores->sites[site].store == NULL)
            continue;
        sqlite3_close(stores->sites[site].tool);
        nv_store_close(stores->sites[site].store);
    }
    remove_files();
}

void nv_stores_publish(struct nv_stores *stores, const char *sql)
{
    struct nv_wall_ms now = nv_stores_turn(stores, 0);
    struct nv_error error;
    must(nv_schema_apply(stores->sites[0].store, &template.authority, sql, false, now, NULL, &error), &error);
}

/* ---- rights ---- */

void nv_stores_revoke(struct nv_stores *stores, size_t site)
{
    struct nv_wall_ms now = nv_stores_turn(stores, 0);
    struct nv_error error;
    nv_dice_trace("site %zu is revoked", site);
    must(nv_authority_revoke(stores->sites[0].store, &template.authority, stores->sites[site].id, now, &error), &error);
}

void nv_stores_certify_anew(struct nv_stores *stores, size_t site, bool has_them)
{
    static struct nv_sign_key lost[NV_STORES_ALL];
    static struct nv_curve_key lost_curves[NV_STORES_ALL];
    struct nv_wall_ms now = nv_stores_turn(stores, 0);
    struct nv_error error;
    lost[site] = keys[site];
    lost_curves[site] = curves[site];
    struct nv_certificate certificate = certificate_of(site, stores->sites[site].store, &keys[site], &curves[site]);
    certificate.anew = true;
    nv_dice_trace("site %zu begins anew", site);
    must(nv_authority_certify(stores->sites[0].store, &template.authority, &certificate, now, &error), &error);
    nv_store_set_signer(stores->sites[site].store, has_them ? &keys[site] : &lost[site]);
    nv_store_set_opener(stores->sites[site].store, has_them ? &curves[site] : &lost_curves[site]);
}

const struct nv_sign_key *nv_stores_sign_key(size_t site)
{
    return &keys[site];
}

struct nv_scope_id nv_stores_group(struct nv_stores *stores, const char *name)
{
    struct nv_wall_ms now = nv_stores_turn(stores, 0);
    struct nv_store *store = stores->sites[0].store;
    struct nv_scope_id scope;
    char full[80];
    struct nv_error error;
    must(nv_authority_group(store, &template.authority, name, now, &error), &error);
    snprintf(full, sizeof full, "group/%s", name);
    must(nv_scope_from_name(store, full, &scope, &error), &error);
    return scope;
}

void nv_stores_list(struct nv_stores *stores, struct nv_scope_id group, size_t site, bool reads)
{
    struct nv_wall_ms now = nv_stores_turn(stores, 0);
    struct nv_store *store = stores->sites[0].store;
    struct nv_error error;
    must(reads ? nv_authority_add_reader(store, &template.authority, group, stores->sites[site].id, now, &error)
               : nv_authority_remove_reader(store, &template.authority, group, stores->sites[site].id, now, &error),
         &error);
}

/* ---- writing and sealing ---- */

void nv_stores_sql(struct nv_stores *stores, size_t site, bool as_tool, const char *sql)
{
    struct nv_stores_site *at = &stores->sites[site];
    sqlite3 *db = as_tool ? at->tool : nv_store_db(at->store);
    nv_stores_turn(stores, site);
    nv_dice_trace("site %zu writes %s", site, sql);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

size_t nv_stores_seal(struct nv_stores *stores, size_t site)
{
    struct nv_wall_ms now = nv_stores_turn(stores, site);
    struct nv_sealed sealed;
    struct nv_error error;
    size_t changesets = 0;
    do {
        must(nv_store_seal(stores->sites[site].store, now, LONG_MS, &sealed, &error), &error);
        changesets += sealed.changesets;
    } while (sealed.more);
    if (changesets > 0)
        nv_dice_trace("site %zu seals %zu", site, changesets);
    return changesets;
}

/* ---- delivering ---- */

static void take_from(struct nv_stores *stores, size_t from, size_t to, const struct nv_stores_line *line,
                      struct nv_stores_parcel *parcel)
{
    const struct nv_far_head *has = NULL;
    struct nv_far_head heads[BATCH];
    size_t has_count = 0, ends[BATCH], count, start = 0;
    int64_t cursor = 0;
    bool done = false;
    struct nv_error error;
    if (!line->forgets)
        nv_store_has(stores->sites[to].store, &has, &has_count);
    for (size_t reads = 0; reads < line->reads && !done && parcel->count < BATCH / 2; reads++) {
        must(nv_store_read_for(stores->sites[from].store, has, has_count, NULL, &cursor, line->budget_bytes,
                               &parcel->bytes, ends, heads, BATCH / 2, &count, &done, &error),
             &error);
        for (size_t i = 0; i < count; start = ends[i++])
            parcel->changesets[parcel->count++] = (struct nv_slice){NULL, ends[i] - start};
    }
    start = 0;
    for (size_t i = 0; i < parcel->count; start += parcel->changesets[i++].size)
        parcel->changesets[i].data = parcel->bytes.data + start; /* only now, for the buffer moved while it grew */
}

/* What the line does to a parcel on its way. */
static void spoil(struct nv_stores_parcel *parcel, struct nv_dice *dice, const struct nv_stores_line *line)
{
    size_t kept = 0;
    struct nv_slice all[BATCH];
    size_t count = parcel->count, order[BATCH];
    for (size_t i = 0; i < count; i++) {
        all[i] = parcel->changesets[i];
        order[i] = i;
    }
    if (line->shuffles)
        nv_dice_shuffle(dice, order, count);
    for (size_t i = 0; i < count; i++) {
        if (nv_dice_percent(dice, line->lost_percent))
            continue;
        parcel->changesets[kept++] = all[order[i]];
        if (nv_dice_percent(dice, line->twice_percent))
            parcel->changesets[kept++] = all[order[nv_dice_below(dice, i + 1)]];
    }
    parcel->count = kept;
}

void nv_stores_fetch(struct nv_stores *stores, struct nv_dice *dice, size_t from, size_t to,
                     const struct nv_stores_line *line, struct nv_stores_parcel *ret_parcel)
{
    *ret_parcel = (struct nv_stores_parcel){0};
    take_from(stores, from, to, line, ret_parcel);
    spoil(ret_parcel, dice, line);
}

static size_t hand_over_batch(struct nv_store *store, const struct nv_slice *changesets, size_t count,
                              struct nv_wall_ms now)
{
    static struct nv_incoming incoming[2 * BATCH];
    struct nv_error error;
    size_t taken = 0;
    for (size_t i = 0; i < count; i++)
        incoming[i] = (struct nv_incoming){.bytes = changesets[i]};
    must(nv_store_ingest(store, incoming, count, now, LONG_MS, &error), &error);
    for (size_t i = 0; i < count; i++) {
        if (incoming[i].verdict == NV_VERDICT_REFUSED || incoming[i].verdict == NV_VERDICT_PENDING)
            fail_msg("a good changeset: %s, %s", nv_reason_name(incoming[i].reason), incoming[i].text);
        taken += incoming[i].verdict == NV_VERDICT_TAKEN;
    }
    return taken;
}

size_t nv_stores_hand_over(struct nv_stores *stores, struct nv_dice *dice, size_t to, struct nv_stores_parcel *parcel)
{
    size_t taken = 0;
    struct nv_wall_ms now = nv_stores_turn(stores, to);
    for (size_t first = 0, count; first < parcel->count; first += count) {
        count = parcel->count - first;
        if (nv_dice_percent(dice, 50))
            count = 1 + nv_dice_below(dice, count);
        taken += hand_over_batch(stores->sites[to].store, parcel->changesets + first, count, now);
    }
    nv_dice_trace("site %zu takes %zu of %zu", to, taken, parcel->count);
    nv_buffer_done(&parcel->bytes);
    return taken;
}

/* ---- looking ---- */

uint64_t nv_stores_applied(struct nv_stores *stores, size_t site, size_t of)
{
    struct nv_error error;
    sqlite3 *db = nv_store_db(stores->sites[site].store);
    sqlite3_stmt *find =
        nv_db_prepare(db, "SELECT applied_seq FROM navette_log WHERE site = ?1 AND scope = ?2", &error);
    assert_non_null(find);
    sqlite3_bind_blob(find, 1, stores->sites[of].id.bytes, 16, SQLITE_STATIC);
    sqlite3_bind_blob(find, 2, NV_SCOPE_NETWORK.bytes, 16, SQLITE_STATIC);
    uint64_t seq = sqlite3_step(find) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(find, 0) : 0;
    assert_int_not_equal(sqlite3_step(find), SQLITE_ROW); /* nobody has left an epoch here */
    sqlite3_finalize(find);
    return seq;
}

char *nv_stores_text(struct nv_stores *stores, size_t site, const char *sql)
{
    struct nv_error error;
    struct nv_buffer text = {0};
    sqlite3_stmt *rows = nv_db_prepare(nv_store_db(stores->sites[site].store), sql, &error);
    if (rows == NULL)
        fail_msg("%s", error.text);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(rows); i++) {
            const char *column = (const char *)sqlite3_column_text(rows, i);
            nv_buffer_append(&text, column, column == NULL ? 0 : strlen(column));
            nv_buffer_append_byte(&text, i + 1 < sqlite3_column_count(rows) ? '|' : '\n');
        }
    }
    sqlite3_finalize(rows);
    nv_buffer_append_byte(&text, 0);
    return (char *)text.data;
}

static struct {
    struct nv_value values[CODES];
    uint8_t bytes[CODES][32];
    int count;
} codes;

int nv_code_of(const struct nv_value *value)
{
    for (int code = 0; code < codes.count; code++)
        if (nv_value_equal(&codes.values[code], value))
            return code;
    assert_true(codes.count < CODES);
    struct nv_value copy = *value;
    if (value->type >= NV_TEXT) {
        assert_true(value->bytes.size <= sizeof codes.bytes[0]);
        if (value->bytes.size > 0)
            memcpy(codes.bytes[codes.count], value->bytes.data, value->bytes.size);
        copy.bytes.data = codes.bytes[codes.count];
    }
    codes.values[codes.count] = copy;
    return codes.count++;
}

struct nv_value nv_code_value(int code)
{
    assert_in_range(code, 0, codes.count - 1);
    return codes.values[code];
}

void nv_stores_rows(struct nv_stores *stores, size_t site, struct nv_stores_row rows[NV_STORES_RECORDS])
{
    struct nv_error error;
    sqlite3_stmt *find =
        nv_db_prepare(nv_store_db(stores->sites[site].store), "SELECT a, b, c, d FROM item WHERE id = ?", &error);
    assert_non_null(find);
    for (size_t record = 0; record < NV_STORES_RECORDS; record++) {
        sqlite3_bind_text(find, 1, nv_stores_keys[record], -1, SQLITE_STATIC);
        rows[record].there = sqlite3_step(find) == SQLITE_ROW;
        for (int field = 0; field < NV_STORES_FIELDS; field++) {
            rows[record].codes[field] = -1;
            if (rows[record].there) {
                struct nv_value value = nv_db_value(find, field);
                rows[record].codes[field] = nv_code_of(&value);
            }
        }
        sqlite3_reset(find);
    }
    sqlite3_finalize(find);
}
