/* What people are told stands in the source in English. It is looked up by that text in the catalogue of the language
 * that the program chose (client/language.h), and stays English where it chose none, as the daemon does (GNU gettext's
 * manual, "Triggering gettext Operations"; client/po/LANGUAGE.po). nv_fail looks its format up by itself. */
#pragma once

#include <libintl.h>

/* A sentence; of several forms the one for `number`. No empty one: the catalogue's own heading is what that gives. */
#define _(text) gettext(text)
#define NV_PLURAL(one, many, number) ngettext(one, many, (unsigned long)(number))

/* Marks a sentence that is looked up later: it stands in a table, or another function says it. */
#define N_(text) text
