/* Files of the simulated disk: what programs read, what is on the platter, and what a power cut leaves. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/disk_internal.h"

/* ---- images ---- */

static void set_size(struct nv_buffer *image, size_t size)
{
    if (size <= image->size) {
        image->size = size;
        return;
    }
    size_t more = size - image->size;
    uint8_t *room = nv_buffer_extend(image, more);
    assert(room != NULL);
    memset(room, 0, more);
}

static void put_bytes(struct nv_buffer *image, size_t offset, const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return;
    if (image->size < offset + size)
        set_size(image, offset + size);
    memcpy(image->data + offset, bytes, size);
}

static void note_write(struct nv_disk *disk, struct nv_disk_file *file, const struct nv_disk_write *write)
{
    if (file->write_count == file->write_capacity) {
        size_t capacity = file->write_capacity == 0 ? 16 : 2 * file->write_capacity;
        struct nv_disk_write *writes = realloc(file->writes, capacity * sizeof *writes);
        assert(writes != NULL);
        file->writes = writes;
        file->write_capacity = capacity;
    }
    file->writes[file->write_count] = *write;
    file->writes[file->write_count++].number = disk->next_write++;
}

static void forget_writes(struct nv_disk_file *file)
{
    file->write_count = 0;
    nv_buffer_clear(&file->written);
}

void nv_disk_file_write(struct nv_disk *disk, struct nv_disk_file *file, size_t offset, const void *bytes, size_t size)
{
    if (size == 0)
        return;
    note_write(disk, file, &(struct nv_disk_write){.offset = offset, .size = size, .bytes_at = file->written.size});
    nv_buffer_append(&file->written, bytes, size);
    assert(!file->written.failed);
    put_bytes(&file->bytes, offset, bytes, size);
}

void nv_disk_file_truncate(struct nv_disk *disk, struct nv_disk_file *file, size_t size)
{
    note_write(disk, file, &(struct nv_disk_write){.offset = size, .is_truncate = true});
    set_size(&file->bytes, size);
}

static void put_write(struct nv_disk_file *file, const struct nv_disk_write *write)
{
    if (write->is_truncate)
        set_size(&file->platter, write->offset);
    else
        put_bytes(&file->platter, write->offset, file->written.data + write->bytes_at, write->size);
}

/* ---- names ---- */

struct nv_disk_file *nv_disk_file_find(const struct nv_disk *disk, const char *name)
{
    for (struct nv_disk_file *file = disk->files; file != NULL; file = file->next)
        if (file->is_linked && strcmp(file->name, name) == 0)
            return file;
    return NULL;
}

struct nv_disk_file *nv_disk_file_make(struct nv_disk *disk, const char *name)
{
    assert(strlen(name) < NV_DISK_FILE_NAME);
    struct nv_disk_file *file = calloc(1, sizeof *file);
    assert(file != NULL);
    strcpy(file->name, name);
    file->is_linked = true;
    file->next = disk->files;
    disk->files = file;
    return file;
}

static void free_file(struct nv_disk_file *file)
{
    assert(file->shm == NULL);
    nv_buffer_done(&file->bytes);
    nv_buffer_done(&file->platter);
    nv_buffer_done(&file->written);
    free(file->writes);
    free(file);
}

/* Frees the files that nobody can reach any more. */
static void sweep(struct nv_disk *disk)
{
    struct nv_disk_file **at = &disk->files;
    while (*at != NULL) {
        struct nv_disk_file *file = *at;
        if (file->is_linked || file->is_durable || file->open > 0) {
            at = &file->next;
            continue;
        }
        *at = file->next;
        free_file(file);
    }
}

void nv_disk_file_unlink(struct nv_disk *disk, struct nv_disk_file *file)
{
    file->is_linked = false;
    sweep(disk);
}

void nv_disk_file_close(struct nv_disk *disk, struct nv_disk_file *file)
{
    assert(file->open > 0);
    file->open--;
    sweep(disk);
}

void nv_disk_folder_sync(struct nv_disk *disk)
{
    for (struct nv_disk_file *file = disk->files; file != NULL; file = file->next)
        file->is_durable = file->is_linked;
    sweep(disk);
}

void nv_disk_file_sync(struct nv_disk *disk, struct nv_disk_file *file)
{
    for (size_t i = 0; i < file->write_count; i++)
        put_write(file, &file->writes[i]);
    forget_writes(file);
    if (!file->is_linked || file->is_durable)
        return;
    for (struct nv_disk_file *other = disk->files; other != NULL; other = other->next)
        if (strcmp(other->name, file->name) == 0)
            other->is_durable = false;
    file->is_durable = true;
    sweep(disk);
}

/* ---- power cuts ---- */

/* What a cut does to the writes that were not durable. */
enum cut_mode {
    CUT_ALL,     /* every one is lost */
    CUT_NONE,    /* the disk had just written them all */
    CUT_PREFIX,  /* those from some write on are lost, and that one is torn */
    CUT_WRITES,  /* each is lost or not, as if the disk wrote in an order of its own */
    CUT_SECTORS, /* and so is each sector of them */
    CUT_MODES,
};

struct cut {
    struct nv_dice *dice;
    enum cut_mode mode;
    uint64_t at; /* CUT_PREFIX: the write that is torn */
};

/* How many of the write's bytes, from the first, end within so many of the sectors that it touches. */
static size_t bytes_in_sectors(const struct nv_disk_write *write, size_t sectors)
{
    size_t end = (write->offset / NV_DISK_SECTOR + sectors) * NV_DISK_SECTOR;
    if (end <= write->offset)
        return 0;
    return end - write->offset < write->size ? end - write->offset : write->size;
}

static size_t sectors_of(const struct nv_disk_write *write)
{
    return (write->offset + write->size - 1) / NV_DISK_SECTOR - write->offset / NV_DISK_SECTOR + 1;
}

/* Puts some of the write's sectors on the platter: the first so many, or (SIZE_MAX) each by chance. */
static void put_torn(struct cut *cut, struct nv_disk_file *file, const struct nv_disk_write *write, size_t first)
{
    size_t kept = 0, sectors = sectors_of(write);
    for (size_t i = 0; i < sectors; i++) {
        if (first == SIZE_MAX ? nv_dice_percent(cut->dice, 50) : i < first) {
            size_t from = bytes_in_sectors(write, i), to = bytes_in_sectors(write, i + 1);
            put_bytes(&file->platter, write->offset + from, file->written.data + write->bytes_at + from, to - from);
            kept++;
        }
    }
    if (kept == 0)
        nv_disk_count.writes_dropped++;
    else if (kept < sectors)
        nv_disk_count.writes_torn++;
}

static void cut_write(struct cut *cut, struct nv_disk_file *file, const struct nv_disk_write *write)
{
    bool is_kept = cut->mode == CUT_NONE || (cut->mode == CUT_PREFIX && write->number < cut->at) ||
                   ((cut->mode == CUT_WRITES || (cut->mode == CUT_SECTORS && write->is_truncate)) &&
                    nv_dice_percent(cut->dice, 50));
    if (is_kept)
        put_write(file, write);
    else if (cut->mode == CUT_SECTORS && !write->is_truncate)
        put_torn(cut, file, write, SIZE_MAX);
    else if (cut->mode == CUT_PREFIX && write->number == cut->at && !write->is_truncate)
        put_torn(cut, file, write, nv_dice_below(cut->dice, sectors_of(write)));
    else
        nv_disk_count.writes_dropped++;
}

static struct cut draw_cut(struct nv_disk *disk)
{
    struct cut cut = {.dice = &disk->dice, .mode = (enum cut_mode)nv_dice_below(&disk->dice, CUT_MODES)};
    uint64_t oldest = disk->next_write;
    for (const struct nv_disk_file *file = disk->files; file != NULL; file = file->next)
        if (file->write_count > 0 && file->writes[0].number < oldest)
            oldest = file->writes[0].number;
    cut.at = oldest + nv_dice_below(&disk->dice, (size_t)(disk->next_write - oldest) + 1);
    return cut;
}

/* Whether a change to the folder that was not synced is on the platter. */
static bool cut_name(struct cut *cut)
{
    return cut->mode == CUT_NONE || (cut->mode != CUT_ALL && nv_dice_percent(cut->dice, 50));
}

/* A name that was made may be gone again, and one that was removed may be back. Where it was removed and made anew, the
 * old file comes back only where the removal was lost, and with it what came after. */
static void cut_names(struct nv_disk *disk, struct cut *cut)
{
    for (struct nv_disk_file *file = disk->files; file != NULL; file = file->next) {
        if (file->is_linked || !file->is_durable)
            continue;
        struct nv_disk_file *successor = nv_disk_file_find(disk, file->name);
        file->is_durable = !cut_name(cut);
        if (file->is_durable && successor != NULL)
            successor->is_linked = false;
        file->is_linked = file->is_durable;
    }
    for (struct nv_disk_file *file = disk->files; file != NULL; file = file->next) {
        if (file->is_linked && !file->is_durable)
            file->is_linked = file->is_durable = cut_name(cut);
    }
}

void nv_disk_files_cut(struct nv_disk *disk)
{
    struct cut cut = draw_cut(disk);
    cut_names(disk, &cut);
    for (struct nv_disk_file *file = disk->files; file != NULL; file = file->next) {
        for (size_t i = 0; i < file->write_count; i++)
            cut_write(&cut, file, &file->writes[i]);
        forget_writes(file);
        nv_buffer_clear(&file->bytes);
        put_bytes(&file->bytes, 0, file->platter.data, file->platter.size);
    }
    sweep(disk);
}

void nv_disk_files_free(struct nv_disk *disk)
{
    for (struct nv_disk_file *file = disk->files; file != NULL; file = file->next)
        file->is_linked = file->is_durable = false;
    sweep(disk);
    assert(disk->files == NULL);
}
