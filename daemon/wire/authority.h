/* Ops of the authority log as plain structs. Strings are NUL-terminated, in the arena or the caller's. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "core/op.h"
#include "core/rule.h"
#include "wire/keys.h"

struct nv_genesis {
    const char *network;
    struct nv_public_key authority_key;
    struct nv_public_key successor_key;
};

enum nv_role { NV_ROLE_SITE = 1, NV_ROLE_HUB = 2 };

struct nv_certificate {
    struct nv_site_id site;
    const char *name;
    struct nv_public_key sign_key;
    struct nv_public_key curve_key;
    struct nv_public_key recovery_key; /* zeros: none */
    enum nv_role role;
    size_t endpoint_count;
    const char *const *endpoints;
    struct nv_wall_ms not_before, not_after; /* gate the transport only; not_after 0: no end */
    bool reader;                             /* of a hub: sites may grant it the keys of what they write */
    bool anew; /* the site was certified before: its old keys have no right from here on */
    size_t cut_count;
    const struct nv_far_head *cuts; /* with `anew` */
};

struct nv_schema_column {
    uint32_t field;
    const char *name;
    enum nv_rule rule;
    bool quiet;
    const char *label_fr; /* NULL: none */
    const char *label_en;
};

struct nv_schema_table {
    uint32_t number;
    const char *name;
    const char *scope;
    const char *writers;
    size_t column_count;
    const struct nv_schema_column *columns;
};

struct nv_schema_op {
    size_t statement_count;
    const char *const *statements;
    size_t table_count;
    const struct nv_schema_table *tables;
};

struct nv_group_op {
    const char *name;
};

struct nv_reader_op {
    struct nv_scope_id scope; /* of the group */
    struct nv_site_id site;
};

/* Cuts are the heads of the site's logs up to which they count, ascending as core/heads.h has them, none of the
 * authority log; of a Removal those of its scope alone. */
struct nv_removal_op {
    struct nv_scope_id scope;
    struct nv_site_id site;
    size_t cut_count;
    const struct nv_far_head *cuts;
};

struct nv_revocation_op {
    struct nv_site_id site;
    size_t cut_count;
    const struct nv_far_head *cuts;
};

void nv_genesis_encode(const struct nv_genesis *genesis, struct nv_wall_ms time, struct nv_buffer *buffer);
void nv_certificate_encode(const struct nv_certificate *certificate, struct nv_wall_ms time, struct nv_buffer *buffer);
void nv_schema_encode(const struct nv_schema_op *schema, struct nv_wall_ms time, struct nv_buffer *buffer);
void nv_group_encode(const struct nv_group_op *group, struct nv_wall_ms time, struct nv_buffer *buffer);
void nv_reader_encode(const struct nv_reader_op *reader, struct nv_wall_ms time, struct nv_buffer *buffer);
void nv_removal_encode(const struct nv_removal_op *removal, struct nv_wall_ms time, struct nv_buffer *buffer);
void nv_revocation_encode(const struct nv_revocation_op *revocation, struct nv_wall_ms time, struct nv_buffer *buffer);

/* `op_bytes` is the whole encoded Op of that kind; strings are copied into `arena`. NV_REFUSED where anything is off: a
 * name that is empty, over NV_LIMIT_NAME, not UTF-8 or with control characters, a key of another size, an unknown role…
 * NV_NOT_YET where it has a field or a rule that is not known here. */
enum nv_status nv_genesis_decode(struct nv_slice op_bytes, struct nv_arena *arena, struct nv_genesis *ret_genesis,
                                 struct nv_error *error);
enum nv_status nv_certificate_decode(struct nv_slice op_bytes, struct nv_arena *arena,
                                     struct nv_certificate *ret_certificate, struct nv_error *error);
enum nv_status nv_schema_decode(struct nv_slice op_bytes, struct nv_arena *arena, struct nv_schema_op *ret_schema,
                                struct nv_error *error);
enum nv_status nv_group_decode(struct nv_slice op_bytes, struct nv_arena *arena, struct nv_group_op *ret_group,
                               struct nv_error *error);
enum nv_status nv_reader_decode(struct nv_slice op_bytes, struct nv_arena *arena, struct nv_reader_op *ret_reader,
                                struct nv_error *error);
enum nv_status nv_removal_decode(struct nv_slice op_bytes, struct nv_arena *arena, struct nv_removal_op *ret_removal,
                                 struct nv_error *error);
enum nv_status nv_revocation_decode(struct nv_slice op_bytes, struct nv_arena *arena,
                                    struct nv_revocation_op *ret_revocation, struct nv_error *error);

/* The scope of a group: from the op that made it, as it is encoded. */
struct nv_scope_id nv_group_scope(struct nv_slice op_bytes);

/* Names of sites, of groups and of tables and columns: 1 to NV_LIMIT_NAME bytes, UTF-8, no control characters. */
bool nv_name_is_good(const char *name);
