/* A small network, made once a process from fixed keys and seeds: store files of its sites in several situations, and
 * changesets that go from one to another. */
#pragma once

#include "store/store.h"
#include "wire/invitation.h"

enum nv_image {
    NV_IMAGE_NONE,   /* no file */
    NV_IMAGE_FRESH,  /* a store in no network */
    NV_IMAGE_HUB,    /* the authority's, with a schema and three members */
    NV_IMAGE_JOINED, /* a school that has the authority log */
    NV_IMAGE_LIVED,  /* the same, where people have worked: open conflicts, deletes, long texts */
    NV_IMAGES,
};

/* Changesets for the school of NV_IMAGE_LIVED (the authority log: for any site). */
enum nv_parcel {
    NV_PARCEL_AUTHORITY, /* the log up to the school's certificate */
    NV_PARCEL_SCHEMA,    /* what the authority published since */
    NV_PARCEL_WRITES,    /* of another school: puts, deletes, conflicts, long texts */
    NV_PARCEL_ODD,       /* the same school's next: what a schema refuses, what is against the protocol */
    NV_PARCEL_REDACT,    /* its next: lets go of some of NV_PARCEL_WRITES */
    NV_PARCEL_STRIPPED,  /* NV_PARCEL_WRITES as a relay sends it that keeps bodies back */
    NV_PARCEL_NO_REDACT, /* NV_PARCEL_REDACT in that way: the redaction itself is missing */
    NV_PARCEL_FORK,      /* another history of that school, from before NV_PARCEL_WRITES */
    NV_PARCEL_OWN,       /* what the school itself wrote after the image was taken */
    NV_PARCEL_REVOKED,   /* NV_PARCEL_SCHEMA, and the other school's revocation, which names nothing of its log */
    NV_PARCEL_WORD,      /* the hub's word for all of NV_PARCEL_WRITES, from before that */
    NV_PARCEL_LOST,      /* what comes after NV_PARCEL_REVOKED: the school is revoked itself */
    NV_PARCELS,
};

static const struct nv_wall_ms nv_network_now = {1767600000000}; /* 2026-01-05 */
enum { NV_NETWORK_LONG_MS = 3600 * 1000 };
extern const char nv_network_schema[], nv_network_more_schema[]; /* published; and what is published next */

/* Once a process, after nv_memory_start. */
void nv_network_start(void);

/* The same keys, salts and seeds are drawn from here on as after every other call of this. */
void nv_network_reseed(void);

/* The test fails where it is not NV_OK. */
void nv_network_must(enum nv_status status, const struct nv_error *error);

struct nv_slice nv_network_image(enum nv_image image);
const struct nv_slice *nv_network_parcel(enum nv_parcel parcel, size_t *ret_count);

const struct nv_sign_key *nv_network_authority(void);
const struct nv_sign_key *nv_network_signer(enum nv_image image);
const struct nv_sign_key *nv_network_newcomer(void);
struct nv_public_key nv_network_successor(void);
struct nv_certificate nv_network_certificate(struct nv_site_id site, const char *name, uint8_t which);
struct nv_invitation nv_network_invitation(void);
