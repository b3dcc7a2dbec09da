/* The test's own record of every write: what it wrote, and what its writer had before her eyes when she wrote it.
 *
 * A write is what a site's row says now and did not say when that site last sealed or merged; or the answer to a
 * conflict. Its writer saw the values that the row showed (and, of an answer, those that the conflict listed): of
 * these, each write that had reached her site was knowingly covered. Every other write must still be there at the end.
 */
#pragma once

#include "model.h"
#include "stores.h"

enum { NV_WRITES_MAX = 1024, NV_WRITE_OF_RECORD = -1 };

struct nv_write {
    size_t site, record;
    int field;           /* NV_WRITE_OF_RECORD: a delete */
    int code;            /* the value */
    uint64_t seq;        /* of the changeset that it was sealed into; 0 until then */
    bool is_overwritten; /* by the same writer, before it was sealed */
    bool is_covered;     /* knowingly */
};

struct nv_writes {
    size_t count;
    struct nv_write items[NV_WRITES_MAX];
    struct nv_stores_row base[NV_STORES_ALL][NV_STORES_RECORDS]; /* what each site's rows said last */
};

/* Notes what was written at the site since the last call of this or of nv_writes_settle: to be called before anything
 * is sealed or delivered there. */
void nv_writes_notice(struct nv_writes *writes, struct nv_stores *stores, size_t site);

/* After the site sealed or took something in: its writes have a place in its log, and its rows are as merged. */
void nv_writes_settle(struct nv_writes *writes, struct nv_stores *stores, size_t site);

/* Answers one of the open conflicts of the site, where there is one; all that was written there was sealed before. */
void nv_writes_answer(struct nv_writes *writes, struct nv_stores *stores, struct nv_dice *dice, size_t site);
