#include "client/tables/fold.h"

#include <string.h>

#include "client/utf8.h"

size_t nv_blank_at(const uint8_t *at, size_t left)
{
    uint32_t code;
    size_t size = nv_utf8_character(at, left, &code);
    if (size == 0)
        return 0;
    bool is_blank = code == ' ' || (code >= '\t' && code <= '\r') || code == 0xa0 || code == 0xfeff || code == 0x3000 ||
                    (code >= 0x2000 && code <= 0x200b) || code == 0x202f;
    return is_blank ? size : 0;
}

struct nv_slice nv_trim(struct nv_slice text)
{
    while (text.size > 0) {
        size_t blank = nv_blank_at(text.data, text.size);
        if (blank == 0)
            break;
        text.data += blank;
        text.size -= blank;
    }
    while (text.size > 0) {
        size_t last = 1;
        while (last < text.size && last < 4 && text.data[text.size - last] >> 6 == 2)
            last++;
        if (nv_blank_at(text.data + text.size - last, last) != last)
            break;
        text.size -= last;
    }
    return text;
}

/* The letter without its accent, for U+00C0 to U+017F; "" where the character stays as it is. */
static const char *bare_letter(uint32_t code)
{
    static const char latin1[] = "aaaaaa*ceeeeiiii*nooooo*ouuuuy**aaaaaa*ceeeeiiii*nooooo*ouuuuy*y";
    static const char extended[] =
        "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii**jjkk*llllll**llnnnnnn***oooooo**"
        "rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
    static char letter[2];
    if (code == 0xe6 || code == 0xc6)
        return "ae";
    if (code == 0x152 || code == 0x153)
        return "oe";
    if (code == 0xdf)
        return "ss";
    if (code >= 0xc0 && code <= 0xff)
        letter[0] = latin1[code - 0xc0];
    else if (code >= 0x100 && code <= 0x17f)
        letter[0] = extended[code - 0x100];
    else
        return "";
    return letter[0] == '*' ? "" : letter;
}

static void fold_character(struct nv_buffer *folded, uint32_t code)
{
    const char *letter = bare_letter(code);
    if (code >= 0x300 && code <= 0x36f) /* an accent that stands for itself, after its letter */
        return;
    if (code == 0x2019 || code == 0x2bc)
        code = '\'';
    if (code >= 'A' && code <= 'Z')
        code += 'a' - 'A';
    if (letter[0] != '\0')
        nv_buffer_append(folded, letter, strlen(letter));
    else
        nv_utf8_append(folded, code);
}

void nv_fold(struct nv_slice text, struct nv_buffer *ret_folded)
{
    bool after_blank = false;
    text = nv_trim(text);
    for (size_t at = 0; at < text.size;) {
        uint32_t code = text.data[at];
        size_t size = nv_blank_at(text.data + at, text.size - at);
        if (size > 0) {
            after_blank = true;
            at += size;
            continue;
        }
        if (after_blank)
            nv_buffer_append_byte(ret_folded, ' ');
        after_blank = false;
        size = nv_utf8_character(text.data + at, text.size - at, &code);
        fold_character(ret_folded, code);
        at += size == 0 ? 1 : size;
    }
}

bool nv_fold_equal(struct nv_slice a, const char *b)
{
    struct nv_buffer left = {0}, right = {0};
    nv_fold(a, &left);
    nv_fold((struct nv_slice){(const uint8_t *)b, strlen(b)}, &right);
    bool equal = !left.failed && !right.failed && nv_slice_equal(nv_buffer_slice(&left), nv_buffer_slice(&right));
    nv_buffer_done(&left);
    nv_buffer_done(&right);
    return equal;
}
