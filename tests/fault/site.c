#include "tests/fault/site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "store/ingest.h"
#include "store/internal.h"
#include "store/merge/versions.h"
#include "store/seal.h"
#include "tests/fault/network.h"
#include "wire/changeset.h"

struct site site_open(const char *name, const struct nv_sign_key *key)
{
    struct site site = {.disk = nv_disk_new(name, 1)};
    struct nv_error error;
    sqlite3_snprintf(sizeof site.path, site.path, "file:%s/store.db", name);
    nv_network_must(nv_store_create(site.path, "unnamed", &error), &error);
    nv_network_must(nv_store_open(site.path, &site.store, &error), &error);
    nv_store_set_signer(site.store, key);
    return site;
}

void site_keep(struct site *site, const struct nv_sign_key *key, struct nv_buffer *ret_image)
{
    struct nv_error error;
    nv_store_close(site->store);
    assert_true(nv_disk_get(site->disk, "store.db", ret_image));
    nv_network_must(nv_store_open(site->path, &site->store, &error), &error);
    nv_store_set_signer(site->store, key);
}

void site_restore(struct site *site, const struct nv_sign_key *key, const struct nv_buffer *image)
{
    struct nv_error error;
    nv_store_close(site->store);
    nv_disk_put(site->disk, "store.db", nv_buffer_slice(image));
    nv_network_must(nv_store_open(site->path, &site->store, &error), &error);
    nv_store_set_signer(site->store, key);
}

void site_done(struct site *site)
{
    nv_store_close(site->store);
    nv_disk_free(site->disk);
}

void site_write(struct site *site, const char *sql)
{
    struct nv_sealed sealed;
    struct nv_error error;
    if (sqlite3_exec(nv_store_db(site->store), sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(nv_store_db(site->store)));
    nv_network_must(nv_store_seal(site->store, nv_network_now, NV_NETWORK_LONG_MS, &sealed, &error), &error);
    assert_true(sealed.changesets > 0);
}

/* ---- what no program would sign ---- */

static struct nv_value text(const char *bytes)
{
    return (struct nv_value){.type = NV_TEXT, .bytes = {(const uint8_t *)bytes, strlen(bytes)}};
}

/* Signs the ops as the site's next changeset, whatever they say. */
static void sign(struct site *site, const struct nv_op *ops, size_t count)
{
    struct nv_buffer bytes[8] = {{0}};
    struct nv_slice slices[8];
    uint32_t hashes[8];
    struct nv_error error;
    nv_log_number number;
    uint64_t seq;
    const struct nv_identity *self = nv_store_identity(site->store);
    struct nv_log_id log = {self->site, self->epoch, NV_SCOPE_NETWORK};
    assert_true(count <= 8);
    for (size_t i = 0; i < count; i++) {
        nv_op_encode(&ops[i], &bytes[i]);
        slices[i] = nv_buffer_slice(&bytes[i]);
        hashes[i] = ops[i].key.size == 0 ? 0 : nv_record_hash(ops[i].table, ops[i].key);
    }
    nv_network_must(nv_begin(site->store, &error), &error);
    nv_network_must(nv_log_append_sealed(site->store, &log, slices, count, hashes, site->store->signer, nv_network_now,
                                         &number, &seq, &error),
                    &error);
    nv_network_must(nv_commit(site->store, &error), &error);
    nv_network_must(nv_store_ingest(site->store, NULL, 0, nv_network_now, NV_NETWORK_LONG_MS, &error), &error);
    for (size_t i = 0; i < count; i++)
        nv_buffer_done(&bytes[i]);
}

void site_sign_odd(struct site *site)
{
    struct nv_buffer keys[2] = {{0}};
    struct nv_value real = {.type = NV_REAL, .real = 1}, less = {.type = NV_INTEGER, .integer = -1}, name = text("q1");
    nv_value_encode(&keys[0], &name);
    nv_value_encode(&keys[1], &real);
    struct nv_op ops[] = {
        {.kind = NV_OP_PUT, .table = 99, .key = nv_buffer_slice(&keys[0]), .time = nv_network_now},
        {.kind = NV_OP_PUT, .table = 1, .key = nv_buffer_slice(&keys[1]), .time = nv_network_now},
        {.kind = NV_OP_PUT,
         .table = 1,
         .key = nv_buffer_slice(&keys[0]),
         .time = nv_network_now,
         .fields = 1u << 1 | 1u << 2,
         .value_count = 2,
         .values = {less, text("never")}},
        {.kind = NV_OP_PUT, .table = 0, .key = nv_buffer_slice(&keys[0]), .time = nv_network_now},
    };
    sign(site, ops, sizeof ops / sizeof *ops);
    nv_buffer_done(&keys[0]);
    nv_buffer_done(&keys[1]);
}

void site_sign_redact(struct site *site, uint64_t seq)
{
    const struct nv_identity *self = nv_store_identity(site->store);
    struct nv_far_dot names[] = {{self->site, self->epoch, seq, 0}, {self->site, self->epoch, seq, 1}};
    struct nv_op op = {.kind = NV_OP_REDACT, .name_count = 2, .names = names};
    sign(site, &op, 1);
}
