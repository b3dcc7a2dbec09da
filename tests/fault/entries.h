/* The store's entry points, each in the situations in which it takes another way. */
#pragma once

#include "tests/fault/scene.h"

struct nv_fault_entry {
    const char *name;
    enum nv_image image;
    bool opens;    /* it opens the store itself, or makes it */
    bool in_steps; /* it commits more than once: a failure may leave a part of it done, and the next call does the rest
                    */
    void (*prepare)(struct nv_scene *scene); /* what happened before; may be NULL */
    enum nv_status (*call)(struct nv_scene *scene, struct nv_error *error);
};

extern const struct nv_fault_entry nv_entries_of_records[], nv_entries_of_networks[], nv_entries_of_rights[],
    nv_entries_of_care[];
extern const size_t nv_entries_of_records_count, nv_entries_of_networks_count, nv_entries_of_rights_count,
    nv_entries_of_care_count;

/* Tells something that the call told, for the comparison. */
void nv_entry_tell(struct nv_scene *scene, const void *bytes, size_t size);
void nv_entry_tell_number(struct nv_scene *scene, uint64_t number);
void nv_entry_tell_text(struct nv_scene *scene, const char *text);

/* Takes a parcel's changesets from `first` on, `count` at most. */
enum nv_status nv_entry_ingest(struct nv_scene *scene, enum nv_parcel parcel, size_t first, size_t count,
                               struct nv_error *error);
