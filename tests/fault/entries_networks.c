/* Making and opening stores, founding, joining, publishing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/authority.h"
#include "store/schema.h"
#include "store/trust/rights.h"
#include "tests/fault/entries.h"
#include "wire/recovery.h"

enum { HUB = 1, SCHOOL = 2, NEWCOMER = 6 };

static enum nv_status create(struct nv_scene *scene, struct nv_error *error)
{
    (void)scene;
    return nv_store_create(nv_scene_path, "school", error);
}

static enum nv_status open_store(struct nv_scene *scene, struct nv_error *error)
{
    enum nv_status status = nv_store_open(nv_scene_path, &scene->store, error);
    if (status != NV_OK)
        return status;
    const struct nv_member *members;
    const struct nv_table *const *tables;
    size_t count;
    nv_store_members(scene->store, &members, &count);
    for (size_t i = 0; i < count; i++)
        nv_entry_tell(scene, &members[i], sizeof members[i]);
    nv_store_tables(scene->store, &tables, &count);
    for (size_t i = 0; i < count; i++) {
        nv_entry_tell_text(scene, tables[i]->name);
        for (size_t j = 0; j < tables[i]->field_count; j++)
            nv_entry_tell_text(scene, tables[i]->fields[j].label_fr == NULL ? "" : tables[i]->fields[j].label_fr);
    }
    nv_entry_tell(scene, &nv_store_identity(scene->store)->site, sizeof(struct nv_site_id));
    return NV_OK;
}

/* An older file: no migration has run. */
static void empty_database(struct nv_scene *scene)
{
    sqlite3 *db;
    assert_int_equal(
        sqlite3_open_v2(nv_scene_path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 0; CREATE TABLE old(a)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    /* Durable with its folder: a journal whose removal is not synced comes back, and takes the commit with it. */
    struct nv_buffer image = {0};
    assert_true(nv_disk_get(scene->disk, "store.db", &image));
    nv_disk_put(scene->disk, "store.db", nv_buffer_slice(&image));
    nv_buffer_done(&image);
    nv_scene_watch(scene);
}

/* It has no identity, which is said; and is migrated all the same. */
static enum nv_status migrate(struct nv_scene *scene, struct nv_error *error)
{
    enum nv_status status = nv_store_open(nv_scene_path, &scene->store, error);
    return status == NV_CORRUPT ? NV_OK : status;
}

static enum nv_status found(struct nv_scene *scene, struct nv_error *error)
{
    struct nv_public_key successor = nv_network_successor();
    struct nv_certificate self = nv_network_certificate(nv_store_identity(scene->store)->site, "first", SCHOOL);
    return nv_authority_found(scene->store, "network", nv_network_authority(), &successor, &self, nv_network_now,
                              error);
}

static enum nv_status certify(struct nv_scene *scene, struct nv_error *error)
{
    struct nv_certificate certificate = nv_network_certificate((struct nv_site_id){{NEWCOMER}}, "newcomer", NEWCOMER);
    return nv_authority_certify(scene->store, nv_network_authority(), &certificate, nv_network_now, error);
}

/* ---- rights ---- */

/* Who that is, by what stands in the file: a failed call may have left something else in memory. */
static struct nv_site_id school_of(struct nv_scene *scene)
{
    const struct nv_member *members;
    struct nv_error ignored;
    size_t count;
    bool changed;
    nv_store_refresh(scene->store, &changed, &ignored);
    nv_store_members(scene->store, &members, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(members[i].name, "school") == 0)
            return members[i].site;
    return (struct nv_site_id){{0}};
}

static struct nv_scope_id group_of(struct nv_scene *scene)
{
    struct nv_scope_id group = {{0}};
    nv_scope_from_name(scene->store, "group/nord", &group, NULL);
    return group;
}

static enum nv_status certify_anew(struct nv_scene *scene, struct nv_error *error)
{
    struct nv_certificate certificate = nv_network_certificate(school_of(scene), "school", NEWCOMER);
    certificate.anew = true;
    return nv_authority_certify(scene->store, nv_network_authority(), &certificate, nv_network_now, error);
}

static enum nv_status make_group(struct nv_scene *scene, struct nv_error *error)
{
    return nv_authority_group(scene->store, nv_network_authority(), "nord", nv_network_now, error);
}

static void group_before(struct nv_scene *scene)
{
    struct nv_error error;
    nv_network_must(make_group(scene, &error), &error);
}

static enum nv_status add_reader(struct nv_scene *scene, struct nv_error *error)
{
    struct nv_site_id school = school_of(scene);
    return nv_authority_add_reader(scene->store, nv_network_authority(), group_of(scene), school, nv_network_now,
                                   error);
}

static void reader_before(struct nv_scene *scene)
{
    struct nv_error error;
    group_before(scene);
    nv_network_must(add_reader(scene, &error), &error);
}

static enum nv_status remove_reader(struct nv_scene *scene, struct nv_error *error)
{
    struct nv_site_id school = school_of(scene);
    return nv_authority_remove_reader(scene->store, nv_network_authority(), group_of(scene), school, nv_network_now,
                                      error);
}

static enum nv_status revoke(struct nv_scene *scene, struct nv_error *error)
{
    return nv_authority_revoke(scene->store, nv_network_authority(), school_of(scene), nv_network_now, error);
}

/* ---- invitations ---- */

static enum nv_status keep_invitation(struct nv_scene *scene, struct nv_error *error)
{
    struct nv_invitation invitation = nv_network_invitation();
    invitation.number++;
    return nv_invitation_keep(scene->store, &invitation, "another", NV_ROLE_SITE, error);
}

static enum nv_status enrol(struct nv_scene *scene, struct nv_error *error)
{
    struct nv_invitation invitation = nv_network_invitation();
    struct nv_certificate wanted = nv_network_certificate((struct nv_site_id){{NEWCOMER}}, "whatever", NEWCOMER);
    struct nv_buffer request = {0}, reply = {0};
    nv_enrol_request_encode(&wanted, invitation.number, invitation.secret, nv_network_newcomer(), &request);
    enum nv_status status = request.failed
                                ? nv_no_memory(error)
                                : nv_authority_enrol(scene->store, nv_network_authority(), nv_buffer_slice(&request),
                                                     nv_network_now, &reply, error);
    if (status == NV_OK && reply.failed)
        status = nv_no_memory(error);
    if (status == NV_OK)
        nv_entry_tell(scene, reply.data, reply.size);
    nv_buffer_done(&request);
    nv_buffer_done(&reply);
    return status;
}

static void enrol_before(struct nv_scene *scene)
{
    struct nv_error error;
    nv_network_must(enrol(scene, &error), &error);
    nv_buffer_clear(&scene->told);
}

static void use_invitation(struct nv_scene *scene)
{
    nv_scene_sql(scene, "UPDATE navette_invitation SET used_by = zeroblob(16)");
}

/* ---- a member that lost its keys ---- */

static struct nv_curve_key curve_key(const char *secret)
{
    struct nv_curve_key key;
    struct nv_error error;
    nv_network_must(nv_recovery_read(secret, &key, &error), &error);
    return key;
}

static struct nv_curve_key recovery_key(void)
{
    return curve_key("0707070707070707070707070707070707070707070707070707070707070707");
}

static struct nv_curve_key hub_key(void)
{
    return curve_key("0808080808080808080808080808080808080808080808080808080808080808");
}

/* The hub's X25519 key, which a recovery is judged with. */
static void load_hub_key(struct nv_scene *scene)
{
    static struct nv_curve_key key;
    key = hub_key();
    nv_store_set_opener(scene->store, &key);
}

static struct nv_invitation recovery_invitation(void)
{
    struct nv_invitation invitation = nv_network_invitation();
    invitation.number++;
    invitation.hub_curve_key = hub_key().public_key;
    return invitation;
}

/* The school's recovery key is certified, and it is invited back. */
static void invite_back(struct nv_scene *scene)
{
    struct nv_curve_key recovery = recovery_key();
    struct nv_certificate school = nv_network_certificate(school_of(scene), "school", SCHOOL);
    struct nv_error error;
    struct nv_invitation invitation = recovery_invitation();
    school.recovery_key = recovery.public_key;
    nv_network_must(nv_authority_certify(scene->store, nv_network_authority(), &school, nv_network_now, &error),
                    &error);
    nv_network_must(nv_invitation_keep(scene->store, &invitation, "School", NV_ROLE_SITE, &error), &error);
}

static enum nv_status enrol_recovering(struct nv_scene *scene, struct nv_error *error)
{
    struct nv_curve_key recovery = recovery_key();
    struct nv_invitation invitation = recovery_invitation();
    struct nv_certificate wanted = nv_network_certificate((struct nv_site_id){{0}}, "whatever", NEWCOMER);
    struct nv_buffer request = {0}, reply = {0};
    load_hub_key(scene);
    enum nv_status status =
        nv_enrol_recovery_encode(&wanted, &invitation, nv_network_newcomer(), &recovery, &request, error);
    if (status == NV_OK)
        status = nv_authority_enrol(scene->store, nv_network_authority(), nv_buffer_slice(&request), nv_network_now,
                                    &reply, error);
    if (status == NV_OK && reply.failed)
        status = nv_no_memory(error);
    if (status == NV_OK)
        nv_entry_tell(scene, reply.data, reply.size);
    nv_buffer_done(&request);
    nv_buffer_done(&reply);
    return status;
}

static void enrol_recovering_before(struct nv_scene *scene)
{
    struct nv_error error;
    invite_back(scene);
    nv_network_must(enrol_recovering(scene, &error), &error);
    nv_buffer_clear(&scene->told);
}

/* The hub's answer has a content key for the recovery key. */
static enum nv_status recover(struct nv_scene *scene, struct nv_error *error)
{
    struct nv_curve_key recovery = recovery_key();
    struct nv_content_key content = {{5}};
    struct nv_recovered_key key = {.log = {.epoch = 3, .scope = NV_SCOPE_NETWORK}};
    struct nv_buffer bytes = {0};
    key.id = nv_content_key_id(&content, &key.log);
    if (!nv_content_key_seal(&content, &recovery.public_key, key.sealed))
        return NV_BUG;
    nv_recovered_key_append(&key, &bytes);
    struct nv_slice keys[] = {nv_buffer_slice(&bytes)};
    struct nv_enrol_reply reply = {.admitted = true, .keys = keys, .key_count = 1};
    reply.authority = (struct nv_slice *)nv_network_parcel(NV_PARCEL_AUTHORITY, &reply.authority_count);
    nv_store_set_signer(scene->store, nv_network_signer(NV_IMAGE_JOINED));
    enum nv_status status = bytes.failed
                                ? nv_no_memory(error)
                                : nv_authority_recover(scene->store, &nv_network_authority()->public_key, &reply,
                                                       &recovery, &recovery.public_key, nv_network_now, error);
    nv_buffer_done(&bytes);
    return status;
}

static enum nv_status apply_schema(struct nv_scene *scene, const char *sql, bool dry_run, struct nv_error *error)
{
    struct nv_buffer summary = {0};
    enum nv_status status =
        nv_schema_apply(scene->store, nv_network_authority(), sql, dry_run, nv_network_now, &summary, error);
    if (status == NV_OK && summary.failed)
        status = nv_no_memory(error);
    if (status == NV_OK)
        nv_entry_tell(scene, summary.data, summary.size);
    nv_buffer_done(&summary);
    return status;
}

static enum nv_status publish(struct nv_scene *scene, struct nv_error *error)
{
    return apply_schema(scene, nv_network_more_schema, false, error);
}

static enum nv_status try_schema(struct nv_scene *scene, struct nv_error *error)
{
    return apply_schema(scene, nv_network_more_schema, true, error);
}

static enum nv_status publish_again(struct nv_scene *scene, struct nv_error *error)
{
    return apply_schema(scene, nv_network_schema, false, error);
}

/* A refusal is this call's success, and must not come for any other reason. */
static enum nv_status publish_bad(struct nv_scene *scene, struct nv_error *error)
{
    static const char *const bad[] = {
        "CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a DEFAULT (random()));"
        "INSERT INTO navette_table(name, scope) VALUES ('t', 'network')",
        "CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a NOT NULL);"
        "INSERT INTO navette_table(name, scope) VALUES ('t', 'network')",
        "CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a UNIQUE);"
        "INSERT INTO navette_table(name, scope) VALUES ('t', 'network')",
        "CREATE TABLE item(id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL)",
        "INSERT INTO navette_column(table_name, name) VALUES ('item', 'nothing')",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        enum nv_status status = apply_schema(scene, bad[i], false, error);
        if (status != NV_REFUSED)
            return status == NV_OK ? NV_BUG : status;
        nv_entry_tell_text(scene, error->text);
    }
    return NV_OK;
}

static enum nv_status adopt(struct nv_scene *scene, struct nv_error *error)
{
    size_t count;
    const struct nv_slice *changesets = nv_network_parcel(NV_PARCEL_AUTHORITY, &count);
    return nv_authority_adopt(scene->store, &nv_network_authority()->public_key, changesets, count, nv_network_now,
                              error);
}

static enum nv_status adopt_bad(struct nv_scene *scene, struct nv_error *error)
{
    size_t count;
    const struct nv_slice *changesets = nv_network_parcel(NV_PARCEL_AUTHORITY, &count);
    struct nv_public_key other = nv_network_successor();
    enum nv_status status = nv_authority_adopt(scene->store, &other, changesets, count, nv_network_now, error);
    if (status == NV_REFUSED)
        status =
            nv_authority_adopt(scene->store, &nv_network_authority()->public_key, changesets, 1, nv_network_now, error);
    return status == NV_REFUSED ? NV_OK : status == NV_OK ? NV_BUG : status;
}

const struct nv_fault_entry nv_entries_of_networks[] = {
    {"create", NV_IMAGE_NONE, true, true, NULL, create},
    {"open: in no network", NV_IMAGE_FRESH, true, false, NULL, open_store},
    {"open", NV_IMAGE_LIVED, true, false, NULL, open_store},
    {"open: an older file", NV_IMAGE_NONE, true, true, empty_database, migrate},
    {"found", NV_IMAGE_FRESH, false, false, NULL, found},
    {"certify", NV_IMAGE_HUB, false, false, NULL, certify},
    {"certify anew", NV_IMAGE_HUB, false, false, NULL, certify_anew},
    {"make a group", NV_IMAGE_HUB, false, false, NULL, make_group},
    {"add to a group", NV_IMAGE_HUB, false, false, group_before, add_reader},
    {"remove from a group", NV_IMAGE_HUB, false, false, reader_before, remove_reader},
    {"revoke", NV_IMAGE_HUB, false, false, reader_before, revoke},
    {"keep an invitation", NV_IMAGE_HUB, false, false, NULL, keep_invitation},
    {"enrol", NV_IMAGE_HUB, false, true, NULL, enrol},
    {"enrol: again", NV_IMAGE_HUB, false, false, enrol_before, enrol},
    {"enrol: used by another", NV_IMAGE_HUB, false, false, use_invitation, enrol},
    {"enrol: recover", NV_IMAGE_HUB, false, true, invite_back, enrol_recovering},
    {"enrol: recover again", NV_IMAGE_HUB, false, false, enrol_recovering_before, enrol_recovering},
    {"publish", NV_IMAGE_HUB, false, false, NULL, publish},
    {"publish: try", NV_IMAGE_HUB, false, false, NULL, try_schema},
    {"publish: again", NV_IMAGE_HUB, false, false, NULL, publish_again},
    {"publish: refused", NV_IMAGE_HUB, false, false, NULL, publish_bad},
    {"adopt", NV_IMAGE_FRESH, false, true, NULL, adopt},
    {"recover", NV_IMAGE_FRESH, false, true, NULL, recover},
    {"adopt: refused", NV_IMAGE_FRESH, false, true, NULL, adopt_bad},
};
const size_t nv_entries_of_networks_count = sizeof nv_entries_of_networks / sizeof *nv_entries_of_networks;
