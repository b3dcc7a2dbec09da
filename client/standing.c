#include "client/standing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "client/output.h"
#include "store/db.h"
#include "store/log.h"
#include "store/seal.h"

/* Room for one more item behind `count` of them; NULL where memory ran out. */
static void *room_for_one(void **items, size_t count, size_t size)
{
    if ((count & (count - 1)) == 0) { /* 0, 1, 2, 4…: it is full */
        void *more = realloc(*items, (count == 0 ? 1 : 2 * count) * size);
        if (more == NULL)
            return NULL;
        *items = more;
    }
    return memset((char *)*items + count * size, 0, size);
}

static struct nv_site_id site_at(sqlite3_stmt *statement, int column)
{
    struct nv_site_id site = {{0}};
    struct nv_slice bytes = nv_db_blob(statement, column);
    if (bytes.size == sizeof site.bytes)
        memcpy(site.bytes, bytes.data, sizeof site.bytes);
    return site;
}

static void copy_text(sqlite3_stmt *statement, int column, char *ret_text, size_t size)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    snprintf(ret_text, size, "%s", text == NULL ? "" : (const char *)text);
}

static uint64_t count_at(sqlite3_stmt *statement, int column)
{
    sqlite3_int64 count = sqlite3_column_int64(statement, column);
    return count < 0 ? 0 : (uint64_t)count;
}

/* Calls `take` for each row of a query without parameters. */
static enum nv_status each_row(struct nv_store *store, const char *sql, struct nv_standing *standing,
                               bool (*take)(struct nv_store *, sqlite3_stmt *, struct nv_standing *),
                               struct nv_error *error)
{
    sqlite3_stmt *statement = nv_db_prepare(nv_store_db(store), sql, error);
    enum nv_status status = statement == NULL ? error->status : NV_OK;
    bool row = false;
    while (status == NV_OK && (status = nv_db_step(statement, &row, error)) == NV_OK && row)
        if (!take(store, statement, standing))
            status = nv_fail(error, NV_NO_MEMORY, "out of memory");
    sqlite3_finalize(statement);
    return status;
}

static bool take_peer(struct nv_store *store, sqlite3_stmt *statement, struct nv_standing *standing)
{
    struct nv_standing_peer *peer = room_for_one((void **)&standing->peers, standing->peer_count, sizeof *peer);
    if (peer == NULL)
        return false;
    standing->peer_count++;
    peer->site = site_at(statement, 0);
    nv_site_name(store, peer->site, peer->name);
    peer->connected = standing->is_running && sqlite3_column_int(statement, 1) != 0;
    peer->since.ms = sqlite3_column_int64(statement, 2);
    peer->last_heard.ms = sqlite3_column_int64(statement, 3);
    peer->behind = count_at(statement, 4);
    peer->behind_since.ms = sqlite3_column_int64(statement, 5);
    peer->ahead = count_at(statement, 6);
    copy_text(statement, 7, peer->last_error, sizeof peer->last_error);
    peer->clock_off_ms = sqlite3_column_int64(statement, 8);
    /* A daemon that was killed could not note the end: its last word of the peer is when it was last heard. */
    if (!peer->connected && sqlite3_column_int(statement, 1) != 0)
        peer->since = peer->last_heard;
    return true;
}

static bool take_member(struct nv_store *store, sqlite3_stmt *statement, struct nv_standing *standing)
{
    struct nv_standing_member *member =
        room_for_one((void **)&standing->members, standing->member_count, sizeof *member);
    if (member == NULL)
        return false;
    standing->member_count++;
    member->site = site_at(statement, 0);
    nv_site_name(store, member->site, member->name);
    member->newest.ms = sqlite3_column_int64(statement, 1);
    return true;
}

static bool take_refusal(struct nv_store *store, sqlite3_stmt *statement, struct nv_standing *standing)
{
    struct nv_standing_refusal *refusal =
        room_for_one((void **)&standing->refusals, standing->refusal_count, sizeof *refusal);
    if (refusal == NULL)
        return false;
    standing->refusal_count++;
    copy_text(statement, 0, refusal->reason, sizeof refusal->reason);
    if (nv_db_blob(statement, 1).size == sizeof(struct nv_site_id))
        nv_site_name(store, site_at(statement, 1), refusal->site);
    refusal->count = count_at(statement, 2);
    refusal->last.ms = sqlite3_column_int64(statement, 3);
    copy_text(statement, 4, refusal->text, sizeof refusal->text);
    return true;
}

static bool take_counts(struct nv_store *store, sqlite3_stmt *statement, struct nv_standing *standing)
{
    (void)store;
    standing->conflicts = count_at(statement, 0);
    standing->missing_rows = count_at(statement, 1);
    standing->quarantine = count_at(statement, 2);
    standing->forks = count_at(statement, 3);
    standing->owed = count_at(statement, 4);
    standing->unplaced = count_at(statement, 5);
    standing->moving = count_at(statement, 6);
    return true;
}

static void measure_files(const struct nv_home *home, struct nv_standing *standing)
{
    static const char *const endings[] = {"", "-wal"};
    char path[NV_PATH_MAX + 8];
    struct stat found;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        snprintf(path, sizeof path, "%s%s", home->store, endings[i]);
        if (stat(path, &found) == 0)
            standing->store_bytes += (uint64_t)found.st_size;
    }
}

/* A slice of work needs some hundred KiB in the WAL, and a program's own transaction may need as much. */
enum { FULL_BYTES = 1 << 20 };

static void measure_disk(const struct nv_home *home, struct nv_standing *standing)
{
    struct statvfs disk;
    if (statvfs(home->store, &disk) != 0)
        return; /* whatever stands in the way of this stood in the way of opening the store */
    standing->free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    standing->is_full = standing->free_bytes < FULL_BYTES;
}

static void judge(const struct nv_store *store, struct nv_standing *standing)
{
    const struct nv_member *members;
    size_t member_count, connected = 0;
    struct nv_wall_ms last_end = {0}, last_word = {0};
    bool lacks_something = false;
    nv_store_members(store, &members, &member_count);
    for (size_t i = 0; i < standing->peer_count; i++) {
        const struct nv_standing_peer *peer = &standing->peers[i];
        if (peer->connected) {
            connected++;
            lacks_something |= peer->ahead > 0;
            if (peer->last_heard.ms > last_word.ms)
                last_word = peer->last_heard;
        } else if (peer->since.ms > last_end.ms) {
            last_end = peer->since;
        }
    }
    standing->since = connected > 0 ? last_word : last_end;
    struct nv_site_id own = nv_store_identity(store)->site;
    bool is_revoked = nv_store_member(store, own) == NULL && nv_store_site_name(store, own) != NULL;
    standing->state = !nv_store_identity(store)->has_network ? NV_STANDING_NO_NETWORK
                      : is_revoked                           ? NV_STANDING_REVOKED
                      : !standing->is_running                ? NV_STANDING_STOPPED
                      : member_count <= 1                    ? NV_STANDING_ALONE
                      : connected == 0 && last_end.ms == 0   ? NV_STANDING_CONNECTING
                      : connected == 0                       ? NV_STANDING_OFFLINE
                      : lacks_something                      ? NV_STANDING_CATCHING_UP
                                                             : NV_STANDING_UP_TO_DATE;
}

enum nv_status nv_standing_gather(const struct nv_home *home, struct nv_store *store, struct nv_standing *ret_standing,
                                  struct nv_error *error)
{
    struct nv_standing standing = {.is_running = nv_home_is_running(home), .now = nv_wall_now()};
    standing.carried = nv_store_only_carried(store);
    standing.waiting = nv_store_waiting(store);
    enum nv_status status = nv_store_pending(store, &standing.pending, error);
    if (status == NV_OK)
        status = each_row(
            store,
            "SELECT (SELECT count(*) FROM (SELECT DISTINCT tbl, key, scope, field FROM navette_open_conflict)), "
            "(SELECT count(*) FROM navette_missing), (SELECT count(*) FROM navette_quarantine), "
            "(SELECT count(DISTINCT log) FROM navette_fork), (SELECT count(*) FROM navette_owed), "
            "(SELECT count(*) FROM navette_unplaced), (SELECT count(*) FROM navette_moved)",
            &standing, take_counts, error);
    if (status == NV_OK)
        status =
            each_row(store,
                     "SELECT site, connected, since_ms, last_heard_ms, behind, behind_since_ms, ahead, last_error, "
                     "clock_off_ms "
                     "FROM navette_peer WHERE site IN (SELECT site FROM navette_member WHERE ends IS NULL) "
                     "ORDER BY site",
                     &standing, take_peer, error);
    if (status == NV_OK)
        status =
            each_row(store,
                     "SELECT m.site, (SELECT max(c.sealed_ms) FROM navette_log l JOIN navette_changeset c "
                     "ON c.log = l.number AND c.seq = l.has_seq WHERE l.site = m.site AND l.scope <> zeroblob(16)) "
                     "FROM navette_member m WHERE m.ends IS NULL AND m.site NOT IN (SELECT site FROM navette_peer) "
                     "AND m.site <> (SELECT value FROM navette_meta WHERE name = 'site') ORDER BY m.name",
                     &standing, take_member, error);
    if (status == NV_OK)
        status = each_row(store, "SELECT reason, site, count, last_ms, text FROM navette_refusal ORDER BY last_ms DESC",
                          &standing, take_refusal, error);
    if (status != NV_OK) {
        nv_standing_done(&standing);
        return status;
    }
    measure_files(home, &standing);
    measure_disk(home, &standing);
    judge(store, &standing);
    *ret_standing = standing;
    return NV_OK;
}

void nv_standing_done(struct nv_standing *standing)
{
    free(standing->peers);
    free(standing->members);
    free(standing->refusals);
    *standing = (struct nv_standing){0};
}
