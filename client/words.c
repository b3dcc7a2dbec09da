#include "client/words.h"

#include <stdarg.h>
#include <stdio.h>

#include "client/language.h"
#include "client/output.h"

void nv_say(const char *format, ...)
{
    struct nv_buffer said = {0}, shown = {0};
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *room = size < 0 ? NULL : (char *)nv_buffer_extend(&said, (size_t)size + 1);
    if (room != NULL) {
        va_start(arguments, format);
        vsnprintf(room, (size_t)size + 1, format, arguments);
        va_end(arguments);
        nv_show_bytes(&shown, (struct nv_slice){(const uint8_t *)room, (size_t)size});
    }
    fwrite(shown.data, 1, shown.size, stdout);
    putchar('\n');
    nv_buffer_done(&said);
    nv_buffer_done(&shown);
}

void nv_span(int64_t ms, char ret_text[NV_SPAN_TEXT])
{
    long long minutes = ms / 60000;
    if (minutes < 1)
        snprintf(ret_text, NV_SPAN_TEXT, _("%lld s"), ms < 1000 ? 1 : (long long)(ms / 1000));
    else if (minutes < 60)
        snprintf(ret_text, NV_SPAN_TEXT, _("%lld min"), minutes);
    else if (minutes < 48 * 60)
        snprintf(ret_text, NV_SPAN_TEXT, _("%lld h"), minutes / 60);
    else
        snprintf(ret_text, NV_SPAN_TEXT, _("%lld d"), minutes / (24 * 60));
}

void nv_span_ago(int64_t ms, char ret_text[NV_SPAN_TEXT])
{
    char span[NV_SPAN_TEXT];
    if (ms < 60000) {
        snprintf(ret_text, NV_SPAN_TEXT, "%s", _("just now"));
        return;
    }
    nv_span(ms, span);
    snprintf(ret_text, NV_SPAN_TEXT, _("%.24s ago"), span);
}

void nv_size_text(uint64_t bytes, char ret_text[NV_SPAN_TEXT])
{
    static const char *const units[] = {N_("kB"), N_("MB"), N_("GB"), N_("TB")};
    double size = (double)bytes / 1000;
    size_t unit = 0;
    for (; size >= 1000 && unit < 3; unit++)
        size /= 1000;
    snprintf(ret_text, NV_SPAN_TEXT, "%.1f %s", size, _(units[unit]));
}
