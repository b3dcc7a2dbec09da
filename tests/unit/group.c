#include "group.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "store/care.h"
#include "store/internal.h"
#include "store/log.h"
#include "store/trust/recovered.h"
#include "wire/hash.h"
#include "wire/recovery.h"

enum { LONG_MS = 3600 * 1000, BATCH = 64 };

static void must(enum nv_status status, const struct nv_error *error)
{
    nv_pair_must(status, error);
}

struct nv_site_id nv_group_id(const struct nv_pair_site *site)
{
    return nv_store_identity(site->store)->site;
}

struct nv_log_id nv_group_log(const struct nv_group *group, const struct nv_pair_site *site)
{
    const struct nv_identity *identity = nv_store_identity(site->store);
    return (struct nv_log_id){identity->site, identity->epoch, group->scope};
}

/* ---- the network ---- */

static void adopt(struct nv_group *group, struct nv_pair_site *site)
{
    struct nv_buffer bytes = {0};
    struct nv_slice changesets[BATCH];
    struct nv_far_head heads[BATCH];
    size_t ends[BATCH], count;
    int64_t cursor = 0;
    bool done;
    struct nv_error error;
    must(nv_store_read_for(group->hub->store, NULL, 0, NULL, &cursor, SIZE_MAX, &bytes, ends, heads, BATCH, &count,
                           &done, &error),
         &error);
    assert_true(done);
    for (size_t i = 0, start = 0; i < count; start = ends[i++])
        changesets[i] = (struct nv_slice){bytes.data + start, ends[i] - start};
    must(nv_authority_adopt(site->store, &group->pair->authority.public_key, changesets, count, nv_pair_now, &error),
         &error);
    nv_buffer_done(&bytes);
}

/* Every store of the group's network, one after the other; NULL behind the last. */
static struct nv_pair_site *store_at(struct nv_group *group, size_t place)
{
    return place < GROUP_SITES ? &group->sites[place] : place == GROUP_SITES ? group->hub : NULL;
}

/* Writes to the list of rights as the authority log's ops do. */
static void change_rights(struct nv_group *group, const char *sql, struct nv_site_id site)
{
    struct nv_error error;
    struct nv_pair_site *at;
    for (size_t i = 0; (at = store_at(group, i)) != NULL; i++) {
        sqlite3_stmt *statement = nv_db_prepare(nv_store_db(at->store), sql, &error);
        assert_non_null(statement);
        sqlite3_bind_blob(statement, 1, group->scope.bytes, sizeof group->scope.bytes, SQLITE_STATIC);
        sqlite3_bind_blob(statement, 2, site.bytes, sizeof site.bytes, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 3, (int64_t)group->position);
        must(nv_db_run(statement, &error), &error);
        sqlite3_finalize(statement);
        must(nv_rights_load(at->store, &error), &error);
    }
}

void nv_group_let_read(struct nv_group *group, struct nv_site_id site)
{
    change_rights(group, "INSERT INTO navette_readership(scope, site, begins) VALUES (?1, ?2, ?3)", site);
}

/* What it wrote at the position before the change stands. */
void nv_group_stop_reading(struct nv_group *group, struct nv_site_id site)
{
    change_rights(group, "UPDATE navette_readership SET ends = ?3 + 1 WHERE scope = ?1 AND site = ?2", site);
}

void nv_group_let_hub_read(struct nv_group *group)
{
    struct nv_error error;
    struct nv_pair_site *at;
    for (size_t i = 0; (at = store_at(group, i)) != NULL; i++) {
        must(nv_db_exec(nv_store_db(at->store),
                        "UPDATE navette_member SET reader = 1 WHERE name = 'hub'; "
                        "UPDATE navette_membership SET reader = 1 WHERE role = 2",
                        &error),
             &error);
        must(nv_members_load(at->store, &error), &error);
        must(nv_rights_load(at->store, &error), &error);
    }
}

static void make_site(struct nv_group *group, size_t place)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    struct nv_pair_site *site = &group->sites[place];
    struct nv_error error;
    nv_pair_site_make(group->pair, site, names[place]);
    must(nv_recovery_make(&group->recovery[place], &error), &error);
    struct nv_certificate certificate = nv_pair_certificate(site, names[place]);
    certificate.recovery_key = group->recovery[place].public_key;
    must(nv_authority_certify(group->hub->store, &group->pair->authority, &certificate, nv_pair_now, &error), &error);
}

int nv_group_setup(void **state)
{
    struct nv_group *group = calloc(1, sizeof *group);
    void *pair;
    assert_non_null(group);
    nv_pair_setup(&pair);
    group->pair = pair;
    group->hub = &group->pair->hub;

    for (size_t i = 0; i < GROUP_SITES; i++)
        make_site(group, i);
    nv_pair_publish(group->pair, "CREATE TABLE item(id TEXT NOT NULL PRIMARY KEY, size INTEGER, who TEXT);"
                                 "INSERT INTO navette_table(name, scope) VALUES ('item', 'column:who')");
    for (size_t i = 0; i < GROUP_SITES; i++)
        adopt(group, &group->sites[i]);
    group->position = nv_authority_log(group->hub->store)->applied_seq;
    memset(group->scope.bytes, 0x67, sizeof group->scope.bytes);
    change_rights(group, "INSERT INTO navette_group(scope, name, made) VALUES (?1, 'east', ?3)",
                  (struct nv_site_id){{0}});
    for (size_t i = 0; i < GROUP_D; i++)
        nv_group_let_read(group, nv_group_id(&group->sites[i]));
    *state = group;
    return 0;
}

int nv_group_teardown(void **state)
{
    struct nv_group *group = *state;
    void *pair = group->pair;
    for (size_t i = 0; i < GROUP_SITES; i++)
        nv_pair_site_close(&group->sites[i]);
    nv_pair_teardown(&pair);
    free(group);
    return 0;
}

static void certify_curve_key(struct nv_group *group, const struct nv_pair_site *site)
{
    struct nv_site_id id = nv_group_id(site);
    struct nv_error error;
    struct nv_pair_site *at;
    for (size_t i = 0; (at = store_at(group, i)) != NULL; i++) {
        sqlite3_stmt *statement =
            nv_db_prepare(nv_store_db(at->store), "UPDATE navette_member SET curve_key = ?1 WHERE site = ?2", &error);
        assert_non_null(statement);
        sqlite3_bind_blob(statement, 1, site->curve.public_key.bytes, 32, SQLITE_STATIC);
        sqlite3_bind_blob(statement, 2, id.bytes, sizeof id.bytes, SQLITE_STATIC);
        must(nv_db_run(statement, &error), &error);
        sqlite3_finalize(statement);
        must(nv_members_load(at->store, &error), &error);
    }
}

void nv_group_recover(struct nv_group *group, struct nv_pair_site *site)
{
    struct nv_buffer bytes = {0};
    struct nv_slice keys[BATCH];
    struct nv_error error;
    must(nv_recovery_make(&site->curve, &error), &error);
    certify_curve_key(group, site);
    nv_store_set_opener(site->store, &site->curve);

    must(nv_recovered_list(group->hub->store, nv_group_id(site), &bytes, &error), &error);
    size_t count = bytes.size / NV_RECOVERED_KEY_BYTES;
    assert_in_range(count, 1, BATCH);
    for (size_t i = 0; i < count; i++)
        keys[i] = (struct nv_slice){bytes.data + i * NV_RECOVERED_KEY_BYTES, NV_RECOVERED_KEY_BYTES};
    must(nv_recovered_keep(site->store, keys, count, &group->recovery[site - group->sites], &site->curve.public_key,
                           &error),
         &error);
    nv_buffer_done(&bytes);
}

void nv_group_reopen(struct nv_pair_site *site)
{
    struct nv_error error;
    nv_store_close(site->store);
    must(nv_store_open(site->path, &site->store, &error), &error);
    nv_store_set_signer(site->store, &site->sign);
    nv_store_set_opener(site->store, &site->curve);
}

/* ---- writing ---- */

static struct nv_slice key_of(const char *id, struct nv_buffer *buffer)
{
    struct nv_value value = {.type = NV_TEXT, .bytes = {(const uint8_t *)id, strlen(id)}};
    nv_value_encode(buffer, &value);
    return nv_buffer_slice(buffer);
}

void nv_group_put(const char *id, int size, struct nv_buffer *buffer)
{
    static struct nv_op op;
    struct nv_buffer key = {0};
    op = (struct nv_op){.kind = NV_OP_PUT, .table = 1, .time = nv_pair_now, .fields = 3, .value_count = 2};
    op.key = key_of(id, &key);
    op.values[0] = (struct nv_value){.type = NV_INTEGER, .integer = size};
    op.values[1] = (struct nv_value){.type = NV_TEXT, .bytes = {(const uint8_t *)"group/east", 10}};
    nv_op_encode(&op, buffer);
    nv_buffer_done(&key);
}

void nv_group_delete(const char *id, struct nv_buffer *buffer)
{
    struct nv_buffer key = {0};
    struct nv_op op = {.kind = NV_OP_DELETE, .table = 1, .time = nv_pair_now, .key = key_of(id, &key)};
    nv_op_encode(&op, buffer);
    nv_buffer_done(&key);
}

static void append(struct nv_group *group, struct nv_pair_site *site, const struct nv_slice *ops, size_t count)
{
    struct nv_error error;
    struct nv_log_id log = nv_group_log(group, site);
    nv_log_number number;
    uint64_t seq;
    must(nv_begin(site->store, &error), &error);
    must(nv_log_append_sealed(site->store, &log, ops, count, NULL, &site->sign, nv_pair_now, &number, &seq, &error),
         &error);
    must(nv_commit(site->store, &error), &error);
}

void nv_group_write(struct nv_group *group, struct nv_pair_site *site, const char *ids, int size)
{
    struct nv_buffer bytes[BATCH] = {0};
    struct nv_slice ops[BATCH];
    size_t count = strlen(ids);
    assert_true(count <= BATCH);
    for (size_t i = 0; i < count; i++) {
        nv_group_put((const char[]){ids[i], '\0'}, size, &bytes[i]);
        ops[i] = nv_buffer_slice(&bytes[i]);
    }
    append(group, site, ops, count);
    for (size_t i = 0; i < count; i++)
        nv_buffer_done(&bytes[i]);
    nv_group_settle(site);
}

void nv_group_sign(struct nv_group *group, struct nv_pair_site *site, const struct nv_seed *seed,
                   const struct nv_slice *ops, size_t count)
{
    struct nv_error error;
    struct nv_log_id id = nv_group_log(group, site);
    const struct nv_log *authority = nv_authority_log(site->store);
    struct nv_vector nothing = {0};
    struct nv_buffer scratch = {0};
    struct nv_changeset_parts parts;
    struct nv_hash hash;
    struct nv_log *log;
    int64_t changeset;
    must(nv_begin(site->store, &error), &error);
    must(nv_log_intern(site->store, &id, &log, &error), &error);
    struct nv_header header = {.format = NV_FORMAT,
                               .log = id,
                               .seq = log->has_seq + 1,
                               .previous = log->has_hash,
                               .absolute = log->has_seq == 0,
                               .authority_seq = authority->applied_seq,
                               .authority_pin = nv_pin_of(&authority->applied_hash)};
    must(nv_changeset_seal_from(seed, &header, ops, count, &site->sign, &nv_store_identity(site->store)->network,
                                &scratch, &parts, &hash, &error),
         &error);
    must(nv_log_append(site->store, log, &header, &hash, &parts, &nothing, NULL, &changeset, &error), &error);
    must(nv_commit(site->store, &error), &error);
    nv_buffer_done(&scratch);
}

void nv_group_settle(struct nv_pair_site *site)
{
    struct nv_error error;
    do {
        site->store->owes_merge = false;
        must(nv_store_ingest(site->store, NULL, 0, nv_pair_now, LONG_MS, &error), &error);
    } while (site->store->owes_merge);
}

/* ---- looking ---- */

void nv_group_check(struct nv_pair_site *site, const char *expected)
{
    nv_pair_check_text(site->tool, "SELECT id, size FROM item ORDER BY id", expected);
}

int64_t nv_group_malformed(struct nv_pair_site *site)
{
    struct nv_error error;
    int64_t count;
    must(nv_db_integer(nv_store_db(site->store), "SELECT sum(count) FROM navette_refusal WHERE reason = 'malformed'", 0,
                       &count, &error),
         &error);
    return count;
}

uint64_t nv_group_merged(const struct nv_group *group, struct nv_pair_site *site, const struct nv_pair_site *of)
{
    struct nv_log_id id = nv_group_log(group, of);
    const struct nv_log *log = nv_log_find(site->store, &id);
    return log == NULL ? 0 : log->applied_seq;
}

void nv_group_give_key(struct nv_group *group, struct nv_pair_site *by, const struct nv_pair_site *of, uint64_t number,
                       const struct nv_pair_site *to, bool is_right)
{
    struct nv_error error;
    struct nv_log_id id = nv_group_log(group, of);
    const struct nv_log *log = nv_log_find(by->store, &id);
    struct nv_key_name name = {id.site, id.epoch, number};
    struct nv_scope_reader reader = {nv_group_id(to), to->curve.public_key, {{0}}};
    struct nv_scope_readers readers = {&reader, 1};
    enum nv_key_standing standing;
    struct nv_held_key key;
    struct nv_buffer grant = {0};
    nv_log_number own;
    uint64_t seq;
    must(nv_keyring_find(by->store, log, number, &standing, &key, &error), &error);
    assert_int_equal(standing, NV_KEY_HELD);
    if (!is_right)
        key.key.bytes[5] ^= 1;
    must(nv_grant_append(&key, &name, by != of, &readers, &grant, &error), &error);
    struct nv_slice op = nv_buffer_slice(&grant);
    struct nv_log_id own_id = nv_group_log(group, by);
    must(nv_begin(by->store, &error), &error);
    must(nv_log_append_sealed(by->store, &own_id, &op, 1, NULL, &by->sign, nv_pair_now, &own, &seq, &error), &error);
    must(nv_commit(by->store, &error), &error);
    nv_buffer_done(&grant);
    nv_group_settle(by);
}

void nv_group_check_sound(struct nv_pair_site *site)
{
    struct nv_error error;
    struct nv_verified verified;
    struct nv_rebuilt rebuilt;
    must(nv_store_verify(site->store, &verified, NULL, &error), &error);
    if (verified.bad > 0)
        fail_msg("%s", verified.first);
    must(nv_store_rebuild(site->store, nv_pair_now, &rebuilt, NULL, &error), &error);
    assert_int_equal(rebuilt.versions_mended + rebuilt.rows_mended, 0);
}
