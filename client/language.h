/* The language that people are spoken to in: French where they read French, else English. Sentences are looked up by
 * their English text in the catalogue (GNU gettext's manual, "The User's View"; client/po/LANGUAGE.po). JSON, and what
 * the daemon logs, are English everywhere. */
#pragma once

#include <libintl.h>
#include <stdbool.h>

/* A sentence in the language of this run; of several forms the one for `number`. */
#define _(text) gettext(text)
#define NV_PLURAL(one, many, number) ngettext(one, many, (unsigned long)(number))

/* Marks a sentence that is looked up later, where it stands in a table. */
#define N_(text) text

/* Chooses the language, from LC_ALL, LC_MESSAGES or LANG: the first that is set. Until then, and where the catalogue is
 * not installed, all is English. */
void nv_language_start(void);

/* Whether it is French. */
bool nv_is_french(void);
