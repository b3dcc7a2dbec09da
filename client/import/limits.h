/* A limit for everything in a file that is imported: what is above is refused with a sentence. They are far above what
 * spreadsheets hold, and keep a file that is none from filling the memory or holding up other writers. */
#pragma once

#define NV_IMPORT_FILE_BYTES (256u << 20)
#define NV_IMPORT_RECORDS 50000u    /* lines of one file: its transaction holds other writers up for some seconds */
#define NV_IMPORT_COLUMNS 1024u     /* cells of one line */
#define NV_IMPORT_CELLS (16u << 20) /* cells of one file */
#define NV_IMPORT_CELL_BYTES (64u << 10)
#define NV_IMPORT_MAP_BYTES (256u << 10) /* a map file */
#define NV_IMPORT_SHOWN 50u              /* mistakes that are shown on a terminal */
#define NV_IMPORT_KEPT 10000u            /* mistakes that are kept for JSON; further ones are counted */
#define NV_IMPORT_UNDOABLE 5             /* imports that can be undone */
#define NV_IMPORT_UNDOABLE_DAYS 30       /* and for how long */
