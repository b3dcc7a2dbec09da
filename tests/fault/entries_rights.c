/* What a site does where a right is taken away, from another site or from itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "store/care.h"
#include "tests/fault/entries.h"

static void ingest_before(struct nv_scene *scene, enum nv_parcel parcel)
{
    struct nv_error error;
    nv_network_must(nv_entry_ingest(scene, parcel, 0, SIZE_MAX, &error), &error);
    nv_buffer_clear(&scene->told);
}

static enum nv_status take_revocation(struct nv_scene *scene, struct nv_error *error)
{
    return nv_entry_ingest(scene, NV_PARCEL_REVOKED, 0, SIZE_MAX, error);
}

static void hear_of_it(struct nv_scene *scene)
{
    ingest_before(scene, NV_PARCEL_REVOKED);
}

/* What the other school wrote is held, and cannot be merged. */
static void hold_unmerged(struct nv_scene *scene)
{
    nv_scene_sql(scene, "ALTER TABLE item RENAME TO away; ALTER TABLE pair RENAME TO gone");
    ingest_before(scene, NV_PARCEL_WRITES);
}

static enum nv_status take_late_writes(struct nv_scene *scene, struct nv_error *error)
{
    return nv_entry_ingest(scene, NV_PARCEL_WRITES, 0, SIZE_MAX, error);
}

static void hold_beyond(struct nv_scene *scene)
{
    hear_of_it(scene);
    ingest_before(scene, NV_PARCEL_WRITES);
}

static enum nv_status take_word(struct nv_scene *scene, struct nv_error *error)
{
    return nv_entry_ingest(scene, NV_PARCEL_WORD, 0, SIZE_MAX, error);
}

static void hear_the_word(struct nv_scene *scene)
{
    hold_beyond(scene);
    ingest_before(scene, NV_PARCEL_WORD);
}

static enum nv_status lose(struct nv_scene *scene, struct nv_error *error)
{
    return nv_entry_ingest(scene, NV_PARCEL_LOST, 0, SIZE_MAX, error);
}

static enum nv_status list_vouched(struct nv_scene *scene, struct nv_error *error)
{
    struct nv_vouched *list;
    size_t count;
    enum nv_status status = nv_store_vouched(scene->store, &list, &count, error);
    if (status == NV_OK)
        assert_true(count == 1 && list[0].changesets > 0 && list[0].held == 0 && list[0].by_count == 2);
    for (size_t i = 0; status == NV_OK && i < count; i++) {
        nv_entry_tell_number(scene, list[i].changesets);
        nv_entry_tell_number(scene, list[i].held);
        nv_entry_tell(scene, list[i].by, list[i].by_count * sizeof list[i].by[0]);
    }
    if (status == NV_OK)
        free(list);
    return status;
}

const struct nv_fault_entry nv_entries_of_rights[] = {
    {"rights: whose work was merged is revoked", NV_IMAGE_LIVED, false, false, NULL, take_revocation},
    {"rights: whose work is held is revoked", NV_IMAGE_LIVED, false, false, hold_unmerged, take_revocation},
    {"rights: who was revoked wrote on", NV_IMAGE_LIVED, false, false, hear_of_it, take_late_writes},
    {"rights: somebody vouches for it", NV_IMAGE_LIVED, false, false, hold_beyond, take_word},
    {"rights: what is vouched for", NV_IMAGE_LIVED, false, false, hear_the_word, list_vouched},
    {"rights: this site is revoked", NV_IMAGE_LIVED, false, false, hear_of_it, lose},
};
const size_t nv_entries_of_rights_count = sizeof nv_entries_of_rights / sizeof *nv_entries_of_rights;
