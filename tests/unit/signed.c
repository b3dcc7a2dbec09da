#include "signed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/heads.h"
#include "store/db.h"
#include "store/log/logs.h"

static void must(enum nv_status status, const struct nv_error *error)
{
    if (status != NV_OK)
        fail_msg("%s: %s", nv_status_text(status), error->text);
}

void nv_signed_done(struct nv_signed *all)
{
    for (size_t i = 0; i < all->model.header_count; i++)
        nv_buffer_done(&all->all[i].bytes);
}

int nv_signed_find(const struct nv_signed *all, const uint8_t hash[32])
{
    for (size_t i = 0; i < all->model.header_count; i++)
        if (memcmp(all->all[i].hash.bytes, hash, 32) == 0)
            return (int)i;
    return NV_COUNTING_NONE;
}

static unsigned site_of(const struct nv_stores *stores, struct nv_site_id id)
{
    unsigned site = 0;
    while (nv_site_id_compare(stores->sites[site].id, id) != 0)
        site++;
    return site;
}

static unsigned log_of(struct nv_signed *all, const struct nv_log_id *id)
{
    for (unsigned log = 0; log < all->log_count; log++)
        if (nv_log_id_compare(&all->logs[log], id) == 0)
            return log;
    assert_true(all->log_count < NV_COUNTING_HEADERS);
    all->logs[all->log_count] = *id;
    return (unsigned)all->log_count++;
}

/* ---- contexts ---- */

static bool same_log(const struct nv_far_head *a, const struct nv_far_head *b)
{
    return nv_site_id_compare(a->site, b->site) == 0 && a->epoch == b->epoch;
}

/* Sets the head of its log in a context; where it only raises, what is beyond stays. */
static void take_head(struct nv_signed_one *one, const struct nv_far_head *head, bool only_raises)
{
    size_t at = 0;
    while (at < one->context_count && !same_log(&one->context[at], head))
        at++;
    assert_true(at < NV_SIGNED_HEADS);
    if (at < one->context_count && only_raises && one->context[at].seq >= head->seq)
        return;
    one->context[at] = *head;
    one->context_count += at == one->context_count;
}

/* The changeset that a head names; NV_COUNTING_NONE where nobody has made it. */
static int named_by(const struct nv_signed *all, const struct nv_far_head *head)
{
    for (size_t i = 0; i < all->model.header_count; i++) {
        const struct nv_signed_one *one = &all->all[i];
        if (nv_site_id_compare(one->header.log.site, head->site) == 0 && one->header.log.epoch == head->epoch &&
            one->header.seq == head->seq && memcmp(one->hash.bytes, head->pin.bytes, sizeof head->pin.bytes) == 0)
            return (int)i;
    }
    return NV_COUNTING_NONE;
}

/* ---- one more ---- */

/* The last place was filled: what the model knows of it. */
static size_t add(struct nv_signed *all, const struct nv_stores *stores, bool is_valid)
{
    size_t place = all->model.header_count++;
    struct nv_signed_one *one = &all->all[place];
    struct nv_counting_model_header *header = &all->model.headers[place];
    *header = (struct nv_counting_model_header){
        .site = site_of(stores, one->header.log.site),
        .log = log_of(all, &one->header.log),
        .seq = (unsigned)one->header.seq,
        .previous = one->header.seq == 1 ? NV_COUNTING_NONE : nv_signed_find(all, one->header.previous.bytes),
        .position = (unsigned)one->header.authority_seq,
        .is_valid = is_valid,
    };
    for (size_t i = 0; i < one->context_count; i++) {
        int named = named_by(all, &one->context[i]);
        assert_int_not_equal(named, NV_COUNTING_NONE);
        nv_model_add(&header->context, (size_t)named);
    }
    return place;
}

static struct nv_signed_one *begin(struct nv_signed *all, const struct nv_header *header, int previous)
{
    assert_true(all->model.header_count < NV_COUNTING_HEADERS);
    struct nv_signed_one *one = &all->all[all->model.header_count];
    *one = (struct nv_signed_one){.header = *header};
    one->header.context = NULL;
    if (previous == NV_COUNTING_NONE || header->absolute)
        return one;
    memcpy(one->context, all->all[previous].context, sizeof one->context);
    one->context_count = all->all[previous].context_count;
    return one;
}

static void meet(struct nv_signed *all, const struct nv_stores *stores, sqlite3_stmt *row)
{
    struct nv_changeset_parts parts = {.header = nv_db_blob(row, 0),
                                       .signature = nv_db_blob(row, 1),
                                       .compressed = sqlite3_column_int(row, 2) != 0,
                                       .body = nv_db_blob(row, 3)};
    struct nv_arena arena = {.limit = 1 << 20};
    struct nv_header header;
    struct nv_error error;
    struct nv_hash hash = nv_header_hash(parts.header);
    if (nv_signed_find(all, hash.bytes) != NV_COUNTING_NONE)
        return;
    must(nv_header_decode(parts.header, &arena, &header, &error), &error);
    int previous = header.seq == 1 ? NV_COUNTING_NONE : nv_signed_find(all, header.previous.bytes);
    struct nv_signed_one *one = begin(all, &header, previous);
    for (size_t i = 0; i < header.context_count; i++)
        take_head(one, &header.context[i], false);
    one->hash = hash;
    nv_changeset_join(&parts, &one->bytes);
    nv_arena_done(&arena);
    size_t place = add(all, stores, true);
    nv_dice_trace("site %u has sealed %zu, log %u, seq %u, at %u", all->model.headers[place].site, place,
                  all->model.headers[place].log, all->model.headers[place].seq, all->model.headers[place].position);
}

void nv_signed_notice(struct nv_signed *all, struct nv_stores *stores, size_t site)
{
    struct nv_error error;
    sqlite3_stmt *rows =
        nv_db_prepare(nv_store_db(stores->sites[site].store),
                      "SELECT c.header, c.signature, c.compressed, c.body, l.scope, c.seq, c.hash FROM "
                      "(SELECT log, seq, hash, header, signature, compressed, body "
                      "FROM navette_changeset UNION ALL "
                      "SELECT log, seq, hash, header, signature, compressed, body FROM navette_beyond) "
                      "AS c JOIN navette_log AS l ON l.number = c.log "
                      "WHERE l.site = ?1 OR l.number = 1 ORDER BY l.number, c.seq",
                      &error);
    assert_non_null(rows);
    sqlite3_bind_blob(rows, 1, stores->sites[site].id.bytes, 16, SQLITE_STATIC);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        if (memcmp(sqlite3_column_blob(rows, 4), NV_SCOPE_AUTHORITY.bytes, 16) != 0)
            meet(all, stores, rows);
        else
            memcpy(all->positions[sqlite3_column_int(rows, 5)].bytes, sqlite3_column_blob(rows, 6), 32);
    }
    sqlite3_finalize(rows);
}

static int order_heads(const void *a, const void *b)
{
    return nv_far_head_order(a, b);
}

size_t nv_signed_forge(struct nv_signed *all, struct nv_stores *stores, const struct nv_sign_key *key, size_t site,
                       const struct nv_log_id *log, int previous, uint64_t position, const struct nv_model_set *named)
{
    static const struct nv_hash none;
    struct nv_buffer scratch = {0};
    struct nv_changeset_parts parts;
    struct nv_error error;
    struct nv_header header = {.format = NV_FORMAT,
                               .log = *log,
                               .seq = previous == NV_COUNTING_NONE ? 1 : all->all[previous].header.seq + 1,
                               .previous = previous == NV_COUNTING_NONE ? none : all->all[previous].hash,
                               .absolute = true,
                               .authority_seq = position,
                               .authority_pin = nv_pin_of(&all->positions[position])};
    struct nv_signed_one *one = begin(all, &header, NV_COUNTING_NONE);
    for (size_t i = 0; previous != NV_COUNTING_NONE && i < all->all[previous].context_count; i++)
        take_head(one, &all->all[previous].context[i], false);
    for (size_t i = 0; i < all->model.header_count; i++) {
        const struct nv_signed_one *other = &all->all[i];
        struct nv_far_head head = {other->header.log.site, other->header.log.epoch, log->scope, other->header.seq,
                                   nv_pin_of(&other->hash)};
        if (nv_model_has(named, i) && nv_log_id_compare(&other->header.log, log) != 0)
            take_head(one, &head, true);
    }
    qsort(one->context, one->context_count, sizeof *one->context, order_heads);
    one->header.context = one->context;
    one->header.context_count = one->context_count;
    must(nv_changeset_seal(&one->header, NULL, 0, key, &nv_store_identity(stores->sites[0].store)->network, &scratch,
                           &parts, &one->hash, &error),
         &error);
    nv_changeset_join(&parts, &one->bytes);
    nv_buffer_done(&scratch);
    (void)site;
    return add(all, stores, false);
}

/* ---- what a store holds ---- */

static void read_hashes(const struct nv_signed *all, struct nv_stores *stores, size_t site, const char *sql,
                        struct nv_model_set *ret_set)
{
    struct nv_error error;
    sqlite3_stmt *rows = nv_db_prepare(nv_store_db(stores->sites[site].store), sql, &error);
    assert_non_null(rows);
    *ret_set = (struct nv_model_set){0};
    while (sqlite3_step(rows) == SQLITE_ROW) {
        int place = nv_signed_find(all, sqlite3_column_blob(rows, 0));
        assert_int_not_equal(place, NV_COUNTING_NONE);
        nv_model_add(ret_set, (size_t)place);
    }
    sqlite3_finalize(rows);
}

void nv_signed_held(const struct nv_signed *all, struct nv_stores *stores, size_t site, struct nv_model_set *ret_has,
                    struct nv_model_set *ret_merged, struct nv_model_set *ret_beyond)
{
    read_hashes(all, stores, site,
                "SELECT c.hash FROM navette_changeset AS c JOIN navette_log AS l ON l.number = c.log "
                "WHERE l.scope = x'00000000000000000000000000000001' AND c.seq <= l.has_seq",
                ret_has);
    read_hashes(all, stores, site,
                "SELECT c.hash FROM navette_changeset AS c JOIN navette_log AS l ON l.number = c.log "
                "WHERE l.scope = x'00000000000000000000000000000001' AND c.seq <= l.applied_seq",
                ret_merged);
    read_hashes(all, stores, site, "SELECT hash FROM navette_beyond", ret_beyond);
}

uint64_t nv_signed_known(struct nv_stores *stores, size_t site)
{
    return nv_authority_log(stores->sites[site].store)->applied_seq;
}
