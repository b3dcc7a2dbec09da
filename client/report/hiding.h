/* What may be shown of counts, so that no small group of people can be worked out: not from a table, not from several,
 * not from what was published earlier.
 *
 * People are counted in units (a course at a place) and in parts (the values of one dimension: under 26, 26 to 49, …).
 * What is shown are sums over groups of units. They are disclosed in steps, the coarse before the fine: first
 * everybody, then one set of parts more at each step. The sets known at a step cut the parts into atoms.
 *
 * At each step the units are cut into cells, and all that is ever shown is a sum of whole cells. A cell is safe where
 * each of its atoms counts nobody, of those that may, or at least `threshold` people. So whatever anybody works out
 * from what is shown, by adding and taking away, is made of numbers that could have been shown themselves: that is the
 * whole proof (compare the complementary suppression of Willenborg and de Waal, "Elements of Statistical Disclosure
 * Control", 2001, chapter 6, which looks for cells to hide; here cells are put together until none need be). The cells
 * of a step are made of whole cells of the step before.
 *
 * A later publication keeps the cells. What changed in a cell is shown once it changed by nobody or by `threshold`
 * people in each atom, since each of the publications before; until then the earlier number stands, everywhere. Units
 * that are new wait until together they are a safe cell. Cells are cut further where the pieces are safe, and were so,
 * with what changed in them, in all that was told of the cell: so what all publications show is made of numbers of the
 * smallest cells that there ever were, and each of these could have been shown at its time.
 *
 * Who sees what is shown at one threshold may see what is shown at a higher one, too. So the cells of the higher one
 * are made of whole cells of the lower one, and renewed when these are: it shows nothing but sums of what the lower one
 * could show.
 *
 * Pure: no I/O, no clock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NV_PARTS_MOST = 64, NV_STEPS_MOST = 64, NV_AMOUNTS = 2, NV_PUBLICATIONS_KEPT = 256 };

typedef uint64_t nv_parts; /* a set of parts */

/* Units that are shown together. */
struct nv_unit_group {
    const uint32_t *units;
    size_t unit_count;
    unsigned rank; /* the lower ones first, where not all can be shown; of one rank those of most people */
};

struct nv_hiding_rule {
    int64_t threshold; /* a count under it is hidden; 0: none is */
    size_t part_count;
    nv_parts may_be_none; /* of these nothing is said of anybody by saying that they are nobody */
    size_t step_count;
    nv_parts sets[NV_STEPS_MOST]; /* disclosed step by step; the first one is everybody */
};

struct nv_hiding;

/* The groups, with what they point to, stay the caller's and are to outlive it. `finer` (may be NULL) has the same
 * units, groups and sets, and a lower threshold; it is to be given each publication first, and is read only while this
 * one is given it. NULL where memory ran out. */
struct nv_hiding *nv_hiding_new(const struct nv_hiding_rule *rule, const struct nv_hiding *finer, size_t unit_count,
                                const struct nv_unit_group *groups, size_t group_count);
void nv_hiding_free(struct nv_hiding *hiding);

/* One publication after the other: counts[unit * part_count + part], and amounts (minutes, not people) that go with
 * everybody of a unit: amounts[unit * NV_AMOUNTS + …], NULL for none. At most NV_PUBLICATIONS_KEPT,
 * which are numbered from 0. false where memory ran out. */
bool nv_hiding_publish(struct nv_hiding *hiding, const int64_t *counts, const int64_t *amounts);

/* Whether the group's sums are known at that step: it is made of whole cells. Units that wait are not among them. */
bool nv_hiding_shows(const struct nv_hiding *hiding, size_t step, size_t group);

/* Whether the unit's numbers are part of what is known at that step. */
bool nv_hiding_has(const struct nv_hiding *hiding, size_t step, size_t unit);

/* The step at which a set was disclosed: the first one whose sets give it; step_count where none does. */
size_t nv_hiding_step_of(const struct nv_hiding *hiding, nv_parts set);

/* Of a group that is shown at the step: how many people are in the set; the amounts (of what is shown at step 0);
 * whether units of it wait; and which publication the oldest of its numbers is of. */
int64_t nv_hiding_count(const struct nv_hiding *hiding, size_t step, size_t group, nv_parts set);
int64_t nv_hiding_amount(const struct nv_hiding *hiding, size_t group, size_t which);
bool nv_hiding_is_part(const struct nv_hiding *hiding, size_t step, size_t group);
int nv_hiding_when(const struct nv_hiding *hiding, size_t step, size_t group);

/* Whether nobody is counted in the group. Nothing else is told of what is hidden: that a group is hidden for another
 * one's sake would say that its own counts are not small, and with the sums beside it that can be all there is to know.
 */
bool nv_hiding_is_nobody(const struct nv_hiding *hiding, size_t group);

/* Whether what the group's counts are at the step is itself too small to be shown: for the log of who keeps the counts,
 * and for nobody who sees reports alone. */
bool nv_hiding_is_small(const struct nv_hiding *hiding, size_t step, size_t group);
