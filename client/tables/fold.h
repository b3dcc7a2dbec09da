/* Text without what people are careless about: case, accents, and the blanks around and between its words. So "Prénom "
 * and "PRENOM" are one header, and "à 3 mois" and "A 3 mois" one choice. */
#pragma once

#include "base/buffer.h"

/* The text without the blanks around it: spaces, tabs, line ends and no-break spaces. */
struct nv_slice nv_trim(struct nv_slice text);

/* Appends the folded text. */
void nv_fold(struct nv_slice text, struct nv_buffer *ret_folded);

/* Whether the two are one once folded. False where memory ran out. */
bool nv_fold_equal(struct nv_slice a, const char *b);

/* The length of the blank character at `at`; 0 where it is none. `left` is at least 1. */
size_t nv_blank_at(const uint8_t *at, size_t left);
