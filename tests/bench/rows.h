/* The rows that every section of the benchmark writes: synthetic learners of 12 columns. */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#define BENCH_TABLE                                                                                                    \
    "CREATE TABLE learner(id TEXT NOT NULL PRIMARY KEY, first_name TEXT, last_name TEXT, birth_date TEXT, "            \
    "gender TEXT, email TEXT, phone TEXT, commune TEXT, level INTEGER, entered_on TEXT, minutes INTEGER, note TEXT)"

enum bench_keys { BENCH_RANDOM_KEYS, BENCH_ORDERED_KEYS };

/* The same key for the same number, at every call. 32 characters and a NUL. */
void bench_key(enum bench_keys keys, unsigned number, char ret_key[33]);

/* Writes rows first .. first + count - 1 in transactions of `per_transaction`. Exits the program on any error. */
void bench_insert(sqlite3 *db, enum bench_keys keys, unsigned first, unsigned count, unsigned per_transaction);

/* The same into a table with a thirteenth column, which says who may read a record. */
void bench_insert_for(sqlite3 *db, enum bench_keys keys, const char *who, unsigned first, unsigned count,
                      unsigned per_transaction);

/* A connection as an ordinary program opens one, with the journal and durability that every section has. */
sqlite3 *bench_open(const char *path);
void bench_exec(sqlite3 *db, const char *sql);
long long bench_integer(sqlite3 *db, const char *sql);
void bench_check(bool good, const char *what);

double bench_now(void); /* seconds of a clock that never jumps */
