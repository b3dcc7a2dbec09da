/* Sentences for people, with the spans of time and the sizes that stand in them, in the language of the run
 * (client/language.h). */
#pragma once

#include <stdint.h>

/* Prints a sentence and a newline. Whatever stands in it, a site's name too, cannot turn the terminal against its
 * reader. The caller looks the sentence up: nv_say(_("…"), …). */
void nv_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

enum { NV_SPAN_TEXT = 48 };

/* "2 min", "3 h": how long it is. */
void nv_span(int64_t ms, char ret_text[NV_SPAN_TEXT]);

/* "2 min ago", "just now". */
void nv_span_ago(int64_t ms, char ret_text[NV_SPAN_TEXT]);

/* "12.5 MB". */
void nv_size_text(uint64_t bytes, char ret_text[NV_SPAN_TEXT]);
