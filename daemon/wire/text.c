#include "wire/text.h"

#include <stdint.h>
#include <string.h>

#include "base/limits.h"
#include "wire/authority.h"

/* How many bytes the character at `text` has, and which one it is; 0 where it is no UTF-8. The NUL at the end of the
 * string ends every sequence that is too short. Source: RFC 3629, section 4. */
static size_t character_at(const char *text, uint32_t *ret_character)
{
    uint8_t first = (uint8_t)text[0];
    size_t size = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
    static const uint8_t mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t character = first & mask[size];
    for (size_t i = 1; i < size; i++) {
        uint8_t next = (uint8_t)text[i];
        if (next >> 6 != 2)
            return 0;
        character = character << 6 | (next & 0x3f);
    }
    if (character < least[size] || character > 0x10ffff || (character >= 0xd800 && character <= 0xdfff))
        return 0;
    *ret_character = character;
    return size;
}

static bool is_control(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character < 0xa0);
}

static bool is_good(const char *text, size_t least, size_t most, const char *controls)
{
    size_t size = strnlen(text, most + 1);
    if (size < least || size > most)
        return false;
    for (size_t step; *text != '\0'; text += step) {
        uint32_t character;
        step = character_at(text, &character);
        if (step == 0 || (is_control(character) && (character >= 0x20 || strchr(controls, (int)character) == NULL)))
            return false;
    }
    return true;
}

bool nv_text_is_good(const char *text, size_t least, size_t most)
{
    return is_good(text, least, most, "");
}

bool nv_long_text_is_good(const char *text, size_t least, size_t most)
{
    return is_good(text, least, most, "\t\n\r");
}

bool nv_name_is_good(const char *name)
{
    return nv_text_is_good(name, 1, NV_LIMIT_NAME);
}

bool nv_endpoints_are_good(char *const *endpoints, size_t count)
{
    if (count > NV_LIMIT_ENDPOINTS)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!nv_text_is_good(endpoints[i], 1, NV_LIMIT_ENDPOINT_BYTES))
            return false;
    return true;
}
