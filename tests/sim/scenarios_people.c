/* Scenarios of people and their programs: what meets when two write at once, or one writes from what is no longer so.
 */
#include "report.h"
#include "scenarios.h"
#include "stage.h"

static const char conflicts[] = "SELECT field, value FROM navette_conflict ORDER BY 1, 2";

static struct nv_dice dice_of(const uint8_t bytes[2])
{
    return nv_dice_scripted((struct nv_slice){bytes, 2});
}

void sim_play_collision(struct sim_world *world)
{
    sim_stage_meet(world);
    sim_stage_sql(world, HUB, "INSERT INTO item(id, a, b) VALUES ('r0', 'Ada', 1)");
    sim_stage_await_one(world, 1000);
    sim_stage_head(world, "pantin and poissy are cut off; three people write to one record");
    sim_stage_cut(HUB, PANTIN);
    sim_stage_cut(HUB, POISSY);
    sim_stage_sql(world, PANTIN, "UPDATE item SET a = 'Ada P.', b = 3 WHERE id = 'r0'");
    sim_stage_wait(world, 100);
    sim_stage_sql(world, HUB, "UPDATE item SET a = 'Ada H.', b = 5 WHERE id = 'r0'");
    sim_stage_wait(world, 100);
    sim_stage_sql(world, POISSY, "UPDATE item SET a = 'Ada Y.', b = 4 WHERE id = 'r0'");
    sim_stage_wait(world, 4000);
    sim_stage_head(world, "the lines are back: all three are there, at every site");
    sim_stage_heal(HUB, PANTIN);
    sim_stage_heal(HUB, POISSY);
    sim_stage_await_one(world, 20000);
    sim_stage_show_all(world);
    sim_stage_expect_all(world, "SELECT a, b FROM item", "Ada Y. 5;");
    sim_stage_expect_all(world, conflicts, "a Ada H.;a Ada P.;a Ada Y.;b 3;b 4;b 5;");
    sim_stage_head(world, "somebody at poissy, to whom all are listed, takes the second for a; b is still open");
    sim_stage_answer(world, POISSY, 2, 2);
    sim_stage_await_one(world, 1000);
    sim_stage_show_all(world);
    sim_stage_expect_all(world, conflicts, "b 3;b 4;b 5;");
}

void sim_play_delete_beside_edit(struct sim_world *world)
{
    sim_stage_meet(world);
    sim_stage_sql(world, HUB, "INSERT INTO item(id, a, b) VALUES ('r0', 'Ada', 1)");
    sim_stage_await_one(world, 1000);
    sim_stage_head(world, "pantin is cut off, and somebody there deletes what poissy edits");
    sim_stage_cut(HUB, PANTIN);
    sim_stage_sql(world, PANTIN, "DELETE FROM item WHERE id = 'r0'");
    sim_stage_sql(world, POISSY, "UPDATE item SET a = 'Ada L.' WHERE id = 'r0'");
    sim_stage_wait(world, 30000);
    sim_stage_show(world, PANTIN);
    sim_stage_head(world,
                   "the line is back: the edit was not seen by who deleted, so the record stays, and all are asked");
    sim_stage_heal(HUB, PANTIN);
    sim_stage_await_one(world, 20000);
    sim_stage_show_all(world);
    sim_stage_expect_all(world, "SELECT a, b FROM item", "Ada L. 1;");
    sim_stage_expect_all(world, "SELECT kind FROM navette_conflict", "deleted;");
    sim_stage_head(world, "somebody at the hub answers: it shall go");
    sim_stage_answer(world, HUB, 1, 1);
    sim_stage_await_one(world, 1000);
    sim_stage_show_all(world);
    sim_stage_expect_all(world, "SELECT count(*) FROM item", "0;");
    sim_stage_expect_all(world, "SELECT count(*) FROM navette_conflict", "0;");
}

void sim_play_stale_form(struct sim_world *world)
{
    struct nv_dice dice = dice_of((const uint8_t[]){0, 0});
    struct sim_form *form = &world->forms[PANTIN];
    sim_stage_meet(world);
    sim_stage_sql(world, HUB, "INSERT INTO item(id, a, c) VALUES ('r0', '01 00', 'note')");
    sim_stage_await_one(world, 1000);
    sim_stage_head(world, "somebody at pantin opens a form, which shows a='01 00' and c='note'");
    sim_people_open_form(world, &dice, PANTIN);
    sim_stage_wait(world, 60000);
    sim_stage_head(world,
                   "meanwhile a is changed at poissy, and the row at pantin follows; the form still shows what it did");
    sim_stage_sql(world, POISSY, "UPDATE item SET a = '02 00' WHERE id = 'r0'");
    sim_stage_await_one(world, 1000);
    sim_stage_expect(world, PANTIN, "SELECT a FROM item", "02 00;");
    sim_stage_wait(world, 60000);
    sim_stage_head(world, "only c was edited in the form, and it writes both fields");
    sqlite3_free(form->update);
    form->update = sqlite3_mprintf("UPDATE item SET a = '01 00', c = 'a new note' WHERE id = 'r0'");
    sim_people_save_form(world, &dice, PANTIN);
    sim_stage_await_one(world, 1000);
    sim_stage_head(world, "a remote change that nobody at pantin saw is not undone in silence: both values are listed");
    sim_stage_show_all(world);
    sim_stage_expect_all(world, "SELECT c FROM item", "a new note;");
    sim_stage_expect_all(world, conflicts, "a 01 00;a 02 00;");
}

void sim_play_rebuilt_table(struct sim_world *world)
{
    struct nv_dice leave_out = dice_of((const uint8_t[]){1, 2}), change = dice_of((const uint8_t[]){0, 1});
    sim_stage_meet(world);
    sim_stage_sql(world, HUB, "INSERT INTO item(id, a) VALUES ('r0', 'Ada'), ('r1', 'Blaise')");
    sim_stage_await_one(world, 1000);
    sim_stage_head(world, "a tool at pantin makes the table anew, and changes a row while no trigger is there to tell");
    sim_people_rebuild_table(world, &change, PANTIN);
    sim_stage_wait(world, 2000);
    sim_stage_show_all(world);
    sim_stage_expect_all(world, "SELECT id FROM item ORDER BY id", "r0;r1;");
    sim_stage_head(world, "another one leaves a row out: that is nobody's word that it shall be deleted");
    sim_people_rebuild_table(world, &leave_out, PANTIN);
    sim_stage_wait(world, 400);
    sim_stage_show(world, PANTIN);
    sim_stage_show(world, HUB);
    sim_stage_expect(world, PANTIN, "SELECT id FROM item", "r0;");
    sim_stage_expect(world, PANTIN, "SELECT count(*) FROM navette_missing", "1;");
    sim_stage_expect(world, HUB, "SELECT id FROM item ORDER BY id", "r0;r1;");
    sim_stage_head(world, "it is put back, as it was");
    sim_stage_await_answer(world, PANTIN, "SELECT id FROM item ORDER BY id", "r0;r1;", 20000);
    sim_stage_await_answer(world, PANTIN, "SELECT count(*) FROM navette_missing", "0;", 2000);
    sim_stage_wait(world, 1000);
    sim_stage_show_all(world);
    if (sim_stage_held(world, PANTIN, PANTIN) != 1)
        sim_fail("scenario", "something was sealed of a row that is as it was");
}
