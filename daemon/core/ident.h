/* What things are called: sites, scopes, logs, dots. Plain values, compared byte by byte.
 *
 * On the wire a log is (site id, epoch, scope id). Inside one store each log and each site has a small number instead,
 * given in the order in which the store met it; the numbers never leave the store.
 */
#pragma once

#include <stdint.h>
#include <string.h>

struct nv_site_id {
    uint8_t bytes[16];
};

struct nv_scope_id {
    uint8_t bytes[16];
};

struct nv_hash { /* BLAKE2b-256 */
    uint8_t bytes[32];
};

struct nv_pin { /* the first 16 bytes of a header's hash */
    uint8_t bytes[16];
};

struct nv_log_id {
    struct nv_site_id site;
    uint64_t epoch;
    struct nv_scope_id scope;
};

/* A log by its number in this store. 0 is no log. */
typedef uint32_t nv_log_number;

/* The name of one op: the index-th op of the seq-th changeset of a log. seq counts from 1, index from 0. */
struct nv_dot {
    nv_log_number log;
    uint32_t index;
    uint64_t seq;
};

/* The scope of the authority log is all zeros; `network`, which every site reads, is zeros and a final 1. */
static const struct nv_scope_id NV_SCOPE_AUTHORITY = {{0}};
static const struct nv_scope_id NV_SCOPE_NETWORK = {{[15] = 1}};

static inline int nv_site_id_compare(struct nv_site_id a, struct nv_site_id b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes);
}

static inline int nv_scope_id_equal(struct nv_scope_id a, struct nv_scope_id b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

/* Whether ops of records are in boxes there (PROTOCOL.md, "Sealed ops"). */
static inline int nv_scope_is_sealed(struct nv_scope_id scope)
{
    return !nv_scope_id_equal(scope, NV_SCOPE_AUTHORITY) && !nv_scope_id_equal(scope, NV_SCOPE_NETWORK);
}

static inline int nv_log_id_compare(const struct nv_log_id *a, const struct nv_log_id *b)
{
    int order = memcmp(a->scope.bytes, b->scope.bytes, sizeof a->scope.bytes);
    if (order == 0)
        order = nv_site_id_compare(a->site, b->site);
    if (order == 0)
        order = (a->epoch > b->epoch) - (a->epoch < b->epoch);
    return order;
}

static inline int nv_dot_compare(struct nv_dot a, struct nv_dot b)
{
    if (a.log != b.log)
        return a.log < b.log ? -1 : 1;
    if (a.seq != b.seq)
        return a.seq < b.seq ? -1 : 1;
    return (a.index > b.index) - (a.index < b.index);
}

static inline struct nv_pin nv_pin_of(const struct nv_hash *hash)
{
    struct nv_pin pin;
    memcpy(pin.bytes, hash->bytes, sizeof pin.bytes);
    return pin;
}
