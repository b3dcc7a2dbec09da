/* The statements that run often, prepared once, on first use. Internal to store/. */
#pragma once

#include "store/internal.h"

enum nv_statement {
    NV_SQL_VERSION_GET,
    NV_SQL_VERSION_CREATE,
    NV_SQL_VERSION_PUT,
    NV_SQL_CHANGESET_ADD,
    NV_SQL_CHANGESET_AT,
    NV_SQL_CHANGESET_GET,
    NV_SQL_CHANGESET_HEADER,
    NV_SQL_CHANGESET_AFTER,
    NV_SQL_CHANGESET_NEXT,
    NV_SQL_CHANGESET_RECORDS,
    NV_SQL_SITE_ADD,
    NV_SQL_LOG_ADD,
    NV_SQL_LOG_SAVE,
    NV_SQL_MEMBER_SAVE,
    NV_SQL_FORK_ADD,
    NV_SQL_OWED_ADD,
    NV_SQL_OWED_DROP,
    NV_SQL_OWED_OF,
    NV_SQL_OWED_NEXT,
    NV_SQL_OWED_DOTS,
    NV_SQL_REDACTION_ADD,
    NV_SQL_REDACTIONS_OF,
    NV_SQL_CHANGESET_BODY,
    NV_SQL_CHANGESET_FOUND_BY,
    NV_SQL_CONFLICT_CLEAR,
    NV_SQL_CONFLICT_ADD,
    NV_SQL_INTENTS,
    NV_SQL_INTENT_DROP,
    NV_SQL_INTENT_TABLES,
    NV_SQL_QUARANTINE_ADD,
    NV_SQL_QUARANTINE_AGAIN,
    NV_SQL_MISSING_ADD,
    NV_SQL_MISSING_DROP,
    NV_SQL_REFUSAL_ADD,
    NV_SQL_PEER_SAVE,
    NV_SQL_META_SET,
    NV_SQL_SCAN_ANY,
    NV_SQL_DATA_VERSION,
    NV_SQL_SCHEMA_VERSION,
    NV_SQL_GUARD_ON,
    NV_SQL_GUARD_OFF,
    NV_SQL_BEGIN,
    NV_SQL_BEGIN_READING,
    NV_SQL_ROLLBACK,
    NV_SQL_COMMIT,
    NV_SQL_COUNT,
};

/* The statement, reset and with no bindings that matter; NULL and the error set where it cannot be prepared. */
sqlite3_stmt *nv_statement(struct nv_store *store, enum nv_statement which, struct nv_error *error);
void nv_statements_done(struct nv_store *store);
