/* The version that the programs print. */
#pragma once

#define NV_VERSION "0.1.0"
