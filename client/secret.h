/* The recovery secret, as a person gives it: never as an argument, which everybody on the machine could see. */
#pragma once

#include "wire/keys.h"

/* Reads the secret from the first line of a file ("-" is standard input); with NULL asks for it on the terminal, where
 * it does not show, or takes a line of standard input where that is no terminal. It is kept nowhere but in *ret_key,
 * which the caller wipes. NV_REFUSED, NV_NOT_FOUND. */
enum nv_status nv_secret_ask(const char *file, struct nv_curve_key *ret_key, struct nv_error *error);
