// SPDX-License-Identifier: BSD-3-Clause
// Names of peers: what is asked in which order (RFC 3263), what is taken, and how long it is kept. Answers are scripted.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "control/trunk/generation.h"
#include "runner.h"

static struct tl_config config;
static struct names *names;

// Listeners: 0 UDP, 1 TCP and 2 TLS of one address. A trunk on `listener` with one peer.
static struct tl_peer_config *begin(uint32_t listener, const char *name)
{
    memset(&config, 0, sizeof config);
    config.listener_count = 3;
    for (uint32_t i = 0; i < 3; i++)
        config.listeners[i] = (struct tl_listener_config){
            .transport = (enum tl_transport)i,
            .address = {.family = TL_AF_INET, .ip = {10, 0, 0, 1}, .port = i == 2 ? 5061 : 5060}};
    config.trunk_count = 1;
    struct tl_trunk_config *t = &config.trunks[0];
    *t = (struct tl_trunk_config){.name = "t", .number = 1, .listener = listener, .peer_count = 1};
    t->peers[0] = (struct tl_peer_config){.listener = listener, .send = true, .weight = 1};
    snprintf(t->peers[0].name, sizeof t->peers[0].name, "%s", name);
    names_free(names);
    names = names_new();
    CU_ASSERT_FATAL(names != NULL);
    return &t->peers[0];
}

// A zone: "TYPE NAME TTL DATA" lines, "!" in place of the TTL for a server that fails, "-" for a broken answer.
static void answer_from(const char *zone, const char *name, enum dns_type type, struct dns_answer *out)
{
    static const struct {
        const char *word;
        enum dns_type type;
    } types[] = {{"A", DNS_A}, {"AAAA", DNS_AAAA}, {"SRV", DNS_SRV}, {"NAPTR", DNS_NAPTR}};
    char word[8], owner[100], ttl[12], rest[200];
    int used;

    *out = (struct dns_answer){.status = DNS_NOTHING, .ttl_s = 60};
    for (; sscanf(zone, " %7s %99s %11s %199[^\n]%n", word, owner, ttl, rest, &used) == 4; zone += used) {
        struct dns_record *r = &out->record[out->count];
        bool fits = false;
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
            fits = fits || (types[i].type == type && strcmp(types[i].word, word) == 0);
        if (!fits || strcmp(owner, name) != 0)
            continue;
        if (ttl[0] == '!' || ttl[0] == '-') {
            out->status = ttl[0] == '!' ? DNS_FAILED : DNS_BROKEN;
            return;
        }
        unsigned a, b, c;
        char text[100], flags[4];
        if (type == DNS_A || type == DNS_AAAA)
            fits = tl_addr_read_ip(rest, strlen(rest), &r->addr);
        else if (type == DNS_SRV && sscanf(rest, "%u %u %u %99s", &a, &b, &c, text) == 4)
            *r = (struct dns_record){.priority = (uint16_t)a, .weight = (uint16_t)b, .port = (uint16_t)c};
        else if (sscanf(rest, "%u %u %3s %31s %99s", &a, &b, flags, r->service, text) == 5)
            r->priority = (uint16_t)a, r->weight = (uint16_t)b, memcpy(r->flags, flags, sizeof flags);
        if (type == DNS_SRV || type == DNS_NAPTR)
            snprintf(r->name, sizeof r->name, "%s", strcmp(text, ".") == 0 ? "" : text);
        out->status = DNS_FOUND;
        out->ttl_s = (uint32_t)atoi(ttl);
        out->count++;
    }
}

static struct name_now now_is;
static char asked[1000];

// Looks until nothing more is to be asked; asked: "NAPTR example.com, SRV ...".
static enum name_state settle(const char *zone, uint64_t now)
{
    static struct dns_answer answer;
    char name[DNS_NAME_MAX];
    enum dns_type type;
    size_t used = 0;
    bool more = true;

    asked[0] = '\0';
    while (more) {
        names_round(names, now);
        names_of(names, &config, &config.trunks[0], &config.trunks[0].peers[0], now, &now_is);
        more = false;
        while (names_question(names, name, &type)) {
            const char *word = type == DNS_A      ? "A"
                               : type == DNS_SRV  ? "SRV"
                               : type == DNS_AAAA ? "AAAA"
                                                  : "NAPTR";
            used +=
                (size_t)snprintf(asked + used, sizeof asked - used, "%s%s %s", used ? ", " : "", word, name);
            answer_from(zone, name, type, &answer);
            names_answer(names, name, type, &answer, now);
            more = true;
        }
    }
    return now_is.state;
}

// "10.0.0.9:5060/udp 10.0.0.8:5070/tcp": in the order of tier and place.
static const char *found(void)
{
    static char out[600];
    size_t used = 0;
    bool done[TRUNK_TARGETS_MAX] = {false};

    out[0] = '\0';
    for (uint32_t n = 0; n < now_is.count; n++) {
        uint32_t best = 0;
        while (done[best])
            best++;
        for (uint32_t i = best + 1; i < now_is.count; i++)
            if (!done[i] && now_is.place[i].tier < now_is.place[best].tier)
                best = i;
        done[best] = true;
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%s/%s", n ? " " : "",
                                 TL_ADDR_STR(&now_is.place[best].addr),
                                 tl_transport_words[now_is.place[best].listener]);
    }
    return out;
}

static const char hosts[] = "A a.example 60 10.1.0.1\nA b.example 60 10.1.0.2\nA b.example 60 10.1.0.3\n";

static void questions_follow_the_rfc(void)
{
    static const struct {
        uint32_t listener;
        uint16_t port;
        uint32_t over; // 0: the listener's, else the transport + 1
        bool tls;      // the trunk knows who the peer is over TLS
        const char *name, *zone, *asked, *found;
    } rows[] = {
        // a port: addresses and nothing else
        {0, 5070, 0, false, "b.example", "", "A b.example", "10.1.0.2:5070/udp 10.1.0.3:5070/udp"},
        // a transport: SRV of that
        {0, 0, 2, false, "x.example", "SRV _sip._tcp.x.example 60 1 1 5080 a.example\n",
         "SRV _sip._tcp.x.example, A a.example", "10.1.0.1:5080/tcp"},
        {0, 0, 2, false, "a.example", "", "SRV _sip._tcp.a.example, A a.example", "10.1.0.1:5060/tcp"},
        {2, 0, 3, true, "a.example", "", "SRV _sips._tcp.a.example, A a.example", "10.1.0.1:5061/tls"},
        // NAPTR: order before preference, transports that we have not are passed over
        {0, 0, 0, false, "x.example",
         "NAPTR x.example 60 20 1 s SIP+D2U _sip._udp.x.example\n"
         "NAPTR x.example 60 10 1 s SIPS+D2T _sips._tcp.x.example\n"
         "NAPTR x.example 60 10 2 s SIP+D2T _sip._tcp.y.example\n"
         "NAPTR x.example 60 5 2 u E2U+sip _sip._tcp.z.example\n"
         "SRV _sip._tcp.y.example 60 1 1 5080 a.example\nSRV _sip._udp.x.example 60 1 1 5090 b.example\n",
         "NAPTR x.example, SRV _sip._tcp.y.example, SRV _sip._udp.x.example, A a.example, A b.example",
         "10.1.0.1:5080/tcp 10.1.0.2:5090/udp 10.1.0.3:5090/udp"},
        // without NAPTR: SRV of each transport that may be used, the listener's own first
        {1, 0, 0, false, "x.example",
         "SRV _sip._udp.x.example 60 1 1 5090 b.example\nSRV _sip._tcp.x.example 60 7 1 5080 a.example\n",
         "NAPTR x.example, SRV _sip._tcp.x.example, SRV _sip._udp.x.example, A a.example, A b.example",
         "10.1.0.1:5080/tcp 10.1.0.2:5090/udp 10.1.0.3:5090/udp"},
        {0, 0, 0, true, "x.example", "SRV _sips._tcp.x.example 60 1 1 5061 a.example\n",
         "NAPTR x.example, SRV _sip._udp.x.example, SRV _sip._tcp.x.example, SRV _sips._tcp.x.example, A a.example",
         "10.1.0.1:5061/tls"},
        // in place of TLS nothing else is taken
        {2, 0, 0, true, "a.example", "SRV _sip._udp.a.example 60 1 1 5090 b.example\n",
         "NAPTR a.example, SRV _sips._tcp.a.example, A a.example", "10.1.0.1:5061/tls"},
        // neither: addresses
        {0, 0, 0, false, "b.example", "",
         "NAPTR b.example, SRV _sip._udp.b.example, SRV _sip._tcp.b.example, A b.example",
         "10.1.0.2:5060/udp 10.1.0.3:5060/udp"},
        // a server that fails at one question may know the others
        {0, 0, 0, false, "b.example", "NAPTR b.example ! x\nSRV _sip._udp.b.example - x\n",
         "NAPTR b.example, SRV _sip._udp.b.example, SRV _sip._tcp.b.example, A b.example",
         "10.1.0.2:5060/udp 10.1.0.3:5060/udp"},
        // "." is no service, and no addresses in its place
        {0, 0, 1, false, "a.example", "SRV _sip._udp.a.example 60 0 0 0 .\n", "SRV _sip._udp.a.example", ""},
        // SRV by priority; one address twice counts once; what has no address is left out; we are no peer
        {0, 0, 1, false, "x.example",
         "SRV _sip._udp.x.example 60 20 1 5060 a.example\nSRV _sip._udp.x.example 60 10 5 5060 b.example\n"
         "SRV _sip._udp.x.example 60 30 5 5060 b.example\nSRV _sip._udp.x.example 60 1 5 5060 none.example\n"
         "SRV _sip._udp.x.example 60 1 5 5060 we.example\nA we.example 60 10.0.0.1\n",
         "SRV _sip._udp.x.example, A a.example, A b.example, A none.example, A we.example",
         "10.1.0.2:5060/udp 10.1.0.3:5060/udp 10.1.0.1:5060/udp"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char zone[2000];
        struct tl_peer_config *peer = begin(rows[i].listener, rows[i].name);
        peer->port = rows[i].port;
        peer->over = rows[i].over;
        if (rows[i].over)
            peer->listener = rows[i].over - 1;
        config.trunks[0].tls.verify = rows[i].tls ? TL_TLS_VERIFY_OFF : TL_TLS_VERIFY_REQUIRED;
        snprintf(zone, sizeof zone, "%s%s", rows[i].zone, hosts);
        settle(zone, 1000);
        if (strcmp(asked, rows[i].asked) != 0 || strcmp(found(), rows[i].found) != 0)
            printf("   row %zu: %s\n   asked %s\n", i, found(), asked);
        CU_ASSERT_STRING_EQUAL(asked, rows[i].asked);
        CU_ASSERT_STRING_EQUAL(found(), rows[i].found);
        settle(zone, 2000);
        CU_ASSERT_STRING_EQUAL(asked, ""); // all of it is known
    }
}

static void answers_are_kept_for_their_time(void)
{
    static const char old[] = "A a.example 100 10.1.0.1\n", new[] = "A a.example 100 10.1.0.7\n",
                      gone[] = "A b.example 60 10.1.0.2\n", down[] = "A a.example ! x\n";

    begin(0, "a.example")->port = 5060;
    CU_ASSERT(settle(old, 0) == NAME_FOUND && now_is.ttl_s == 100 && names_due(names) == 90000);
    settle(new, 89999);
    CU_ASSERT(!asked[0] && now_is.ttl_s == 11); // not yet
    CU_ASSERT(settle(new, 90000) == NAME_FOUND);
    CU_ASSERT_STRING_EQUAL(found(), "10.1.0.7:5060/udp"); // asked again before it was over
    // an outage: what was known goes on, and is asked for after 5, 10, 20, 40, 60 s
    CU_ASSERT(settle(down, 180000) == NAME_FOUND && names_due(names) == 185000);
    CU_ASSERT(settle(down, 185000) == NAME_FOUND && names_due(names) == 195000);
    CU_ASSERT(settle(down, 195000) == NAME_STALE && now_is.ttl_s == 0 && names_due(names) == 215000);
    settle(down, 215000);
    settle(down, 255000);
    CU_ASSERT(names_due(names) == 315000);
    CU_ASSERT_STRING_EQUAL(found(), "10.1.0.7:5060/udp");
    // ... for a day and no longer
    const uint64_t day = UINT64_C(190000) + NAMES_STALE_S * UINT64_C(1000);
    for (uint64_t at = 315000; at < day; at += 1800000)
        CU_ASSERT(settle(down, at) == NAME_STALE);
    CU_ASSERT(settle(down, day - 1) == NAME_STALE && settle(down, day + 60000) == NAME_FAILED);
    CU_ASSERT(now_is.count == 0);
    // a server is back, and says that the name is gone: it is
    CU_ASSERT(settle(old, day + 200000) == NAME_FOUND);
    CU_ASSERT(settle(gone, day + 290000) == NAME_NOTHING && now_is.count == 0);
    settle(old, day + 290000 + 53999);
    CU_ASSERT_STRING_EQUAL(asked, ""); // that there is none was good for 60 s
    CU_ASSERT(settle(old, day + 290000 + 54000) == NAME_FOUND);
    CU_ASSERT(names_counters(names)->nothing == 1 && names_counters(names)->failed >= 7);
}

static void times_are_bounded(void)
{
    begin(0, "a.example")->port = 5060;
    settle("A a.example 0 10.1.0.1\n", 0);
    CU_ASSERT(now_is.ttl_s == NAMES_TTL_MIN_S && names_due(names) == 4500);
    begin(0, "a.example")->port = 5060;
    settle("A a.example 2000000000 10.1.0.1\n", 0);
    CU_ASSERT(now_is.ttl_s == NAMES_TTL_MAX_S);
    // what is looked at seldom, because it holds long, is there all the same when it is due
    begin(0, "a.example")->port = 5060;
    CU_ASSERT(settle("A a.example 7200 10.1.0.1\n", 0) == NAME_FOUND && names_due(names) == 6480000);
    CU_ASSERT(settle("A a.example ! x\n", 6480000) == NAME_FOUND && now_is.ttl_s == 720);
    CU_ASSERT(settle("A a.example ! x\n", 7200000) == NAME_STALE && now_is.count == 1);
    // what nobody looks at is forgotten
    begin(0, "a.example")->port = 5060;
    settle("A a.example 2000000000 10.1.0.1\n", 0);
    struct tl_peer_config *peer = &config.trunks[0].peers[0];
    strcpy(peer->name, "b.example");
    settle(hosts, NAMES_FORGET_S * UINT64_C(1000) + 1);
    strcpy(peer->name, "a.example");
    settle("A a.example 60 10.1.0.9\n", NAMES_FORGET_S * UINT64_C(1000) + 2);
    CU_ASSERT_STRING_EQUAL(asked, "A a.example");
}

// Why an answer was not believed is counted, each once.
static void faults_are_counted(void)
{
    static const enum dns_fault faults[] = {DNS_MALFORMED, DNS_OTHER, DNS_LOOP, DNS_LOOP};
    char name[DNS_NAME_MAX];
    enum dns_type type;
    uint64_t now = 0;

    struct tl_peer_config *peer = begin(0, "x.example");
    peer->port = 5060;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++, now += 61000) {
        const struct dns_answer bad = {.status = DNS_BROKEN, .fault = faults[i]};
        names_of(names, &config, &config.trunks[0], peer, now, &now_is);
        CU_ASSERT_FATAL(names_question(names, name, &type));
        names_answer(names, name, type, &bad, now);
    }
    const struct names_counters *n = names_counters(names);
    CU_ASSERT(n->asked == 4 && n->broken == 4 && n->other == 1 && n->loops == 2 && n->failed == 0);
}

// An answer with more records than are looked at; more targets than a trunk has; more questions than may be on their way.
static void amounts_are_bounded(void)
{
    static struct dns_answer many = {.status = DNS_FOUND, .ttl_s = 60, .count = DNS_RECORDS_MAX, .cut = true};
    char name[DNS_NAME_MAX], target[40];
    enum dns_type type;
    unsigned n = 0;

    struct tl_peer_config *peer = begin(0, "x.example");
    peer->over = 1;
    for (unsigned i = 0; i < DNS_RECORDS_MAX; i++) {
        many.record[i] = (struct dns_record){.priority = 1, .weight = 1, .port = 5060};
        snprintf(target, sizeof target, "h%u.example", i);
        strcpy(many.record[i].name, target);
    }
    names_of(names, &config, &config.trunks[0], peer, 0, &now_is);
    CU_ASSERT(now_is.state == NAME_NEW && names_question(names, name, &type));
    names_answer(names, "y.example", type, &many, 0); // nobody has asked that
    names_answer(names, name, DNS_A, &many, 0);
    names_of(names, &config, &config.trunks[0], peer, 0, &now_is);
    CU_ASSERT(now_is.state == NAME_NEW && !names_question(names, name, &type));
    many.foreign = 3;
    names_answer(names, name, DNS_SRV, &many, 0);
    CU_ASSERT(names_counters(names)->cut == 1 && names_counters(names)->foreign == 3);
    names_of(names, &config, &config.trunks[0], peer, 0, &now_is);
    for (unsigned i = 0; i < DNS_RECORDS_MAX; i++) {
        struct dns_answer one = {.status = DNS_FOUND, .ttl_s = 60, .count = 2};
        CU_ASSERT_FATAL(names_question(names, name, &type) && type == DNS_A);
        for (unsigned k = 0; k < 2; k++)
            one.record[k].addr =
                (struct tl_addr){.family = TL_AF_INET, .ip = {10, 1, (uint8_t)i, (uint8_t)(k + 1)}};
        names_answer(names, name, type, &one, 0);
    }
    names_of(names, &config, &config.trunks[0], peer, 0, &now_is);
    CU_ASSERT(now_is.state == NAME_FOUND && now_is.count == TRUNK_TARGETS_MAX);
    for (unsigned i = 0; i < 2 * NAMES_ASKING_MAX; i++) {
        snprintf(peer->name, sizeof peer->name, "n%u.example", i);
        names_of(names, &config, &config.trunks[0], peer, 0, &now_is);
    }
    while (names_question(names, name, &type))
        n++;
    CU_ASSERT(n == NAMES_ASKING_MAX);
    names_answer(names, name, type, &(struct dns_answer){.status = DNS_NOTHING}, 0);
    CU_ASSERT(names_question(names, name, &type)); // the next one, as one is through
}

static unsigned moved;

static void note_move(void *arg, struct trunk *trunk, bool has_moved,
                      const enum name_state before[static TL_PEERS_MAX])
{
    (void)arg;
    (void)trunk;
    (void)before;
    moved += has_moved;
}

// What a name stands for becomes the trunk's targets and the sources of its requests; the configuration of others comes first.
static void trunks_follow_their_names(void)
{
    struct trunk_table table;
    struct dns_answer answer = {.status = DNS_FOUND, .ttl_s = 60, .count = 2};
    char name[DNS_NAME_MAX];
    enum dns_type type;

    begin(0, "a.example")->port = 5060;
    config.trunk_count = 2;
    config.trunks[1] = (struct tl_trunk_config){
        .name = "u", .number = 2, .peer = {.family = TL_AF_INET, .ip = {10, 1, 0, 2}, .port = 5060}};
    config.trunks[0].options_interval_s = 30;
    config.trunks[0].options_failures = 1;
    CU_ASSERT_FATAL(trunk_table_init(&table, &config, 0) == 0);
    struct trunk *t = table.now->trunks[0];
    CU_ASSERT(t->unresolved && t->down && t->target_count == 0 && trunk_table_due(&table) == TRUNK_NEVER);
    CU_ASSERT_STRING_EQUAL(trunk_state_word(t), "unresolved");
    CU_ASSERT_FATAL(names_question(table.names, name, &type));
    answer.record[0].addr = (struct tl_addr){.family = TL_AF_INET, .ip = {10, 1, 0, 1}};
    answer.record[1].addr = (struct tl_addr){.family = TL_AF_INET, .ip = {10, 1, 0, 2}}; // which is u's
    names_answer(table.names, name, type, &answer, 1000);
    moved = 0;
    trunk_table_resolve(&table, 1000, note_move, NULL);
    CU_ASSERT(moved == 1 && !t->down && t->target_count == 2 && trunk_table_due(&table) == 1000);
    struct tl_addr one = answer.record[0].addr, two = answer.record[1].addr;
    CU_ASSERT(trunk_identify(&table, 0, &one, 0, NULL, NULL) == t && trunk_is_peer(&table, &one));
    CU_ASSERT(trunk_identify(&table, 0, &two, 0, NULL, NULL) == table.now->trunks[1]);
    trunk_table_resolve(&table, 2000, note_move, NULL);
    CU_ASSERT(moved == 1); // nothing new
    // another address: the old one is a stranger's
    t->targets[1].down = true;
    trunk_table_resolve(&table, 55000, note_move, NULL);
    CU_ASSERT_FATAL(names_question(table.names, name, &type));
    answer.record[0].addr.ip[3] = 9;
    names_answer(table.names, name, type, &answer, 55000);
    trunk_table_resolve(&table, 55000, note_move, NULL);
    CU_ASSERT(moved == 2 && trunk_identify(&table, 0, &one, 0, NULL, NULL) == NULL &&
              !trunk_is_peer(&table, &one));
    CU_ASSERT(t->target_count == 2 && t->targets[0].down &&
              !t->targets[1].down); // health goes with the address
    // a reload has what is known at once
    struct tl_config *next = malloc(sizeof *next);
    CU_ASSERT_FATAL(next != NULL);
    memcpy(next, &config, sizeof *next);
    CU_ASSERT_FATAL(trunk_table_reload(&table, next, 56000) == 0);
    CU_ASSERT(t->target_count == 2 && t->targets[0].down && !t->unresolved);
    one.ip[3] = 9;
    CU_ASSERT(trunk_identify(&table, 0, &one, 0, NULL, NULL) == t);
    trunk_table_fini(&table);
}

// One question of the table's names, answered with one record. What was asked, or "".
static const char *answer_one(struct trunk_table *table, const struct dns_record *record, uint64_t now)
{
    static char name[DNS_NAME_MAX];
    struct dns_answer answer = {.status = record ? DNS_FOUND : DNS_FAILED,
                                .ttl_s = record && record->name[0] ? 10 : 1000,
                                .count = record != NULL};
    enum dns_type type;

    trunk_table_resolve(table, now, note_move, NULL);
    if (!names_question(table->names, name, &type))
        return "";
    if (record)
        answer.record[0] = *record;
    names_answer(table->names, name, type, &answer, now);
    trunk_table_resolve(table, now, note_move, NULL);
    return name;
}

// An SRV that leads to another host: until the host's address is known, requests go on to where they went, and so long only.
static void a_trunk_stays_while_its_name_moves(void)
{
    struct dns_record to_a = {.port = 5060, .name = "a.example"}, to_b = {.port = 5060, .name = "b.example"};
    struct dns_record a = {.addr = {.family = TL_AF_INET, .ip = {10, 1, 0, 1}}},
                      b = {.addr = {.family = TL_AF_INET, .ip = {10, 1, 0, 2}}};

    for (unsigned answered = 0; answered < 2; answered++) {
        struct trunk_table table;
        begin(0, "x.example")->over = 1;
        CU_ASSERT_FATAL(trunk_table_init(&table, &config, 0) == 0);
        struct trunk *t = table.now->trunks[0];
        moved = 0;
        CU_ASSERT_STRING_EQUAL(answer_one(&table, &to_a, 0), "_sip._udp.x.example");
        CU_ASSERT_STRING_EQUAL(answer_one(&table, &a, 0), "a.example");
        CU_ASSERT(moved == 1 && t->target_count == 1 && !t->unresolved);
        CU_ASSERT_STRING_EQUAL(answer_one(&table, &to_b, 9000), "_sip._udp.x.example");
        CU_ASSERT(moved == 1 && t->target_count == 1 && !t->unresolved && !t->down);
        struct tl_config *next = malloc(sizeof *next); // the same file is read again meanwhile
        CU_ASSERT_FATAL(next != NULL);
        memcpy(next, &config, sizeof *next);
        CU_ASSERT_FATAL(trunk_table_reload(&table, next, 9050) == 0);
        CU_ASSERT(t->target_count == 1 && !t->unresolved && !t->down);
        CU_ASSERT(trunk_identify(&table, 0, &a.addr, 0, NULL, NULL) == t);
        CU_ASSERT_STRING_EQUAL(answer_one(&table, answered ? &b : NULL, 9100), "b.example");
        CU_ASSERT(moved == 2 && t->unresolved == !answered && t->target_count == answered);
        CU_ASSERT(!answered || t->targets[0].addr.ip[3] == 2);
        trunk_table_fini(&table);
    }
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"questions_follow_the_rfc", questions_follow_the_rfc},
        {"answers_are_kept_for_their_time", answers_are_kept_for_their_time},
        {"times_are_bounded", times_are_bounded},
        {"faults_are_counted", faults_are_counted},
        {"amounts_are_bounded", amounts_are_bounded},
        {"trunks_follow_their_names", trunks_follow_their_names},
        {"a_trunk_stays_while_its_name_moves", a_trunk_stays_while_its_name_moves},
    };
    int rc = test_main("names", TEST_CASES(cases), argc, argv);
    names_free(names);
    return rc;
}
