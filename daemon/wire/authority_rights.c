/* Reading the ops of the authority log that give and take rights: groups, their readers, removals, revocations. */
#include "core/heads.h"
#include "wire/authority_read.h"
#include "wire/hash.h"
#include "wire/heads.h"

static bool take_site(ProtobufCBinaryData binary, struct nv_site_id *ret_site)
{
    return nv_binary_take(binary, ret_site->bytes, sizeof ret_site->bytes);
}

static bool take_scope(ProtobufCBinaryData binary, struct nv_scope_id *ret_scope)
{
    return nv_binary_take(binary, ret_scope->bytes, sizeof ret_scope->bytes);
}

static bool is_wanted(const struct nv_far_head *cut, const struct nv_cuts_wanted *wanted)
{
    bool is_in_scope = wanted->scope == NULL || nv_scope_id_equal(cut->scope, *wanted->scope);
    return is_in_scope && nv_site_id_compare(cut->site, wanted->site) == 0 &&
           !nv_scope_id_equal(cut->scope, NV_SCOPE_AUTHORITY);
}

enum nv_status nv_authority_take_cuts(Navette__Head *const *cuts, size_t count, const struct nv_cuts_wanted *wanted,
                                      struct nv_arena *arena, const struct nv_far_head **ret_cuts, size_t *ret_count,
                                      struct nv_error *error)
{
    struct nv_far_head *taken;
    if (count > NV_LIMIT_CUTS)
        return nv_authority_refuse("more cuts than the protocol allows", error);
    enum nv_status status = nv_heads_take(cuts, count, NULL, arena, &taken, error);
    if (status != NV_OK)
        return status;
    if (!nv_heads_ascend(taken, count))
        return nv_authority_refuse("cuts that do not ascend, or name a log twice", error);
    for (size_t i = 0; i < count; i++)
        if (!is_wanted(&taken[i], wanted))
            return nv_authority_refuse("a cut of a log that the op is not about", error);
    *ret_cuts = taken;
    *ret_count = count;
    return NV_OK;
}

enum nv_status nv_group_decode(struct nv_slice op_bytes, struct nv_arena *arena, struct nv_group_op *ret_group,
                               struct nv_error *error)
{
    const Navette__Op *op;
    enum nv_status status = nv_authority_unpack(op_bytes, NV_OP_GROUP, arena, &op, error);
    if (status != NV_OK)
        return status;
    if (op->group == NULL || !nv_name_is_good(op->group->name))
        return nv_authority_refuse("a group whose name is missing, too long, or no text", error);
    *ret_group = (struct nv_group_op){.name = op->group->name};
    return NV_OK;
}

enum nv_status nv_reader_decode(struct nv_slice op_bytes, struct nv_arena *arena, struct nv_reader_op *ret_reader,
                                struct nv_error *error)
{
    const Navette__Op *op;
    struct nv_reader_op reader;
    enum nv_status status = nv_authority_unpack(op_bytes, NV_OP_READER, arena, &op, error);
    if (status != NV_OK)
        return status;
    if (op->reader == NULL || !take_scope(op->reader->scope, &reader.scope) ||
        !take_site(op->reader->site, &reader.site))
        return nv_authority_refuse("a reader without a scope or a site", error);
    *ret_reader = reader;
    return NV_OK;
}

enum nv_status nv_removal_decode(struct nv_slice op_bytes, struct nv_arena *arena, struct nv_removal_op *ret_removal,
                                 struct nv_error *error)
{
    const Navette__Op *op;
    struct nv_removal_op removal;
    enum nv_status status = nv_authority_unpack(op_bytes, NV_OP_REMOVAL, arena, &op, error);
    if (status != NV_OK)
        return status;
    if (op->removal == NULL || !take_scope(op->removal->scope, &removal.scope) ||
        !take_site(op->removal->site, &removal.site))
        return nv_authority_refuse("a removal without a scope or a site", error);
    const struct nv_cuts_wanted wanted = {.site = removal.site, .scope = &removal.scope};
    status = nv_authority_take_cuts(op->removal->cuts, op->removal->n_cuts, &wanted, arena, &removal.cuts,
                                    &removal.cut_count, error);
    if (status != NV_OK)
        return status;
    *ret_removal = removal;
    return NV_OK;
}

enum nv_status nv_revocation_decode(struct nv_slice op_bytes, struct nv_arena *arena,
                                    struct nv_revocation_op *ret_revocation, struct nv_error *error)
{
    const Navette__Op *op;
    struct nv_revocation_op revocation;
    enum nv_status status = nv_authority_unpack(op_bytes, NV_OP_REVOCATION, arena, &op, error);
    if (status != NV_OK)
        return status;
    if (op->revocation == NULL || !take_site(op->revocation->site, &revocation.site))
        return nv_authority_refuse("a revocation without a site", error);
    const struct nv_cuts_wanted wanted = {.site = revocation.site};
    status = nv_authority_take_cuts(op->revocation->cuts, op->revocation->n_cuts, &wanted, arena, &revocation.cuts,
                                    &revocation.cut_count, error);
    if (status != NV_OK)
        return status;
    *ret_revocation = revocation;
    return NV_OK;
}

struct nv_scope_id nv_group_scope(struct nv_slice op_bytes)
{
    struct nv_scope_id scope;
    struct nv_hash hash = nv_hash_of(op_bytes);
    memcpy(scope.bytes, hash.bytes, sizeof scope.bytes);
    return scope;
}
