/* Changesets of peers: verified, put into the log, merged, written to the tables; durable on return.
 *
 * Every changeset gets a verdict of its own; one that is refused does not touch the others.
 */
#pragma once

#include "base/buffer.h"
#include "store/store.h"

enum nv_verdict {
    NV_VERDICT_PENDING = 0, /* not looked at yet: the time was up; hand it in again */
    NV_VERDICT_TAKEN,       /* durable in the log (and merged, if what it builds on was) */
    NV_VERDICT_KNOWN,       /* we have it already */
    NV_VERDICT_WAITS,       /* what it names is not here yet: hand it in again later */
    NV_VERDICT_REFUSED,     /* see reason and text */
};

enum nv_reason { /* names in navette_refusal and in `status`; see nv_reason_name */
                 NV_REASON_NONE = 0,
                 NV_REASON_MALFORMED, /* the bytes are not a changeset, or beyond a limit of the protocol */
                 NV_REASON_SIGNATURE, /* not signed by the site whose log it names, in this network */
                 NV_REASON_CHAIN,     /* its previous header is not the one we hold */
                 NV_REASON_FORK,      /* another changeset stands at its place in the log: two histories of one log */
                 NV_REASON_BODY,      /* its ops are not the ones it signs for */
                 NV_REASON_MEMBER,    /* of a site without a certificate */
                 NV_REASON_AUTHORITY, /* it names an authority position that is not in our authority log */
                 NV_REASON_MESSAGE,   /* not a changeset: a message of a peer that could not be read */
                 NV_REASON_NETWORK,   /* a peer of another network, or with an unknown key */
};
const char *nv_reason_name(enum nv_reason reason);

struct nv_incoming {
    struct nv_slice bytes; /* an encoded Changeset */
    enum nv_verdict verdict;
    enum nv_reason reason;
    char text[200];
};

/* Takes changesets in the given order, in one transaction that ends after about `budget_ms` (the rest stay
 * NV_VERDICT_PENDING), then merges what is held and can be merged now, as far as there is time: where there is
 * more, nv_store_seal goes on with it. Before it changes a record it seals what is pending on it. Returns NV_OK
 * whatever the verdicts; an error (NV_BUSY, NV_FULL, NV_IO, NV_CORRUPT…) means that nothing was taken. */
enum nv_status nv_store_ingest(struct nv_store *store, struct nv_incoming *incoming, size_t count,
                               struct nv_wall_ms now, int budget_ms, struct nv_error *error);

/* Notes a refusal for `status`: by reason, and by site where one is known (`site` may be NULL). */
enum nv_status nv_store_note_refusal(struct nv_store *store, enum nv_reason reason, const struct nv_site_id *site,
                                     const char *text, struct nv_wall_ms now, struct nv_error *error);
