#include "store/trust/unbox.h"

#include "store/trust/keyring.h"

/* The ops of a changeset are mostly of one key: the last one is at hand. */
struct unboxing {
    struct nv_store *store;
    struct nv_opened *opened;
    bool has_key; /* what follows is of the key that an op named by `key_number` */
    uint64_t key_number;
    enum nv_key_standing standing;
    struct nv_held_key held;
    struct nv_box_bound bound;
    uint8_t *room; /* for the ops that are still in their boxes */
};

bool nv_opened_is_keyless(const struct nv_opened *opened)
{
    for (size_t i = 0; i < opened->body.count; i++)
        if (opened->body.entries[i].is_keyless)
            return true;
    return false;
}

/* The key that the changeset introduces itself, which may not stand in the log yet. */
static enum nv_status find_introduced(struct unboxing *unboxing, struct nv_error *error)
{
    struct nv_opened *opened = unboxing->opened;
    const struct nv_log *log = nv_log_by_number(unboxing->store, opened->log);
    struct nv_grant grant;
    struct nv_error why;
    enum nv_status status = nv_grant_introduced(opened, &grant, &why);
    unboxing->standing = status == NV_NOT_FOUND ? NV_KEY_VOID : NV_KEY_LACKING;
    if (status == NV_NOT_FOUND || status == NV_NOT_YET)
        return NV_OK;
    if (status != NV_OK)
        return nv_fail(error, status, "%s", why.text);
    enum nv_grant_gives gives;
    const struct nv_grant_box *box = nv_grant_box_of(&grant, unboxing->store->identity.site, false);
    status = nv_grant_open(unboxing->store, box == NULL ? NULL : box->sealed, &grant.key_id, &opened->header.log,
                           &gives, &unboxing->held, error);
    if (status != NV_OK)
        return status;
    if (gives == NV_GIVES_BY_OWN_KEY || gives == NV_GIVES_BY_RECOVERY_KEY)
        unboxing->standing = NV_KEY_HELD;
    else if (log != NULL && opened->header.seq <= log->has_seq) /* somebody else may have given it since */
        return nv_keyring_find(unboxing->store, log, opened->header.seq, &unboxing->standing, &unboxing->held, error);
    return NV_OK;
}

static enum nv_status find_key(struct unboxing *unboxing, uint64_t key_number, struct nv_error *error)
{
    const struct nv_header *header = &unboxing->opened->header;
    const struct nv_log *log = nv_log_by_number(unboxing->store, unboxing->opened->log);
    enum nv_status status = NV_OK;
    if (unboxing->has_key && unboxing->key_number == key_number)
        return NV_OK;
    unboxing->has_key = false;
    unboxing->standing = NV_KEY_VOID;
    if (key_number == 0)
        status = find_introduced(unboxing, error);
    else if (key_number < header->seq && log != NULL)
        status = nv_keyring_find(unboxing->store, log, key_number, &unboxing->standing, &unboxing->held, error);
    if (status != NV_OK)
        return status;
    unboxing->has_key = true;
    unboxing->key_number = key_number;
    if (unboxing->standing == NV_KEY_HELD)
        unboxing->bound = nv_box_bound_of(&unboxing->held.id, &header->log, header->seq);
    return NV_OK;
}

/* What is in the box, if it is a change of a record: no other kind belongs there, but for one that newer software may
 * know. */
static enum nv_status take_out(struct unboxing *unboxing, uint32_t place, struct nv_entry *entry, struct nv_slice box,
                               struct nv_error *error)
{
    struct nv_slice op;
    struct nv_op other;
    entry->op = (struct nv_slice){0};
    if (!nv_box_open(&unboxing->held.key, &unboxing->bound, place, entry->salt, box, unboxing->room, &op))
        return NV_OK;
    uint32_t kind = nv_op_kind_of(op);
    enum nv_status status = NV_NOT_YET;
    if (kind != NV_OP_PUT && kind != NV_OP_DELETE)
        status = nv_op_decode(op, &unboxing->opened->arena, &other, NULL);
    if (status == NV_NO_MEMORY)
        return nv_no_memory(error);
    if (status == NV_NOT_YET) {
        entry->op = op;
        unboxing->room += box.size;
    }
    return NV_OK;
}

static enum nv_status open_sealed(struct unboxing *unboxing, uint32_t place, struct nv_entry *entry,
                                  struct nv_error *error)
{
    struct nv_op op;
    enum nv_status status = nv_op_decode(entry->op, &unboxing->opened->arena, &op, NULL);
    if (status != NV_OK) /* of newer software, or against the protocol: so whoever reads it will find */
        return status == NV_NO_MEMORY ? nv_no_memory(error) : NV_OK;
    status = find_key(unboxing, op.key_number, error);
    if (status != NV_OK)
        return status;
    entry->is_keyless = unboxing->standing == NV_KEY_LACKING;
    if (unboxing->standing == NV_KEY_HELD)
        return take_out(unboxing, place, entry, op.box, error);
    if (unboxing->standing == NV_KEY_VOID)
        entry->op = (struct nv_slice){0};
    return NV_OK;
}

static enum nv_status open_entries(struct unboxing *unboxing, struct nv_error *error)
{
    struct nv_body *body = &unboxing->opened->body;
    enum nv_status status = NV_OK;
    for (uint32_t i = 0; status == NV_OK && i < body->count; i++) {
        struct nv_entry *entry = &body->entries[i];
        uint32_t kind = entry->is_redacted ? 0 : nv_op_kind_of(entry->op);
        if (kind == NV_OP_SEALED)
            status = open_sealed(unboxing, i, entry, error);
        else if (kind == NV_OP_PUT || kind == NV_OP_DELETE)
            entry->op = (struct nv_slice){0};
    }
    return status;
}

enum nv_status nv_unbox(struct nv_store *store, struct nv_opened *opened, struct nv_error *error)
{
    struct unboxing unboxing = {.store = store, .opened = opened};
    size_t sealed = 0;
    if (!nv_scope_is_sealed(opened->header.log.scope))
        return NV_OK;
    for (size_t i = 0; i < opened->body.count; i++)
        if (!opened->body.entries[i].is_redacted && nv_op_kind_of(opened->body.entries[i].op) == NV_OP_SEALED)
            sealed += opened->body.entries[i].op.size;
    unboxing.room = nv_arena_alloc(&opened->arena, sealed + 1);
    if (unboxing.room == NULL)
        return nv_no_memory(error);
    enum nv_status status = open_entries(&unboxing, error);
    nv_wipe(&unboxing.held, sizeof unboxing.held);
    return status;
}
