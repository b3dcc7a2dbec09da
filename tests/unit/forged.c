#include "forged.h"

#include <string.h>

#include "store/log/logs.h"

static uint64_t next_epoch = 1000;

struct forged forged_begin(struct nv_pair *pair)
{
    const struct nv_log *authority = nv_authority_log(pair->hub.store);
    struct forged forged = {.pair = pair, .key = &pair->school.sign};
    forged.header = (struct nv_header){
        .format = NV_FORMAT,
        .log = {nv_store_identity(pair->school.store)->site, next_epoch++, NV_SCOPE_NETWORK},
        .seq = 1,
        .absolute = true,
        .authority_seq = authority->applied_seq,
        .authority_pin = nv_pin_of(&authority->applied_hash),
    };
    return forged;
}

void forged_done(struct forged *forged)
{
    nv_buffer_done(&forged->bytes);
}

void forged_sign_ops(struct forged *forged, const struct nv_slice *ops, size_t count)
{
    struct nv_buffer scratch = {0};
    struct nv_changeset_parts parts;
    struct nv_error error;
    if (forged->header.context_count > 0)
        forged->header.context = forged->context;
    nv_pair_must(nv_changeset_seal(&forged->header, ops, count, forged->key,
                                   &nv_store_identity(forged->pair->hub.store)->network, &scratch, &parts,
                                   &forged->hash, &error),
                 &error);
    nv_buffer_clear(&forged->bytes);
    nv_changeset_join(&parts, &forged->bytes);
    nv_buffer_done(&scratch);
}

void forged_sign(struct forged *forged, const char *op)
{
    struct nv_slice slice = {(const uint8_t *)op, strlen(op)};
    forged_sign_ops(forged, &slice, slice.size > 0);
}

void forged_follow(struct forged *forged)
{
    forged->header.seq++;
    forged->header.previous = forged->hash;
    forged->header.absolute = false;
    forged->header.context_count = 0;
}
