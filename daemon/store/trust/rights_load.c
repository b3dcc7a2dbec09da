/* The rights read into memory: all of them anew, whenever the authority log changed one. */
#include <stdlib.h>

#include "base/hex.h"
#include "store/trust/state.h"

/* Rows of one query, one behind the other. */
struct list {
    void *items;
    size_t count, capacity, size;
};

static void *add(struct list *list)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 32 : list->capacity * 2;
        void *items = realloc(list->items, capacity * list->size);
        if (items == NULL)
            return NULL;
        list->items = items;
        list->capacity = capacity;
    }
    return (char *)list->items + list->count++ * list->size;
}

static bool take_bytes(sqlite3_stmt *row, int column, void *ret_bytes, size_t size)
{
    struct nv_slice bytes = nv_db_blob(row, column);
    if (bytes.size != size)
        return false;
    memcpy(ret_bytes, bytes.data, size);
    return true;
}

static struct nv_span_of_right span_of(sqlite3_stmt *row, int column)
{
    bool goes_on = sqlite3_column_type(row, column + 1) == SQLITE_NULL;
    return (struct nv_span_of_right){(uint64_t)sqlite3_column_int64(row, column),
                                     goes_on ? NV_POSITION_NOW : (uint64_t)sqlite3_column_int64(row, column + 1)};
}

static enum nv_status damaged(struct nv_error *error)
{
    return nv_fail(error, NV_CORRUPT, "store: the list of rights is damaged; restore a backup");
}

/* Reads all rows of a query into the list; `take` says whether a row is what it must be. */
static enum nv_status read_rows(struct nv_store *store, const char *sql, bool (*take)(sqlite3_stmt *row, void *item),
                                struct list *list, struct nv_error *error)
{
    sqlite3_stmt *rows = nv_db_prepare(store->db, sql, error);
    enum nv_status status = rows == NULL ? error->status : NV_OK;
    bool more;
    while (status == NV_OK && (status = nv_db_step(rows, &more, error)) == NV_OK && more) {
        void *item = add(list);
        if (item == NULL)
            status = nv_no_memory(error);
        else if (!take(rows, item))
            status = damaged(error);
    }
    sqlite3_finalize(rows);
    return status;
}

/* ---- memberships and readerships ---- */

static bool take_membership(sqlite3_stmt *row, void *item)
{
    struct nv_membership *membership = item;
    *membership = (struct nv_membership){.span = span_of(row, 1),
                                         .role = (enum nv_role)sqlite3_column_int(row, 5),
                                         .reader = sqlite3_column_int(row, 6) != 0};
    return take_bytes(row, 0, membership->site.bytes, sizeof membership->site.bytes) &&
           take_bytes(row, 3, membership->sign_key.bytes, sizeof membership->sign_key.bytes) &&
           take_bytes(row, 4, membership->curve_key.bytes, sizeof membership->curve_key.bytes);
}

static bool take_readership(sqlite3_stmt *row, void *item)
{
    struct nv_readership *readership = item;
    *readership = (struct nv_readership){.span = span_of(row, 2)};
    return take_bytes(row, 0, readership->scope.bytes, sizeof readership->scope.bytes) &&
           take_bytes(row, 1, readership->site.bytes, sizeof readership->site.bytes);
}

/* ---- scopes ---- */

static bool take_site_scope(sqlite3_stmt *row, void *item)
{
    struct nv_scope *scope = item;
    *scope = (struct nv_scope){.kind = NV_SCOPE_IS_SITE, .made = (uint64_t)sqlite3_column_int64(row, 2)};
    sqlite3_snprintf(sizeof scope->name, scope->name, "site/%s", sqlite3_column_text(row, 1));
    sqlite3_snprintf(sizeof scope->called, scope->called, "%s", sqlite3_column_text(row, 1));
    return take_bytes(row, 0, scope->id.bytes, sizeof scope->id.bytes);
}

static bool take_group(sqlite3_stmt *row, void *item)
{
    struct nv_scope *scope = item;
    *scope = (struct nv_scope){.kind = NV_SCOPE_IS_GROUP, .made = (uint64_t)sqlite3_column_int64(row, 2)};
    sqlite3_snprintf(sizeof scope->name, scope->name, "group/%s", sqlite3_column_text(row, 1));
    sqlite3_snprintf(sizeof scope->called, scope->called, "%s", sqlite3_column_text(row, 1));
    return take_bytes(row, 0, scope->id.bytes, sizeof scope->id.bytes);
}

/* The sites stand in the order in which they have a right to their name: members first. */
static void name_apart(struct nv_scope *scopes, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (sqlite3_stricmp(scopes[i].name, scopes[j].name) == 0) {
                nv_hex(scopes[i].id.bytes, sizeof scopes[i].id.bytes, scopes[i].name);
                break;
            }
}

static int order_scopes(const void *a, const void *b)
{
    const struct nv_scope *left = a, *right = b;
    return memcmp(left->id.bytes, right->id.bytes, sizeof left->id.bytes);
}

static enum nv_status read_scopes(struct nv_store *store, struct list *list, struct nv_error *error)
{
    enum nv_status status = read_rows(store,
                                      "SELECT site, name, certified FROM navette_member "
                                      "ORDER BY ends IS NOT NULL, ends DESC, certified DESC",
                                      take_site_scope, list, error);
    if (status != NV_OK || list->count == 0)
        return status;
    name_apart(list->items, list->count);
    status = read_rows(store, "SELECT scope, name, made FROM navette_group", take_group, list, error);
    struct nv_scope *network = status == NV_OK ? add(list) : NULL;
    if (network == NULL)
        return status == NV_OK ? nv_no_memory(error) : status;
    *network = (struct nv_scope){
        .id = NV_SCOPE_NETWORK, .kind = NV_SCOPE_IS_NETWORK, .made = 1, .name = "network", .called = "network"};
    qsort(list->items, list->count, list->size, order_scopes);
    return NV_OK;
}

/* ---- what was taken away ---- */

/* A taking where the head's seq is 0; else a head of the taking of that number. */
struct cut_row {
    int64_t number;
    struct nv_taking taking;
    struct nv_far_head head;
};

static bool take_cut(sqlite3_stmt *row, void *item)
{
    struct cut_row *cut = item;
    *cut = (struct cut_row){.number = sqlite3_column_int64(row, 6),
                            .taking.position = (uint64_t)sqlite3_column_int64(row, 0),
                            .head.epoch = (uint64_t)sqlite3_column_int64(row, 3),
                            .head.seq = (uint64_t)sqlite3_column_int64(row, 4)};
    if (!take_bytes(row, 1, cut->taking.site.bytes, sizeof cut->taking.site.bytes) ||
        !take_bytes(row, 2, cut->taking.scope.bytes, sizeof cut->taking.scope.bytes))
        return false;
    cut->head.site = cut->taking.site;
    cut->head.scope = cut->taking.scope;
    return cut->head.seq == 0 || take_bytes(row, 5, cut->head.pin.bytes, sizeof cut->head.pin.bytes);
}

static int order_heads(const void *a, const void *b)
{
    return nv_far_head_order(a, b);
}

/* Parts the rows into takings and their heads; false where a head is of no taking. There is room for all of them. */
static bool part_cuts(const struct list *rows, struct nv_rights *rights)
{
    const struct cut_row *cuts = rows->items;
    for (size_t i = 0; i < rows->count;) {
        const struct cut_row *first = &cuts[i++];
        struct nv_taking *taking = &rights->takings[rights->taking_count++];
        struct nv_far_head *heads = &rights->heads[rights->head_count];
        if (first->head.seq != 0)
            return false;
        *taking = first->taking;
        for (; i < rows->count && cuts[i].number == first->number; i++)
            heads[taking->head_count++] = cuts[i].head;
        if (taking->head_count > 1)
            qsort(heads, taking->head_count, sizeof *heads, order_heads); /* SQLite's integers are signed */
        taking->heads = heads;
        rights->head_count += taking->head_count;
    }
    return true;
}

static enum nv_status read_takings(struct nv_store *store, struct nv_rights *rights, struct nv_error *error)
{
    struct list rows = {.size = sizeof(struct cut_row)};
    enum nv_status status = read_rows(store,
                                      "SELECT taken_at, site, scope, epoch, seq, pin, taking FROM navette_cut "
                                      "ORDER BY site, taking, seq > 0",
                                      take_cut, &rows, error);
    rights->takings = calloc(rows.count + 1, sizeof *rights->takings);
    rights->heads = calloc(rows.count + 1, sizeof *rights->heads);
    if (status == NV_OK && (rights->takings == NULL || rights->heads == NULL))
        status = nv_no_memory(error);
    if (status == NV_OK && !part_cuts(&rows, rights))
        status = damaged(error);
    free(rows.items);
    return status;
}

/* ---- all of it ---- */

static void rights_done(struct nv_rights *rights)
{
    free(rights->memberships);
    free(rights->readerships);
    free(rights->scopes);
    free(rights->takings);
    free(rights->heads);
    free(rights);
}

void nv_rights_done(struct nv_store *store)
{
    if (store->rights != NULL)
        rights_done(store->rights);
    store->rights = NULL;
}

enum nv_status nv_rights_load(struct nv_store *store, struct nv_error *error)
{
    struct list memberships = {.size = sizeof(struct nv_membership)};
    struct list readerships = {.size = sizeof(struct nv_readership)};
    struct list scopes = {.size = sizeof(struct nv_scope)};
    struct nv_rights *rights = calloc(1, sizeof *rights);
    if (rights == NULL)
        return nv_no_memory(error);
    enum nv_status status = read_rows(store,
                                      "SELECT site, begins, ends, sign_key, curve_key, role, reader "
                                      "FROM navette_membership ORDER BY site, number",
                                      take_membership, &memberships, error);
    if (status == NV_OK)
        status =
            read_rows(store, "SELECT scope, site, begins, ends FROM navette_readership ORDER BY scope, site, number",
                      take_readership, &readerships, error);
    if (status == NV_OK)
        status = read_scopes(store, &scopes, error);
    if (status == NV_OK)
        status = read_takings(store, rights, error);
    rights->memberships = memberships.items;
    rights->membership_count = memberships.count;
    rights->readerships = readerships.items;
    rights->readership_count = readerships.count;
    rights->scopes = scopes.items;
    rights->scope_count = scopes.count;
    if (status != NV_OK) {
        rights_done(rights);
        return status;
    }
    nv_rights_done(store);
    store->rights = rights;
    return NV_OK;
}
