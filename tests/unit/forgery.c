#include "forgery.h"

struct forgery forgery_begin(struct nv_group *group, struct nv_pair_site *site)
{
    struct forgery forgery = {.group = group, .site = site};
    struct nv_log_id id = nv_group_log(group, site);
    const struct nv_log *log = nv_log_find(site->store, &id);
    nv_seed_make(&forgery.seed);
    nv_content_key_make(&forgery.key.key);
    forgery.key.id = nv_content_key_id(&forgery.key.key, &id);
    forgery.bound = nv_box_bound_of(&forgery.key.id, &id, log == NULL ? 1 : log->has_seq + 1);
    return forgery;
}

struct nv_buffer *forgery_op(struct forgery *forgery)
{
    return &forgery->bytes[forgery->count++];
}

void forgery_box(struct forgery *forgery, struct nv_slice op, uint64_t key_number)
{
    struct nv_salt salts[8];
    uint32_t index = (uint32_t)forgery->count;
    nv_salts_of(forgery->seed.bytes, salts, 8);
    nv_box_append(&forgery->key.key, key_number, &forgery->bound, index, &salts[index], op, forgery_op(forgery));
}

void forgery_put(struct forgery *forgery, const char *id, uint64_t key_number)
{
    struct nv_buffer put = {0};
    nv_group_put(id, 7, &put);
    forgery_box(forgery, nv_buffer_slice(&put), key_number);
    nv_buffer_done(&put);
}

void forgery_grant(struct forgery *forgery, const struct nv_held_key *key, const struct nv_pair_site *site)
{
    struct nv_scope_reader reader = {nv_group_id(site), site->curve.public_key, {{0}}};
    struct nv_scope_readers readers = {&reader, 1};
    struct nv_error error;
    nv_pair_must(nv_grant_append(key, NULL, false, &readers, forgery_op(forgery), &error), &error);
}

void forgery_sign(struct forgery *forgery)
{
    for (size_t i = 0; i < forgery->count; i++)
        forgery->ops[i] = nv_buffer_slice(&forgery->bytes[i]);
    nv_group_sign(forgery->group, forgery->site, &forgery->seed, forgery->ops, forgery->count);
    for (size_t i = 0; i < forgery->count; i++)
        nv_buffer_done(&forgery->bytes[i]);
}

void forgery_sign_put(struct nv_group *group, struct nv_pair_site *site, const struct nv_held_key *key, const char *id,
                      uint64_t key_number)
{
    struct nv_log_id log = nv_group_log(group, site);
    struct forgery forgery = forgery_begin(group, site);
    forgery.key = *key;
    forgery.bound = nv_box_bound_of(&key->id, &log, nv_log_find(site->store, &log)->has_seq + 1);
    forgery_put(&forgery, id, key_number);
    forgery_sign(&forgery);
}
