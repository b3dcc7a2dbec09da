#include "client/import/file.h"

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/import/limits.h"
#include "client/utf8.h"

static enum nv_status read_all(int file, const char *path, struct nv_buffer *bytes, struct nv_error *error)
{
    enum { BLOCK = 64 << 10 };
    for (;;) {
        uint8_t *room = nv_buffer_extend(bytes, BLOCK);
        if (room == NULL)
            return nv_no_memory(error);
        ssize_t size = read(file, room, BLOCK);
        bytes->size -= BLOCK - (size > 0 ? (size_t)size : 0);
        if (size < 0 && errno != EINTR)
            return nv_fail(error, NV_REFUSED, "%s cannot be read: %s", path, strerror(errno));
        if (bytes->size > NV_IMPORT_FILE_BYTES)
            return nv_fail(error, NV_REFUSED, "%s is too large: at most %u MiB are imported at once", path,
                           NV_IMPORT_FILE_BYTES >> 20);
        if (size == 0)
            return NV_OK;
    }
}

/* A pipe or a folder is told by what it is, before anything waits for it. */
static enum nv_status read_regular(const char *path, struct nv_buffer *bytes, struct nv_error *error)
{
    struct stat about;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0)
        return nv_fail(error, NV_REFUSED, "%s cannot be read: %s", path, strerror(errno));
    enum nv_status status = NV_OK;
    if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode))
        status = nv_fail(error, NV_REFUSED, "%s is no file that can be imported", path);
    else
        status = read_all(file, path, bytes, error);
    close(file);
    return status;
}

static bool begins_with(const struct nv_buffer *bytes, const char *magic, size_t size)
{
    return bytes->size >= size && memcmp(bytes->data, magic, size) == 0;
}

static unsigned long long line_of(const struct nv_buffer *bytes, size_t at)
{
    unsigned long long line = 1;
    for (size_t i = 0; i < at; i++)
        line += bytes->data[i] == '\n';
    return line;
}

static enum nv_status check_is_text(const char *path, const struct nv_buffer *bytes, struct nv_error *error)
{
    if (bytes->size == 0)
        return nv_fail(error, NV_REFUSED, "%s is empty", path);
    if (begins_with(bytes, "PK\3\4", 4) || begins_with(bytes, "\xd0\xcf\x11\xe0", 4))
        return nv_fail(error, NV_REFUSED, "%s is a spreadsheet's own file: save it there as CSV (UTF-8) first", path);
    if (begins_with(bytes, "\xff\xfe", 2) || begins_with(bytes, "\xfe\xff", 2))
        return nv_fail(error, NV_REFUSED, "%s is written in UTF-16: save it as CSV (UTF-8) instead", path);
    const uint8_t *nul = memchr(bytes->data, 0, bytes->size);
    if (nul != NULL)
        return nv_fail(error, NV_REFUSED, "%s is no text: line %llu holds a NUL byte", path,
                       line_of(bytes, (size_t)(nul - bytes->data)));
    return NV_OK;
}

static enum nv_status convert(const char *path, struct nv_buffer *bytes, struct nv_error *error)
{
    iconv_t converter = iconv_open("UTF-8", "WINDOWS-1252");
    if (converter == (iconv_t)-1)
        return nv_fail(error, NV_IO, "this system cannot convert Windows-1252: save %s as CSV (UTF-8)", path);
    /* No character of Windows-1252 takes more than three bytes. */
    struct nv_buffer converted = {0};
    char *in = (char *)bytes->data, *out = (char *)nv_buffer_extend(&converted, 3 * bytes->size);
    size_t in_left = bytes->size, out_left = 3 * bytes->size;
    enum nv_status status = out == NULL ? nv_no_memory(error) : NV_OK;
    if (status == NV_OK && iconv(converter, &in, &in_left, &out, &out_left) == (size_t)-1)
        status = nv_fail(error, NV_REFUSED,
                         "%s is neither UTF-8 nor Windows-1252: line %llu holds a byte of neither: save it as CSV "
                         "(UTF-8)",
                         path, line_of(bytes, bytes->size - in_left));
    iconv_close(converter);
    if (status != NV_OK) {
        nv_buffer_done(&converted);
        return status;
    }
    converted.size -= out_left;
    nv_buffer_done(bytes);
    *bytes = converted;
    return NV_OK;
}

enum nv_status nv_import_read_file(const char *path, struct nv_buffer *ret_text, bool *ret_converted,
                                   struct nv_error *error)
{
    struct nv_buffer bytes = {0};
    enum nv_status status = read_regular(path, &bytes, error);
    if (status == NV_OK)
        status = check_is_text(path, &bytes, error);
    if (status == NV_OK && begins_with(&bytes, "\xef\xbb\xbf", 3)) {
        bytes.size -= 3;
        memmove(bytes.data, bytes.data + 3, bytes.size);
    }
    bool converts = status == NV_OK && !nv_utf8_is_valid(nv_buffer_slice(&bytes));
    if (converts)
        status = convert(path, &bytes, error);
    if (status != NV_OK) {
        nv_buffer_done(&bytes);
        return status;
    }
    *ret_text = bytes;
    *ret_converted = converts;
    return NV_OK;
}
