#include "tests/bench/rows.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void bench_check(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

double bench_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* splitmix64: the same numbers at every run. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

void bench_key(enum bench_keys keys, unsigned number, char ret_key[33])
{
    if (keys == BENCH_RANDOM_KEYS)
        snprintf(ret_key, 33, "%016llx%016llx", (unsigned long long)mix(2ull * number),
                 (unsigned long long)mix(2ull * number + 1));
    else
        snprintf(ret_key, 33, "%012llx%016llx%04x", 0x19a000000000ull + number / 8, (unsigned long long)mix(number),
                 number & 0xffff);
}

void bench_exec(sqlite3 *db, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        bench_check(false, message);
}

long long bench_integer(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    bench_check(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, sqlite3_errmsg(db));
    long long value = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
    sqlite3_finalize(statement);
    return value;
}

sqlite3 *bench_open(const char *path)
{
    sqlite3 *db;
    bench_check(sqlite3_open(path, &db) == SQLITE_OK, "cannot open a database");
    sqlite3_busy_timeout(db, 20000);
    sqlite3_wal_autocheckpoint(db, 4000);
    bench_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16000");
    return db;
}

static void bind_text(sqlite3_stmt *statement, int place, const char *text)
{
    sqlite3_bind_text(statement, place, text, -1, SQLITE_TRANSIENT);
}

static void bind_row(sqlite3_stmt *statement, enum bench_keys keys, unsigned number)
{
    static const char *const first[] = {"Aya", "Marek", "Lucie", "Ibrahim", "Naima", "Tom", "Chloe", "Wei"};
    static const char *const last[] = {"Exemple", "Modele", "Essai", "Specimen", "Gabarit", "Patron", "Echantillon"};
    uint64_t r = mix(number + 77);
    char key[33], text[64];
    bench_key(keys, number, key);
    bind_text(statement, 1, key);
    bind_text(statement, 2, first[r % 8]);
    bind_text(statement, 3, last[r / 8 % 7]);
    snprintf(text, sizeof text, "%d-%02d-%02d", 1970 + (int)(r >> 8 & 31), 1 + (int)(r >> 16) % 12 % 12,
             1 + (int)(r >> 24 & 15));
    bind_text(statement, 4, text);
    bind_text(statement, 5, r >> 9 & 1 ? "F" : "M");
    snprintf(text, sizeof text, "p%u.%04x@exemple.invalid", number, (unsigned)(r >> 32 & 0xffff));
    bind_text(statement, 6, text);
    snprintf(text, sizeof text, "0199%06u", (unsigned)(r >> 20) % 1000000);
    bind_text(statement, 7, text);
    snprintf(text, sizeof text, "%05u", 93000 + (unsigned)(r >> 40) % 100);
    bind_text(statement, 8, text);
    sqlite3_bind_int(statement, 9, (int)(r >> 44 & 7));
    bind_text(statement, 10, "2026-09-14");
    sqlite3_bind_int(statement, 11, (int)(r >> 48));
    bind_text(statement, 12, r >> 60 & 1 ? "dossier complet" : "");
}

void bench_insert(sqlite3 *db, enum bench_keys keys, unsigned first, unsigned count, unsigned per_transaction)
{
    bench_insert_for(db, keys, NULL, first, count, per_transaction);
}

void bench_insert_for(sqlite3 *db, enum bench_keys keys, const char *who, unsigned first, unsigned count,
                      unsigned per_transaction)
{
    static const char plain[] = "INSERT INTO learner VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)";
    static const char scoped[] = "INSERT INTO learner VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)";
    sqlite3_stmt *insert;
    bench_check(sqlite3_prepare_v2(db, who == NULL ? plain : scoped, -1, &insert, NULL) == SQLITE_OK,
                sqlite3_errmsg(db));
    if (who != NULL)
        sqlite3_bind_text(insert, 13, who, -1, SQLITE_STATIC);
    for (unsigned i = 0; i < count; i++) {
        if (i % per_transaction == 0)
            bench_exec(db, "BEGIN IMMEDIATE");
        bind_row(insert, keys, first + i);
        bench_check(sqlite3_step(insert) == SQLITE_DONE, sqlite3_errmsg(db));
        sqlite3_reset(insert);
        if (i % per_transaction == per_transaction - 1 || i == count - 1)
            bench_exec(db, "COMMIT");
    }
    sqlite3_finalize(insert);
}
