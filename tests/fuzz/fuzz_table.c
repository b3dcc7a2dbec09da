/* Tables as spreadsheets write them: lines and cells, and the values of cells. */
#include <assert.h>
#include <string.h>

#include "client/import/csv.h"
#include "client/import/limits.h"
#include "client/import/value.h"
#include "client/tables/cell.h"
#include "client/tables/fold.h"
#include "client/utf8.h"
#include "parts.h"
#include "target.h"

/* ---- lines and cells ---- */

/* As an export writes them, with the separator named before the first line. */
static void write_csv(const struct nv_csv *csv, struct nv_buffer *text)
{
    nv_buffer_append(text, "sep=", 4);
    nv_buffer_append_byte(text, (uint8_t)csv->separator);
    nv_buffer_append(text, "\n", 1);
    for (size_t i = 0; i < csv->record_count; i++) {
        for (size_t k = 0; k < csv->records[i].count; k++) {
            if (k > 0)
                nv_buffer_append_byte(text, (uint8_t)csv->separator);
            nv_csv_cell(text, nv_csv_cell_at(csv, &csv->records[i], k), csv->separator);
        }
        nv_buffer_append(text, "\r\n", 2);
    }
}

static void check_same(const struct nv_csv *a, const struct nv_csv *b)
{
    assert(a->record_count == b->record_count && a->cell_count >= b->cell_count);
    for (size_t i = 0; i < a->record_count; i++) {
        assert(a->records[i].count == b->records[i].count);
        for (size_t k = 0; k < a->records[i].count; k++)
            assert(nv_slice_equal(nv_csv_cell_at(a, &a->records[i], k), nv_csv_cell_at(b, &b->records[i], k)));
    }
}

/* What was read comes back from what is written of it; lines grow, and limits hold. */
static void take_csv(struct nv_slice bytes)
{
    struct nv_csv csv, again;
    struct nv_buffer text = {0};
    struct nv_error error = {0};
    if (memchr(bytes.data, 0, bytes.size) != NULL)
        return;
    enum nv_status status = nv_csv_read("file", bytes, &csv, &error);
    assert(status == NV_OK || (status == NV_REFUSED && error.text[0] != '\0'));
    if (status != NV_OK)
        return;
    assert(csv.record_count > 0);
    for (size_t i = 0; i < csv.record_count; i++) {
        assert(csv.records[i].count > 0 && csv.records[i].count <= NV_IMPORT_COLUMNS);
        assert(i == 0 || csv.records[i].line > csv.records[i - 1].line);
    }
    write_csv(&csv, &text);
    assert(!text.failed);
    status = nv_csv_read("file", nv_buffer_slice(&text), &again, &error);
    assert(status == NV_OK);
    check_same(&csv, &again);
    nv_csv_done(&csv);
    nv_csv_done(&again);
    nv_buffer_done(&text);
}

/* ---- values ---- */

static struct nv_choice choices[] = {{"yes", "Oui", "Yes"}, {"no", "Non", "No"}, {"unknown", NULL, NULL}};

static struct nv_sheet_column some_column(uint8_t which)
{
    static const enum nv_kind kinds[] = {NV_PLAIN,   NV_DATE, NV_SIRET, NV_SIREN,
                                         NV_COMMUNE, NV_EPCI, NV_CENTS, NV_PLAIN};
    struct nv_sheet_column column = {.name = "column", .kind = kinds[which % 8]};
    column.type.affinity = column.kind == NV_CENTS || which % 8 == 7 ? NV_AFFINITY_INTEGER : NV_AFFINITY_TEXT;
    if (which == 8) {
        column.choices = choices;
        column.choice_count = sizeof choices / sizeof *choices;
    }
    return column;
}

/* A value that was read is shown as what is read as the same value; zeros are put back once. */
static void take_value(uint8_t which, struct nv_slice bytes)
{
    struct nv_sheet_column column = some_column(which % 9);
    struct nv_slice cell = nv_trim(bytes);
    struct nv_reading reading, again;
    struct nv_buffer text = {0};
    struct nv_arena *arena = nv_fuzz_arena();
    if (!nv_utf8_is_valid(bytes) || memchr(bytes.data, 0, bytes.size) != NULL)
        return;
    bool done = nv_value_read(&column, cell, false, arena, &reading);
    assert(done);
    if (reading.problem != NV_NO_PROBLEM) {
        nv_problem_say(reading.problem, &column, &text);
        assert(text.size > 0 && reading.value.type == NV_TEXT);
        nv_buffer_done(&text);
        return;
    }
    nv_cell_show(&column, &reading.value, &text);
    assert(!text.failed);
    done = nv_value_read(&column, nv_trim(nv_buffer_slice(&text)), false, arena, &again);
    assert(done && again.problem == NV_NO_PROBLEM && !again.has_zeros_back);
    assert(again.has_wrong_key == reading.has_wrong_key && nv_value_equal(&again.value, &reading.value));
    nv_buffer_done(&text);
}

/* An apostrophe before a formula comes and goes, whatever stands there already. */
static void take_guard(struct nv_slice bytes)
{
    struct nv_buffer guarded = {0};
    if (!nv_needs_guard(bytes)) {
        assert(!nv_is_guarded(bytes));
        return;
    }
    nv_buffer_append_byte(&guarded, '\'');
    nv_buffer_append(&guarded, bytes.data, bytes.size);
    assert(nv_is_guarded(nv_buffer_slice(&guarded)));
    nv_buffer_done(&guarded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    nv_fuzz_start();
    if (data[0] % 2 == 0)
        take_csv((struct nv_slice){data + 1, size - 1});
    else
        take_value(data[1], (struct nv_slice){data + 2, size - 2});
    take_guard((struct nv_slice){data + 1, size - 1});
    return 0;
}
