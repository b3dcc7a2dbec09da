#include "records.h"

#include <stdio.h>
#include <string.h>

#include "store/db.h"

const char *const sim_record_keys[] = {"r0", "r1", "r2", "r3", "r4", "r5"};
const char *const sim_field_names[] = {"a", "b", "c", "d", "e"};
const enum nv_rule sim_field_rules[] = {NV_RULE_LAST, NV_RULE_MAX, NV_RULE_HOME, NV_RULE_LAST, NV_RULE_MIN};

const char sim_late_schema[] =
    "ALTER TABLE item ADD COLUMN e TEXT;"
    "INSERT INTO navette_column(table_name, name, rule, quiet) VALUES ('item', 'e', 'min', 0)";

int sim_record_named(const char *key, size_t size)
{
    for (int record = 0; record < SIM_RECORDS; record++)
        if (strlen(sim_record_keys[record]) == size && memcmp(sim_record_keys[record], key, size) == 0)
            return record;
    return -1;
}

int sim_field_named(const char *name)
{
    for (int field = 0; field < SIM_FIELDS; field++)
        if (strcmp(sim_field_names[field], name) == 0)
            return field;
    return -1;
}

/* Fowler, Noll, Vo: FNV-1a. */
static uint64_t mix(uint64_t code, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        code = (code ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;
    return code;
}

uint64_t sim_code_of(const struct nv_value *value)
{
    uint8_t type = (uint8_t)value->type;
    uint64_t code = mix(0xcbf29ce484222325, &type, 1);
    switch (value->type) {
    case NV_NULL:
        break;
    case NV_INTEGER:
        code = mix(code, &value->integer, sizeof value->integer);
        break;
    case NV_REAL:
        code = mix(code, &value->real, sizeof value->real);
        break;
    case NV_TEXT:
    case NV_BLOB:
        code = mix(code, value->bytes.data, value->bytes.size);
        break;
    }
    return code == 0 ? 1 : code;
}

int sim_rows_read(sqlite3 *db, struct sim_row ret_rows[SIM_RECORDS])
{
    sqlite3_stmt *statement = NULL;
    memset(ret_rows, 0, SIM_RECORDS * sizeof *ret_rows);
    int result = sqlite3_prepare_v2(db, "SELECT * FROM item", -1, &statement, NULL);
    while (result == SQLITE_OK && (result = sqlite3_step(statement)) == SQLITE_ROW) {
        int record = sim_record_named((const char *)sqlite3_column_text(statement, 0),
                                      (size_t)sqlite3_column_bytes(statement, 0));
        ret_rows[record].is_there = true;
        for (int column = 1; column < sqlite3_column_count(statement); column++) {
            struct nv_value value = nv_db_value(statement, column);
            ret_rows[record].codes[column - 1] = sim_code_of(&value);
        }
        result = SQLITE_OK;
    }
    sqlite3_finalize(statement);
    return result == SQLITE_DONE ? SQLITE_OK : result;
}
