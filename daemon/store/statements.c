#include "store/statements.h"

#include <assert.h>

static const char *const sql[NV_SQL_COUNT] = {
    [NV_SQL_VERSION_GET] = "SELECT version FROM navette_version WHERE tbl = ?1 AND key = ?2 AND scope = ?3",
    [NV_SQL_VERSIONS_OF] = "SELECT scope, version FROM navette_version WHERE tbl = ?1 AND key = ?2",
    [NV_SQL_VERSIONS_AFTER] = "SELECT tbl, key, scope FROM navette_version WHERE (tbl, key, scope) > (?1, ?2, ?3) "
                              "ORDER BY tbl, key, scope",
    [NV_SQL_VERSION_DROP] = "DELETE FROM navette_version WHERE tbl = ?1 AND key = ?2 AND scope = ?3",
    [NV_SQL_IMPORTED_RECORD_DROP] = "DELETE FROM navette_import_record WHERE import IN "
                                    "(SELECT number FROM navette_import WHERE tbl = ?1) AND key = ?2",
    [NV_SQL_IMPORTED_CELL_DROP] = "DELETE FROM navette_import_cell WHERE import IN "
                                  "(SELECT number FROM navette_import WHERE tbl = ?1) AND key = ?2",
    [NV_SQL_VERSION_CREATE] = "INSERT INTO navette_version(tbl, key, scope, version) VALUES (?1, ?2, ?3, ?4) "
                              "ON CONFLICT DO NOTHING",
    [NV_SQL_VERSION_PUT] = "INSERT INTO navette_version(tbl, key, scope, version) VALUES (?1, ?2, ?3, ?4) "
                           "ON CONFLICT DO UPDATE SET version = excluded.version",
    [NV_SQL_CHANGESET_ADD] = "INSERT INTO navette_changeset(log, seq, hash, header, signature, compressed, ops, "
                             "sealed_ms, records, body, number) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    [NV_SQL_CHANGESET_AT] = "SELECT number, hash, header FROM navette_changeset WHERE log = ?1 AND seq = ?2",
    [NV_SQL_CHANGESET_GET] = "SELECT log, seq, hash, header, signature, compressed, body FROM navette_changeset "
                             "WHERE number = ?1",
    [NV_SQL_CHANGESET_HEADER] = "SELECT log, seq, header FROM navette_changeset WHERE number = ?1",
    /* Without the body: SQLite reads all of a row that is asked for. */
    [NV_SQL_CHANGESET_AFTER] = "SELECT number, log, seq FROM navette_changeset WHERE number > ?1 ORDER BY number",
    /* Of one log; the unary plus keeps SQLite from looking through all that arrived since. */
    [NV_SQL_CHANGESET_NEXT] = "SELECT seq, number FROM navette_changeset WHERE log = ?1 AND seq > ?2 AND +number > ?3 "
                              "ORDER BY seq LIMIT 1",
    [NV_SQL_CHANGESET_RECORDS] = "SELECT number, log, records FROM navette_changeset ORDER BY number",
    [NV_SQL_BEYOND_ADD] = "INSERT INTO navette_beyond(log, seq, hash, header, signature, compressed, body) "
                          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [NV_SQL_BEYOND_AT] = "SELECT header, signature, compressed, body FROM navette_beyond "
                         "WHERE log = ?1 AND seq = ?2 AND substr(hash, 1, 16) = ?3",
    [NV_SQL_BEYOND_BRANCHES] = "SELECT count(*) FROM navette_beyond WHERE log = ?1 AND seq = ?2",
    [NV_SQL_BEYOND_COUNT] = "SELECT log, count(*), max(seq), sum(length(header) + length(body)) FROM navette_beyond "
                            "WHERE ?1 = 0 OR log = ?1 GROUP BY log",
    [NV_SQL_BEYOND_DROP] = "DELETE FROM navette_beyond WHERE log = ?1 AND seq = ?2 AND substr(hash, 1, 16) = ?3",
    [NV_SQL_SITE_ADD] = "INSERT INTO navette_site(number, id) VALUES (?1, ?2)",
    [NV_SQL_SCOPE_ADD] = "INSERT INTO navette_scope(number, id, home) VALUES (?1, ?2, ?3)",
    [NV_SQL_SCOPE_MARK] = "UPDATE navette_scope SET leaving = ?2 WHERE number = ?1",
    [NV_SQL_LOG_EMPTY] = "DELETE FROM navette_changeset WHERE log = ?1",
    [NV_SQL_OWED_DROP_LOG] = "DELETE FROM navette_owed WHERE changeset IN "
                             "(SELECT number FROM navette_changeset WHERE log = ?1)",
    [NV_SQL_REDACTION_DROP_LOG] = "DELETE FROM navette_redaction WHERE log = ?1",
    [NV_SQL_QUARANTINE_DROP_SCOPE] = "DELETE FROM navette_quarantine WHERE scope = ?1",
    [NV_SQL_LOG_ADD] = "INSERT INTO navette_log(number, site, epoch, scope) VALUES (?1, ?2, ?3, ?4)",
    [NV_SQL_LOG_SAVE] = "UPDATE navette_log SET has_seq = ?2, has_hash = ?3, applied_seq = ?4, applied_hash = ?5, "
                        "authority_seq = ?6, context = ?7 WHERE number = ?1",
    [NV_SQL_MEMBER_SAVE] =
        "INSERT INTO navette_member(site, name, sign_key, curve_key, recovery_key, role, endpoints, not_before_ms, "
        "not_after_ms, certified, reader) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) "
        "ON CONFLICT DO UPDATE SET name = ?2, sign_key = ?3, curve_key = ?4, recovery_key = ?5, role = ?6, "
        "endpoints = ?7, not_before_ms = ?8, not_after_ms = ?9, reader = ?11, ends = NULL",
    [NV_SQL_FORK_ADD] = "INSERT OR IGNORE INTO navette_fork(log, seq, hash, header, signature, seen_ms) "
                        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [NV_SQL_OWED_ADD] = "INSERT OR IGNORE INTO navette_owed(changeset, place) VALUES (?1, ?2)",
    [NV_SQL_OWED_DROP] = "DELETE FROM navette_owed WHERE changeset = ?1 AND place = ?2",
    [NV_SQL_OWED_OF] = "SELECT place FROM navette_owed WHERE changeset = ?1",
    /* The one after ?1 in the order of arrival; after the last one the first. */
    [NV_SQL_OWED_NEXT] = "SELECT number, log, seq FROM navette_changeset WHERE number = coalesce("
                         "(SELECT min(changeset) FROM navette_owed WHERE changeset > ?1), "
                         "(SELECT min(changeset) FROM navette_owed))",
    [NV_SQL_OWED_DOTS] =
        "SELECT c.log, c.seq, place FROM navette_owed JOIN navette_changeset AS c ON c.number = changeset "
        "JOIN navette_log AS l ON l.number = c.log WHERE l.scope = ?2 ORDER BY changeset, place "
        "LIMIT ?1",
    [NV_SQL_REDACTION_ADD] = "INSERT OR IGNORE INTO navette_redaction(log, seq, place) VALUES (?1, ?2, ?3)",
    [NV_SQL_REDACTIONS_OF] = "SELECT place FROM navette_redaction WHERE log = ?1 AND seq = ?2",
    [NV_SQL_CHANGESET_BODY] = "UPDATE navette_changeset SET compressed = ?2, body = ?3 WHERE number = ?1",
    [NV_SQL_CHANGESET_FOUND_BY] = "UPDATE navette_changeset SET records = ?2 WHERE number = ?1 AND records <> ?2",
    [NV_SQL_GRANT_ADD] =
        "INSERT OR IGNORE INTO navette_grant(log, number, changeset, place, introduces, key_id, opens, sealed) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [NV_SQL_GRANT_INTRODUCED] = "SELECT key_id FROM navette_grant WHERE log = ?1 AND number = ?2 AND introduces",
    [NV_SQL_GRANT_NEWEST] = "SELECT number, readers FROM navette_grant WHERE log = ?1 AND introduces "
                            "ORDER BY number DESC LIMIT 1",
    [NV_SQL_GRANT_READERS] = "UPDATE navette_grant SET readers = ?3 WHERE log = ?1 AND number = ?2 AND introduces",
    /* The one after the place ?5 of the changeset ?4. */
    [NV_SQL_GRANT_THAT_MAY_OPEN] = "SELECT changeset, place, sealed FROM navette_grant WHERE log = ?1 AND number = ?2 "
                                   "AND (changeset, place) > (?4, ?5) AND key_id = ?3 AND opens IS NOT 0 "
                                   "ORDER BY changeset, place LIMIT 1",
    [NV_SQL_GRANTS_OF_OTHER_KEYS_DROP] = "DELETE FROM navette_grant WHERE log = ?1 AND number = ?2 AND key_id <> ?3",
    /* Introduced, and given to this site by no grant. */
    [NV_SQL_KEYS_LACKING] =
        "SELECT g.log, g.number, a.of, a.at_ms, a.wait_ms FROM navette_grant AS g LEFT JOIN navette_ask AS a "
        "ON a.log = g.log AND a.number = g.number WHERE g.introduces AND NOT EXISTS "
        "(SELECT 1 FROM navette_grant AS o WHERE o.log = g.log AND o.number = g.number "
        "AND o.opens > 0) ORDER BY g.log, g.number",
    [NV_SQL_ASK_SAVE] = "INSERT INTO navette_ask(log, number, of, at_ms, wait_ms) VALUES (?1, ?2, ?3, ?4, ?5) "
                        "ON CONFLICT DO UPDATE SET of = ?3, at_ms = ?4, wait_ms = ?5",
    /* Only what was introduced: so there are no more than there are keys. */
    [NV_SQL_ASKED_ADD] = "INSERT INTO navette_asked(log, number, site) SELECT log, number, ?3 "
                         "FROM navette_grant WHERE log = ?1 AND number = ?2 AND introduces "
                         "ON CONFLICT DO UPDATE SET given = NULL WHERE given IS NOT ?4",
    [NV_SQL_ASKED_ADD_OWN] = "INSERT INTO navette_asked(log, number, site) SELECT g.log, g.number, ?1 "
                             "FROM navette_grant AS g JOIN navette_log AS l ON l.number = g.log "
                             "WHERE g.introduces AND l.site = ?2 "
                             "ON CONFLICT DO UPDATE SET given = NULL WHERE given IS NOT ?3",
    /* A grant is void before what introduces the key was merged. */
    [NV_SQL_ASKED_ADD_RECOVERED] =
        "INSERT OR IGNORE INTO navette_asked(log, number, site) SELECT g.log, g.number, ?1 FROM navette_grant AS g "
        "JOIN navette_log AS l ON l.number = g.log WHERE g.introduces AND g.opens = 2 AND g.number <= l.applied_seq "
        "AND EXISTS (SELECT 1 FROM navette_recovered AS r WHERE r.key_id = g.key_id)",
    [NV_SQL_ASKED_ANY] = "SELECT 1 FROM navette_asked WHERE given IS NULL LIMIT 1",
    [NV_SQL_ASKED_OF_SCOPE] = "SELECT a.log, a.number, a.site FROM navette_asked AS a JOIN navette_log AS l "
                              "ON l.number = a.log WHERE l.scope = ?1 AND a.given IS NULL "
                              "ORDER BY a.log, a.number, a.site LIMIT ?2",
    [NV_SQL_ASKED_GIVEN] = "UPDATE navette_asked SET given = ?4 WHERE log = ?1 AND number = ?2 AND site = ?3",
    [NV_SQL_ASKED_DROP] = "DELETE FROM navette_asked WHERE log = ?1 AND number = ?2 AND site = ?3",
    /* Where none ever was let read, that none is is known. */
    [NV_SQL_HUBS_KNOWN] =
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM navette_meta WHERE name = 'hubs_let_read' AND value = ?1) "
        "OR (?2 = 0 AND NOT EXISTS (SELECT 1 FROM navette_meta WHERE name = 'hubs_let_read'))",
    [NV_SQL_RECOVERED_ANY] = "SELECT 1 FROM navette_recovered LIMIT 1",
    [NV_SQL_RECOVERED_FIND] = "SELECT sealed FROM navette_recovered WHERE key_id = ?1",
    [NV_SQL_RECOVERED_SAVE] = "INSERT OR REPLACE INTO navette_recovered(key_id, sealed) SELECT ?1, ?2 WHERE NOT EXISTS "
                              "(SELECT 1 FROM navette_grant WHERE key_id = ?1 AND opens = 1)",
    [NV_SQL_RECOVERED_OPENS] = "UPDATE navette_grant SET opens = 2 WHERE key_id = ?1 AND opens IS NOT 1",
    [NV_SQL_RECOVERED_DROP] = "DELETE FROM navette_recovered WHERE key_id = ?1",
    [NV_SQL_GRANTS_ALL] = "SELECT changeset, place FROM navette_grant ORDER BY log, changeset, place",
    [NV_SQL_GRANTS_DROP_LOG] = "DELETE FROM navette_grant WHERE log = ?1 OR changeset IN "
                               "(SELECT number FROM navette_changeset WHERE log = ?1)",
    [NV_SQL_ASK_DROP_LOG] = "DELETE FROM navette_ask WHERE log = ?1",
    [NV_SQL_ASKED_DROP_LOG] = "DELETE FROM navette_asked WHERE log = ?1",
    [NV_SQL_KEYLESS_DROP_LOG] = "DELETE FROM navette_keyless WHERE log = ?1",
    [NV_SQL_KEYLESS_ADD] = "INSERT OR IGNORE INTO navette_keyless(changeset, log, number, next) VALUES (?1, ?2, ?3, 0)",
    [NV_SQL_KEYLESS_DOTS] = "SELECT k.log, k.changeset FROM navette_keyless AS k JOIN navette_log AS l "
                            "ON l.number = k.log WHERE l.scope = ?2 LIMIT ?1",
    /* Of those whose key some grant gives to this site. */
    [NV_SQL_KEYLESS_NEXT] = "SELECT changeset, log, number, next FROM navette_keyless AS k WHERE EXISTS (SELECT 1 "
                            "FROM navette_grant AS g WHERE g.log = k.log AND g.number = k.number AND g.opens > 0) "
                            "AND EXISTS (SELECT 1 FROM navette_grant AS g WHERE g.log = k.log AND "
                            "g.number = k.number AND g.introduces) ORDER BY changeset, number LIMIT 1",
    [NV_SQL_KEYLESS_GO_ON] = "UPDATE navette_keyless SET next = ?3 WHERE changeset = ?1 AND number = ?2",
    [NV_SQL_KEYLESS_DROP] = "DELETE FROM navette_keyless WHERE changeset = ?1 AND number = ?2",
    [NV_SQL_CONFLICT_CLEAR] = "DELETE FROM navette_conflict WHERE tbl = ?1 AND key = ?2 AND scope = ?3",
    [NV_SQL_CONFLICT_ADD] = "INSERT INTO navette_conflict(table_name, key_text, kind, field, choice, value, site, "
                            "time_ms, shown, tbl, key, scope) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
                            "?12)",
    [NV_SQL_INTENTS] = "SELECT number, tbl, key, field, at_ms FROM navette_intent ORDER BY number LIMIT 10000",
    [NV_SQL_INTENT_DROP] = "DELETE FROM navette_intent WHERE number <= ?1 AND tbl = ?2",
    [NV_SQL_INTENT_TABLES] = "SELECT DISTINCT tbl FROM navette_intent",
    [NV_SQL_SCAN_ANY] = "SELECT 1 FROM navette_meta WHERE name BETWEEN 'scan_' AND 'scan_z' LIMIT 1",
    [NV_SQL_QUARANTINE_ADD] =
        "INSERT INTO navette_quarantine(tbl, key, field, reason, value, first_ms, last_ms, scope) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7) "
        "ON CONFLICT DO UPDATE SET count = count + 1, last_ms = excluded.last_ms",
    /* To a primary key no NULL is like another one. */
    [NV_SQL_QUARANTINE_AGAIN] = "UPDATE navette_quarantine SET count = count + 1, last_ms = ?5 "
                                "WHERE tbl = ?1 AND key = ?2 AND field = ?3 AND reason = ?4 AND value IS NULL",
    [NV_SQL_UNPLACED_ADD] = "INSERT OR IGNORE INTO navette_unplaced(tbl, key, since_ms) VALUES (?1, ?2, ?3)",
    [NV_SQL_UNPLACED_DROP] = "DELETE FROM navette_unplaced WHERE tbl = ?1 AND key = ?2",
    [NV_SQL_UNPLACED_ANY] = "SELECT 1 FROM navette_unplaced LIMIT 1",
    [NV_SQL_UNPLACED_AFTER] = "SELECT tbl, key FROM navette_unplaced WHERE (tbl, key) > (?1, ?2) ORDER BY tbl, key",
    [NV_SQL_MOVE_ADD] = "INSERT INTO navette_move(number, scope, log, first_seq, seq, since_ms, held) "
                        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [NV_SQL_MOVE_NEXT] = "SELECT number, scope, first_seq FROM navette_move WHERE held ORDER BY number LIMIT 1",
    [NV_SQL_MOVE_DROP] = "DELETE FROM navette_move WHERE number = ?1",
    [NV_SQL_MOVE_DROP_SCOPE] =
        "DELETE FROM navette_move WHERE scope IN (SELECT number FROM navette_scope WHERE id = ?1)",
    [NV_SQL_MOVES_AWAITED] = "SELECT log, seq FROM navette_move WHERE NOT held ORDER BY number",
    [NV_SQL_MOVES_HELD] = "UPDATE navette_move SET held = 1 WHERE log = ?1 AND seq <= ?2",
    [NV_SQL_MOVES_ALONE] = "UPDATE navette_move SET held = 1 WHERE scope = ?1 AND NOT held",
    [NV_SQL_MOVED_ADD] = "INSERT OR REPLACE INTO navette_moved(move, tbl, key, scope, version) "
                         "VALUES (?1, ?2, ?3, ?4, ?5)",
    [NV_SQL_MOVED_HAS] = "SELECT 1 FROM navette_moved WHERE tbl = ?1 AND key = ?2",
    [NV_SQL_MOVED_OF] = "SELECT tbl, key, scope, version FROM navette_moved WHERE move = ?1 ORDER BY tbl, key",
    [NV_SQL_MOVED_DROP] = "DELETE FROM navette_moved WHERE move = ?1",
    [NV_SQL_MOVED_UNPLACE] =
        "INSERT OR IGNORE INTO navette_unplaced(tbl, key, since_ms) SELECT r.tbl, r.key, m.since_ms "
        "FROM navette_moved AS r JOIN navette_move AS m ON m.number = r.move JOIN navette_scope AS s "
        "ON s.number = m.scope JOIN navette_scope AS f ON f.number = r.scope WHERE s.id = ?1 AND f.id <> ?1",
    [NV_SQL_MOVED_DROP_SCOPE] =
        "DELETE FROM navette_moved WHERE scope IN (SELECT number FROM navette_scope WHERE id = ?1) OR move IN "
        "(SELECT number FROM navette_move WHERE scope IN (SELECT number FROM navette_scope WHERE id = ?1))",
    [NV_SQL_MISSING_ADD] = "INSERT OR IGNORE INTO navette_missing(tbl, key, seen_ms) VALUES (?1, ?2, ?3)",
    [NV_SQL_MISSING_DROP] = "DELETE FROM navette_missing WHERE tbl = ?1 AND key = ?2",
    [NV_SQL_REFUSAL_ADD] = "INSERT INTO navette_refusal(reason, site, count, last_ms, text) VALUES (?1, ?2, 1, ?3, ?4) "
                           "ON CONFLICT DO UPDATE SET count = count + 1, last_ms = excluded.last_ms, "
                           "text = excluded.text",
    [NV_SQL_PEER_SAVE] = "INSERT INTO navette_peer(site, connected, since_ms, last_heard_ms, behind, behind_since_ms, "
                         "ahead, last_error, clock_off_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
                         "ON CONFLICT DO UPDATE SET connected = ?2, since_ms = ?3, last_heard_ms = ?4, behind = ?5, "
                         "behind_since_ms = ?6, ahead = ?7, last_error = ?8, clock_off_ms = ?9",
    [NV_SQL_META_SET] = "INSERT INTO navette_meta(name, value) VALUES (?1, ?2) "
                        "ON CONFLICT DO UPDATE SET value = excluded.value",
    [NV_SQL_DATA_VERSION] = "PRAGMA data_version",
    [NV_SQL_SCHEMA_VERSION] = "PRAGMA schema_version",
    [NV_SQL_GUARD_ON] = "INSERT OR IGNORE INTO navette_guard(applying) VALUES (1)",
    [NV_SQL_GUARD_OFF] = "DELETE FROM navette_guard",
    [NV_SQL_BEGIN] = "BEGIN IMMEDIATE",
    [NV_SQL_BEGIN_READING] = "BEGIN",
    [NV_SQL_ROLLBACK] = "ROLLBACK",
    [NV_SQL_COMMIT] = "COMMIT",
};

static_assert(NV_SQL_COUNT <= sizeof((struct nv_store *)0)->statements / sizeof(sqlite3_stmt *), "room for them all");

sqlite3_stmt *nv_statement(struct nv_store *store, enum nv_statement which, struct nv_error *error)
{
    if (store->statements[which] == NULL)
        store->statements[which] = nv_db_prepare(store->db, sql[which], error);
    else
        sqlite3_reset(store->statements[which]);
    return store->statements[which];
}

void nv_statements_done(struct nv_store *store)
{
    for (size_t i = 0; i < NV_SQL_COUNT; i++) {
        sqlite3_finalize(store->statements[i]);
        store->statements[i] = NULL;
    }
}
