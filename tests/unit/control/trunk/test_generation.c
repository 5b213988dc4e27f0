// SPDX-License-Identifier: BSD-3-Clause
// Generations of the configuration: who keeps which, and what trunks keep over them.
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/record.h"
#include "control/trunk/generation.h"
#include "runner.h"

static struct trunk_table table;
static enum trunk_change of_target;

// "core pstn:2 spare:3/0": trunks by name, with the last byte of the peer's address (1) and options_interval_s (30).
static struct tl_config *config_of(const char *text)
{
    struct tl_config *config = calloc(1, sizeof *config);
    char word[TL_NAME_MAX];
    int used;

    CU_ASSERT_FATAL(config != NULL);
    config->listener_count = 1;
    for (; sscanf(text, "%31s%n", word, &used) == 1; text += used) {
        struct tl_trunk_config *t = &config->trunks[config->trunk_count++];
        unsigned host = 1, interval = 30;
        char *colon = strchr(word, ':');
        if (colon) {
            sscanf(colon, ":%u/%u", &host, &interval);
            *colon = '\0';
        }
        snprintf(t->name, sizeof t->name, "%s", word);
        t->peer = (struct tl_addr){.family = TL_AF_INET, .ip = {10, 0, 0, (uint8_t)host}, .port = 5060};
        t->options_interval_s = interval;
        t->options_failures = 1;
    }
    return config;
}

static struct tl_config *first;

static void begin(const char *text)
{
    first = config_of(text);
    CU_ASSERT_FATAL(trunk_table_init(&table, first, 0) == 0);
}

static void reload(const char *text, uint64_t now_ms)
{
    CU_ASSERT_FATAL(trunk_table_reload(&table, config_of(text), now_ms) == 0);
}

static void end(void)
{
    trunk_table_fini(&table);
    CU_ASSERT(table.by_name == NULL);
    tl_config_free(first);
}

static void add_name(void *arg, const struct trunk *t)
{
    char *out = arg;
    size_t len = strlen(out);

    snprintf(out + len, 200 - len, "%s%s%s", len ? " " : "", t->name, t->config ? "" : "(former)");
}

static const char *names(void)
{
    static char out[200];

    out[0] = '\0';
    trunk_each(&table, add_name, out);
    return out;
}

static void trunks_live_on_by_name(void)
{
    begin("a b c");
    struct trunk *b = trunk_named(&table, "b"), *c = trunk_named(&table, "c");
    CU_ASSERT_FATAL(b && c && !trunk_named(&table, "d"));
    CU_ASSERT(
        !trunk_named(&table, "a name that is longer than a trunk's name can be, by far, so it is none"));
    trunk_attempt(b, &b->targets[0]);
    struct trunk_leg leg = {0};
    trunk_leg_begin(&leg, c, TRUNK_LEG_FROM);
    trunk_options_sent(c, &c->targets[0], 10);
    trunk_options_result(c, &c->targets[0], 0, 20, &of_target);
    CU_ASSERT(c->down);
    reload("c d b", 1000);
    CU_ASSERT(table.now->number == 2);
    CU_ASSERT(trunk_named(&table, "b") == b && b->counters.attempts == 1 && b->index == 2);
    CU_ASSERT(trunk_named(&table, "c") == c && c->use.calls == 1 && c->index == 0);
    CU_ASSERT(c->down && c->changed_ms == 20);
    CU_ASSERT(c->config == &table.now->config->trunks[0]);
    CU_ASSERT(!trunk_named(&table, "a"));
    CU_ASSERT_STRING_EQUAL(names(), "c d b");
    end();
}

static void a_held_generation_keeps_its_trunks(void)
{
    begin("a b");
    struct generation *old = generation_hold(table.now);
    struct trunk *a = trunk_named(&table, "a");
    struct trunk_leg leg = {0};
    trunk_leg_begin(&leg, a, TRUNK_LEG_FROM);
    reload("b c", 1000);
    CU_ASSERT(table.now != old && old->number == 1);
    CU_ASSERT_STRING_EQUAL(names(), "b c a(former)");
    CU_ASSERT(a->config == NULL && old->trunks[0] == a && a->use.calls == 1);
    CU_ASSERT_STRING_EQUAL(old->config->trunks[0].name, "a"); // its settings are there to the end of the call
    CU_ASSERT(old->trunks[1] == table.now->trunks[0]);        // b is the same in both
    reload("b", 2000);
    CU_ASSERT_STRING_EQUAL(names(), "b a(former)"); // nobody held the second one: c is gone with it
    trunk_leg_end(&leg);
    generation_drop(old);
    CU_ASSERT_STRING_EQUAL(names(), "b");
    end();
}

static void a_trunk_that_comes_back_is_the_same_while_it_is_held(void)
{
    begin("a b");
    struct generation *old = generation_hold(table.now);
    struct trunk *a = trunk_named(&table, "a");
    struct trunk_leg leg = {0};
    trunk_leg_begin(&leg, a, TRUNK_LEG_FROM);
    a->down = true;
    reload("b", 1000);
    reload("b a", 2000);
    CU_ASSERT(trunk_named(&table, "a") == a && a->use.calls == 1 && a->index == 1);
    CU_ASSERT(!a->down && a->changed_ms == 2000); // what it was like meanwhile nobody knows
    generation_drop(old);
    CU_ASSERT(a->config == &table.now->config->trunks[1]);
    end();
}

static void many_generations_are_held_at_once(void)
{
    struct generation *held[20];
    char text[40];

    begin("a");
    for (unsigned i = 0; i < 20; i++) {
        held[i] = generation_hold(table.now);
        snprintf(text, sizeof text, "t%u a", i);
        reload(text, i);
    }
    for (unsigned i = 0; i < 20; i++) { // the last one lasts
        snprintf(text, sizeof text, "t%u", i);
        CU_ASSERT(trunk_named(&table, text) != NULL);
        CU_ASSERT(held[i]->number == i + 1 && held[i]->trunks[i ? 1 : 0] == trunk_named(&table, "a"));
    }
    for (unsigned i = 20; i-- > 0;)
        generation_drop(held[i]);
    CU_ASSERT_STRING_EQUAL(names(), "t19 a");
    end();
}

// ---- what a change of settings means for health

static void health_follows_the_peer(void)
{
    static const struct {
        const char *before, *after;
        bool asking; // when the reload comes, at 10 s; the last OPTIONS was at 0
        bool down, asking_after, down_after;
        uint64_t due; // TRUNK_NEVER: while its answer is awaited, too
    } rows[] = {
        {"t:1/30", "t:1/30", false, false, false, false, 30000},
        {"t:1/30", "t:1/30", false, true, false, true, 30000},
        {"t:1/30", "t:1/30", true, false, true, false, TRUNK_NEVER},
        {"t:1/30", "t:2/30", false, true, false, false, 10000}, // another peer: asked at once
        {"t:1/30", "t:2/30", true, false, false, false, 10000},
        {"t:1/30", "t:1/5", false, false, false, false, 15000},   // sooner
        {"t:1/30", "t:1/600", false, false, false, false, 30000}, // later: from the next one on
        {"t:1/30", "t:1/0", false, true, false, false, TRUNK_NEVER},
        {"t:1/0", "t:1/30", false, false, false, false, 10000},
        {"t:1/30", "u:1/30 t:1/30", false, true, false, true, 10000}, // u is asked first
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(rows[i].before);
        struct trunk *t = trunk_named(&table, "t");
        if (t->config->options_interval_s) {
            trunk_options_sent(t, &t->targets[0], 0);
            if (!rows[i].asking)
                trunk_options_result(t, &t->targets[0], rows[i].down ? 0 : 200, 10, &of_target);
        }
        CU_ASSERT(t->down == rows[i].down && t->targets[0].asking == rows[i].asking);
        reload(rows[i].after, 10000);
        bool good = t->down == rows[i].down_after && t->targets[0].asking == rows[i].asking_after &&
                    trunk_table_due(&table) == rows[i].due;
        if (!good)
            printf("   row %zu: down %d, asking %d, due %llu\n", i, t->down, t->targets[0].asking,
                   (unsigned long long)trunk_table_due(&table));
        CU_ASSERT(good);
        end();
    }
}

static void requests_are_of_the_current_generation(void)
{
    const struct tl_addr one = {.family = TL_AF_INET, .ip = {10, 0, 0, 1}, .port = 5060},
                         two = {.family = TL_AF_INET, .ip = {10, 0, 0, 2}, .port = 5060};

    begin("a:1");
    struct generation *old = generation_hold(table.now);
    CU_ASSERT(trunk_identify(&table, 0, &one, 0, NULL, NULL) == trunk_named(&table, "a"));
    reload("b:2 a:3", 0);
    CU_ASSERT(trunk_identify(&table, 0, &one, 0, NULL, NULL) == NULL);
    CU_ASSERT(trunk_identify(&table, 0, &two, 0, NULL, NULL) == trunk_named(&table, "b"));
    generation_drop(old);
    end();
}

static void health_is_saved_by_name(void)
{
#define TARGET(down, failures, rest)                                                                         \
    "target 2 {\nat 10.0.0.1:5060\ndown " down "\nfailures " failures "\nrest_ms 0\n" rest "}\n"
#define TRUNK(name, target) "trunk 2 {\nname " name "\nfor_ms 500\n" target "}\n"
    static const struct {
        const char *text;
        int rc;
    } rows[] = {
        {TRUNK("d", TARGET("1", "3", "for_ms 500\n")), -ENOENT},
        {TRUNK("still", TARGET("1", "3", "for_ms 500\n")), -ENOENT}, // nobody would bring it up
        {"trunk 1 {\nname c\nfor_ms 500\n" TARGET("1", "3", "for_ms 500\n") "}\n", -EINVAL},
        {TRUNK("c", TARGET("2", "3", "for_ms 500\n")), -EINVAL},
        {TRUNK("c", TARGET("1", "0", "for_ms 500\n")), -EINVAL},
        {TRUNK("c", TARGET("1", "101", "for_ms 500\n")), -EINVAL},
        {TRUNK("c", TARGET("1", "3", "")), -EINVAL},
        {"trunk 2 {\nfor_ms 500\n" TARGET("1", "3", "for_ms 500\n") "}\n", -EINVAL},
    };
    char text[300];
    struct record_writer w;
    struct record r;

    begin("a b still:1/0");
    struct trunk *b = trunk_named(&table, "b");
    trunk_options_sent(b, &b->targets[0], 0);
    trunk_options_result(b, &b->targets[0], 0, 100, &of_target);
    record_writer_init(&w, text, sizeof text - 1);
    trunk_save(&w, b, 1100);
    int len = record_finish(&w);
    CU_ASSERT_FATAL(len > 0);
    end();
    begin("b still:1/0 c"); // another process, another order
    CU_ASSERT_FATAL(record_open(&r, text, (size_t)len, "trunk") == 0);
    CU_ASSERT_EQUAL(trunk_load(&table, &r, 5000), 0);
    b = trunk_named(&table, "b");
    CU_ASSERT(b->down && b->failures == 1 && b->changed_ms == 4000);
    CU_ASSERT(!trunk_named(&table, "still")->down && !trunk_named(&table, "c")->down);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        trunk_named(&table, "c")->down = false;
        CU_ASSERT_FATAL(record_open(&r, rows[i].text, strlen(rows[i].text), "trunk") == 0);
        int rc = trunk_load(&table, &r, 5000);
        if (rc != rows[i].rc)
            printf("   row %zu: %d\n", i, rc);
        CU_ASSERT(rc == rows[i].rc && trunk_named(&table, "c")->down == (rc == 0));
    }
    end();
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"trunks_live_on_by_name", trunks_live_on_by_name},
        {"a_held_generation_keeps_its_trunks", a_held_generation_keeps_its_trunks},
        {"a_trunk_that_comes_back_is_the_same_while_it_is_held",
         a_trunk_that_comes_back_is_the_same_while_it_is_held},
        {"many_generations_are_held_at_once", many_generations_are_held_at_once},
        {"health_follows_the_peer", health_follows_the_peer},
        {"requests_are_of_the_current_generation", requests_are_of_the_current_generation},
        {"health_is_saved_by_name", health_is_saved_by_name},
    };
    return test_main("generation", TEST_CASES(cases), argc, argv);
}
