/* One record's change, as it stands in a changeset, and the header that signs for it. Plain structs; wire/ reads and
 * writes them. Pointers are into the bytes that were decoded, or into the caller's own memory. */
#pragma once

#include "base/buffer.h"
#include "base/limits.h"
#include "base/time.h"
#include "core/ident.h"
#include "core/value.h"

/* A set of fields of one table: bit n is the column that the authority gave the field number n. */
typedef uint64_t nv_fields;

enum nv_op_kind {
    NV_OP_PUT = 1,    /* gives fields values; one that creates a record carries them all */
    NV_OP_DELETE = 2, /* marks what it covers */
    NV_OP_REDACT = 3, /* permits dropping the bodies that it names */
    NV_OP_SEALED = 4, /* an op of a record, in a box: who has its content key reads it */
    NV_OP_GRANT = 5,  /* gives a content key to those who may read */
    NV_OP_ASK = 6,    /* asks a site for content keys */
    /* Ops of the authority log. */
    NV_OP_GENESIS = 16,     /* the first: the network's name, the keys */
    NV_OP_CERTIFICATE = 17, /* a site's id, name, keys, role, endpoints */
    NV_OP_SCHEMA = 18,      /* tables, columns and the numbers that they travel as */
    NV_OP_GROUP = 19,       /* makes a group: a scope with a list of readers */
    NV_OP_READER = 20,      /* a site reads a group from here on */
    NV_OP_REMOVAL = 21,     /* a site reads a group no longer */
    NV_OP_REVOCATION = 22,  /* a site is no member any longer */
};

/* Control ops say something of other ops, or of keys; they are in the clear in every scope, and are never let go. */
static inline bool nv_op_is_control(uint32_t kind)
{
    return kind == NV_OP_REDACT || kind == NV_OP_GRANT || kind == NV_OP_ASK;
}

/* Whether an op of the kind may stand in a log of the scope, as it is signed; elsewhere it is a no-op at every site. */
static inline bool nv_op_belongs(enum nv_op_kind kind, struct nv_scope_id scope)
{
    if (nv_scope_id_equal(scope, NV_SCOPE_AUTHORITY) || kind >= NV_OP_GENESIS)
        return nv_scope_id_equal(scope, NV_SCOPE_AUTHORITY) && kind >= NV_OP_GENESIS;
    if (kind == NV_OP_REDACT)
        return true;
    return (kind >= NV_OP_SEALED) == (nv_scope_is_sealed(scope) != 0);
}

/* A dot with its log's full name, as it travels. The scope is that of the changeset it stands in. */
struct nv_far_dot {
    struct nv_site_id site;
    uint64_t epoch;
    uint64_t seq;
    uint32_t index;
};

/* What an op does not cover although its context includes it: these fields of that dot. (A list of bare dots would
 * bring back values of the dot's other fields that were covered long ago.) */
struct nv_except {
    struct nv_far_dot dot;
    nv_fields fields;
};

struct nv_op {
    enum nv_op_kind kind;
    uint32_t table;
    struct nv_slice key;    /* the key columns' values, encoded one after the other */
    struct nv_wall_ms time; /* capture time of the newest of its fields */
    bool has_home;          /* false: the home is the site that wrote it */
    struct nv_site_id home;
    nv_fields fields;                        /* PUT only */
    size_t value_count;                      /* as many as `fields` has bits */
    struct nv_value values[NV_LIMIT_FIELDS]; /* ascending by field number */
    uint64_t ages[NV_LIMIT_FIELDS];          /* how many ms before `time` each was captured */
    size_t except_count;
    struct nv_except *excepts;
    size_t name_count; /* REDACT only: the dots whose bodies it lets go */
    struct nv_far_dot *names;
    uint64_t key_number;     /* SEALED only: which changeset of the log introduces its key; 0: the one it stands in */
    struct nv_slice box;     /* SEALED only */
    struct nv_slice control; /* grants, asks, ops of the authority log: the encoded op, for the reader of that kind */
};

/* A pinned head with its log's full name, as it travels. */
struct nv_far_head {
    struct nv_site_id site;
    uint64_t epoch;
    struct nv_scope_id scope;
    uint64_t seq;
    struct nv_pin pin;
};

struct nv_header {
    uint32_t format; /* of everything that the header signs for */
    struct nv_log_id log;
    uint64_t seq;
    struct nv_hash previous;  /* the previous header's hash; zeros where seq is 1 */
    struct nv_wall_ms sealed; /* when, by the writer's clock */
    bool absolute;            /* the context stands whole, not as a delta to the previous header's */
    size_t context_count;
    struct nv_far_head *context; /* of this log's scope; the writer's own log is never in it */
    uint64_t authority_seq;      /* the authority position that the writer had applied; 0 in the authority log */
    struct nv_pin authority_pin;
    uint32_t op_count;
    uint32_t control_count; /* how many of them, the last ones, are control ops */
    struct nv_hash ops_root;
};

/* Whether a control op may stand at that place, and no other: so everybody knows from headers alone which bodies can be
 * let go. */
static inline bool nv_is_control_place(const struct nv_header *header, size_t place)
{
    return place >= header->op_count - header->control_count;
}
