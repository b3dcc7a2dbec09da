/* The language that people are spoken to in: French where they read French, else English. What is said in it is looked
 * up as base/catalogue.h says. JSON, and what the daemon logs, are English everywhere. */
#pragma once

#include <stdbool.h>

#include "base/catalogue.h"

/* Chooses the language, from LC_ALL, LC_MESSAGES or LANG: the first that is set. Until then, and where the catalogue is
 * not installed, all is English. */
void nv_language_start(void);

/* Whether it is French: for what is kept in both languages, as the labels of a schema are. */
bool nv_is_french(void);
