// SPDX-License-Identifier: BSD-3-Clause
// Dialogs: what a request inside one is made of (RFC 3261 section 12), and where it goes.
#include "sip_fixture.h"

#include "common/addr.h"
#include "control/base/record.h"
#include "control/sip/dialog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fix fix;

static struct sip_msg *message(const char *text)
{
    static char bytes[4096];
    struct sip_head head;
    struct sip_shape shape;
    size_t len = 0;
    for (const char *p = text; *p; p++) {
        if (*p == '\n')
            bytes[len++] = '\r';
        bytes[len++] = *p;
    }
    sip_read(bytes, len, &head);
    CU_ASSERT_FATAL(sip_filter(&head, false, &shape));
    struct sip_msg *msg = sip_msg_new(&head, &shape);
    CU_ASSERT_FATAL(msg != NULL);
    return msg;
}

static struct sip_msg *invite(const char *extra)
{
    char text[2048];
    snprintf(text, sizeof text,
             "INVITE sip:us@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: \"F\" "
             "<sip:them@h>;tag=their\n"
             "To: <sip:us@h>\nCall-ID: id\nCSeq: 10 INVITE\n%s\n",
             extra);
    return message(text);
}

static struct sip_msg *ok(const char *extra)
{
    char text[2048];
    snprintf(text, sizeof text,
             "SIP/2.0 200 OK\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:us@h>;tag=our\n"
             "To: <sip:them@h>;tag=their\nCall-ID: id\nCSeq: 10 INVITE\n%s\n",
             extra);
    return message(text);
}

static struct sip_flow flow_of(unsigned last, unsigned port)
{
    return sip_flow_to(
        fix.stack, 0,
        &(struct tl_addr){.family = TL_AF_INET, .port = (uint16_t)port, .ip = {192, 0, 2, (uint8_t)last}});
}

// Routes and target of both sides, with loose and strict routers.
static void route_sets(void)
{
    static const struct {
        const char *headers;
        bool uac;
        const char *uri, *routes; // expected, routes joined by '|'
        unsigned hop, port;       // last byte of the address, port
    } table[] = {
        {"Contact: <sip:c@192.0.2.5:5071>\n", false, "sip:c@192.0.2.5:5071", "", 5, 5071},
        {"Contact: sip:c@192.0.2.5;x=y\n", false, "sip:c@192.0.2.5", "", 5, 5060},
        {"Contact: <sip:c@host.example>\n", false, "sip:c@host.example", "", 10,
         5060}, // not an address: where it came from
        {"Contact: <sip:c@192.0.2.5>\nRecord-Route: <sip:192.0.2.6;lr>, <sip:192.0.2.7:5080;lr=on>\n", false,
         "sip:c@192.0.2.5", "<sip:192.0.2.6;lr>|<sip:192.0.2.7:5080;lr=on>", 6, 5060},
        {"Contact: <sip:c@192.0.2.5>\nRecord-Route: <sip:192.0.2.6;lr>, <sip:192.0.2.7:5080;lr=on>\n", true,
         "sip:c@192.0.2.5", "<sip:192.0.2.7:5080;lr=on>|<sip:192.0.2.6;lr>", 7, 5080},
        {"Contact: <sip:c@192.0.2.5>\nRecord-Route: <sip:192.0.2.6>\nRecord-Route: <sip:r;lr>\n", false,
         "sip:192.0.2.6", "<sip:r;lr>|<sip:c@192.0.2.5>", 6, 5060},
        {"Contact: <sip:user;x=1@192.0.2.5:5072;transport=udp>\n", true,
         "sip:user;x=1@192.0.2.5:5072;transport=udp", "", 5, 5072},
        {"Contact: <sip:c@192.0.2.256>\n", true, "sip:c@192.0.2.256", "", 10, 5060},
        {"Contact: <sip:PBX#1#5@192.0.2.5>\n", true, "sip:PBX#1#5@192.0.2.5", "", 5, 5060},
        {"Contact: <sip:a?b@192.0.2.5>\n", false, "sip:a?b@192.0.2.5", "", 5, 5060},
        {"Contact: <sip:c@192.0.2.5?Replaces=x>\n", false, "sip:c@192.0.2.5", "", 5, 5060},
        {"Contact: Doe, Jane <sip:c@192.0.2.5>, <sip:second@192.0.2.6>\n", false, "sip:c@192.0.2.5", "", 5,
         5060},
        {"m:\n\t<sip:c@192.0.2.5;maddr=192.0.2.8>\n", true, "sip:c@192.0.2.5;maddr=192.0.2.8", "", 8, 5060},
        {"Contact: <sip:c@host;maddr=192.0.2.8>\n", true, "sip:c@host;maddr=192.0.2.8", "", 8, 5060},
        {"Contact: <sip:c@192.0.2.5;maddr=host>\n", true, "sip:c@192.0.2.5;maddr=host", "", 10, 5060},
        // what the listener cannot reach: the peer
        {"Contact: <sip:c@192.0.2.5:5072;transport=tcp>\n", true, "sip:c@192.0.2.5:5072;transport=tcp", "",
         10, 5060},
        {"Contact: <sip:c@[2001:db8::5]:5072>\n", true, "sip:c@[2001:db8::5]:5072", "", 10, 5060},
        {"Contact: <sip:c@0.0.0.0:5072>\n", true, "sip:c@0.0.0.0:5072", "", 10, 5060},
        {"Contact: <sip:c@192.0.2.5>\nRecord-Route: <sip:proxy.example;lr>\n", true, "sip:c@192.0.2.5",
         "<sip:proxy.example;lr>", 10, 5060},
        {"Contact: <sip:c@192.0.2.5x>\n", true, "sip:c@192.0.2.5x", "", 10, 5060},
    };
    fix_open(&fix);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sip_msg *m = table[i].uac ? ok(table[i].headers) : invite(table[i].headers);
        struct sip_dialog d;
        struct sip_flow flow = flow_of(10, 5060);
        int err = table[i].uac ? sip_dialog_uac(&d, m, &flow) : sip_dialog_uas(&d, m, &flow, "our");
        CU_ASSERT_FATAL(err == 0);
        struct sip_request r;
        sip_dialog_request(&d, SIP_BYE, &r);
        char routes[512] = "";
        for (unsigned k = 0; k < r.route_count; k++)
            snprintf(routes + strlen(routes), sizeof routes - strlen(routes), "%s%s", k ? "|" : "",
                     r.routes[k]);
        CU_ASSERT_STRING_EQUAL(r.uri, table[i].uri);
        CU_ASSERT_STRING_EQUAL(routes, table[i].routes);
        struct sip_flow hop = sip_dialog_next_hop(&d);
        CU_ASSERT(hop.remote.ip[3] == table[i].hop && hop.remote.port == table[i].port);
        CU_ASSERT_STRING_EQUAL(r.call_id, "id");
        CU_ASSERT_STRING_EQUAL(r.from, table[i].uac ? "<sip:us@h>;tag=our" : "<sip:us@h>;tag=our");
        CU_ASSERT_STRING_EQUAL(r.to,
                               table[i].uac ? "<sip:them@h>;tag=their" : "\"F\" <sip:them@h>;tag=their");
        CU_ASSERT(r.cseq == (table[i].uac ? 11u : 1u));
        sip_dialog_fini(&d);
        sip_msg_free(m);
    }
    fix_close(&fix);
}

static void what_makes_no_dialog(void)
{
    char many[1024] = "Contact: <sip:c@h1>\n";
    for (unsigned i = 0; i < SIP_ROUTES_MAX; i++)
        strcat(many, "Record-Route: <sip:r;lr>\n");
    const char *const table[] = {"", "Contact: *\n", many,
                                 // nothing that could be called
                                 "Contact: <sip:c@192.0.2.5:0>\n", "Contact: <sip:c@192.0.2.5:66000>\n",
                                 "Contact: <tel:+1555>\n", "Contact: <sips:c@192.0.2.5>\n",
                                 "Contact: <mailto:c@h>\n", "Contact: <sip:c@>\n",
                                 "Contact: <sip:a b@192.0.2.5>\n", "Contact: <c@192.0.2.5>\n"};
    fix_open(&fix);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sip_dialog d;
        struct sip_msg *m = invite(table[i]);
        struct sip_flow flow = flow_of(10, 5060);
        CU_ASSERT(sip_dialog_uas(&d, m, &flow, "our") == -EINVAL);
        CU_ASSERT(d.target == NULL && d.route_count == 0);
        sip_dialog_fini(&d); // harmless
        sip_msg_free(m);
    }
    fix_close(&fix);
}

// CSeq of theirs must rise, ours rises with every request but ACK; the target follows Contact, also behind a
// strict router.
static void sequence_and_target(void)
{
    fix_open(&fix);
    struct sip_dialog d;
    struct sip_request r;
    struct sip_flow flow = flow_of(10, 5060);
    struct sip_msg *m = invite("Contact: <sip:c@192.0.2.5>\nRecord-Route: <sip:192.0.2.6>\n");
    CU_ASSERT_FATAL(sip_dialog_uas(&d, m, &flow, "our") == 0);
    CU_ASSERT(sip_dialog_take_cseq(&d, m) == -ESTALE); // the INVITE's own number
    CU_ASSERT(!sip_dialog_matches(&d, m));             // it has no To tag
    sip_msg_free(m);

    m = message(
        "BYE sip:us@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK2\nFrom: <sip:them@h>;tag=their\n"
        "To: <sip:us@h>;tag=our\nCall-ID: id\nCSeq: 11 BYE\nContact: <sip:new@192.0.2.9>\n\n");
    CU_ASSERT(sip_dialog_matches(&d, m));
    CU_ASSERT(sip_dialog_take_cseq(&d, m) == 0);
    CU_ASSERT(sip_dialog_take_cseq(&d, m) == -ESTALE);
    CU_ASSERT(sip_dialog_retarget(&d, m) == 0);
    sip_msg_free(m);
    sip_dialog_request(&d, SIP_INVITE, &r);
    CU_ASSERT(r.cseq == 1);
    sip_dialog_request(&d, SIP_ACK, &r);
    CU_ASSERT(r.cseq == 1);
    sip_dialog_request(&d, SIP_BYE, &r);
    CU_ASSERT(r.cseq == 2);
    CU_ASSERT_STRING_EQUAL(r.uri, "sip:192.0.2.6");
    CU_ASSERT(r.route_count == 1);
    CU_ASSERT_STRING_EQUAL(r.routes[0], "<sip:new@192.0.2.9>");

    static const char *const others[] = {
        "From: <sip:them@h>;tag=other\nTo: <sip:us@h>;tag=our\nCall-ID: id\n",
        "From: <sip:them@h>;tag=their\nTo: <sip:us@h>;tag=other\nCall-ID: id\n",
        "From: <sip:them@h>;tag=their\nTo: <sip:us@h>;tag=our\nCall-ID: ID\n",
        "From: <sip:them@h>\nTo: <sip:us@h>;tag=our\nCall-ID: id\n",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "BYE sip:us@h SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK2\n%sCSeq: 12 BYE\n\n", others[i]);
        m = message(text);
        CU_ASSERT(!sip_dialog_matches(&d, m));
        sip_msg_free(m);
    }
    sip_dialog_fini(&d);
    fix_close(&fix);
}

// Where requests go over TCP when the connection that a dialog began on is open, or is not any more.
static void connections(void)
{
    static const struct {
        const char *contact;
        bool accepted;                 // the dialog began on a connection that the peer made
        unsigned host, port;           // where to
        bool same;                     // on the dialog's connection
        unsigned gone_host, gone_port; // where to when that has gone
    } table[] = {
        {"<sip:c@host.example;transport=tcp>", true, 10, 40001, true, 10, 5060},
        {"<sip:c@host.example;transport=tcp>", false, 10, 5060, true, 10, 5060},
        {"<sip:c@192.0.2.10:5060;transport=tcp>", true, 10, 5060, false, 10, 5060},
        {"<sip:c@192.0.2.10:40001;transport=tcp>", true, 10, 40001, true, 10, 5060},
        {"<sip:c@192.0.2.10:5060>", false, 10, 5060, true, 10, 5060},
        {"<sip:c@192.0.2.11:5070;transport=TCP>", true, 11, 5070, false, 11, 5070},
        {"<sip:c@192.0.2.11:5070;transport=udp>", true, 10, 40001, true, 10, 5060},
    };
    fix_open(&fix);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct tl_addr peer = flow_of(10, 5060).remote;
        struct sip_flow flow = sip_flow_to(fix.stack, 1, &peer);
        char header[128];
        snprintf(header, sizeof header, "Contact: %s\n", table[i].contact);
        struct sip_msg *m = table[i].accepted ? invite(header) : ok(header);
        struct sip_dialog d;
        flow.conn = 3;
        flow.conn_generation = 7;
        if (table[i].accepted)
            flow.remote.port = 40001;
        CU_ASSERT_FATAL(
            (table[i].accepted ? sip_dialog_uas(&d, m, &flow, "our") : sip_dialog_uac(&d, m, &flow)) == 0);
        struct sip_flow hop = sip_dialog_next_hop(&d);
        bool good = hop.remote.ip[3] == table[i].host && hop.remote.port == table[i].port &&
                    (hop.conn_generation == 7) == table[i].same;
        // the connection has gone: what the transport says of it makes the stack take another
        struct sip_request r;
        sip_dialog_request(&d, SIP_BYE, &r);
        fix.gone_generation = 7;
        fix_forget(&fix);
        CU_ASSERT(sip_request(fix.stack, &hop, &r, NULL, NULL) == 0);
        good = good && fix.sent_count == 1 && fix.sent[0].flow.remote.ip[3] == table[i].gone_host &&
               fix.sent[0].flow.remote.port == table[i].gone_port && fix.sent[0].flow.conn_generation != 7;
        fix.gone_generation = 0;
        CU_ASSERT(good);
        if (!good)
            printf("     row %zu: %s\n", i, table[i].contact);
        sip_dialog_fini(&d);
        sip_msg_free(m);
    }
    fix_drop(&fix);
}

// RFC 5630 5.1: in a dialog that is sips: routes are, too, and a sip: Contact is no target.
static void secure_dialogs(void)
{
    static const struct {
        const char *contact, *again, *target, *route;
    } table[] = {
        {"<sips:c@192.0.2.5>", "<sips:d@192.0.2.5>", "sips:d@192.0.2.5", "\"P\" <sips:p;lr>;x=y"},
        {"<sips:c@192.0.2.5>", "<sip:d@192.0.2.5;transport=tls>", "sips:c@192.0.2.5",
         "\"P\" <sips:p;lr>;x=y"},
        {"<sip:c@192.0.2.5>", "<sips:d@192.0.2.5>", "sips:d@192.0.2.5", "\"P\" <sip:p;lr>;x=y"},
    };
    fix_open(&fix);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sip_flow flow = flow_of(10, 5061);
        struct sip_dialog d;
        char headers[256];
        flow.transport = TL_TLS;
        snprintf(headers, sizeof headers, "Contact: %s\nRecord-Route: \"P\" <sip:p;lr>;x=y\n",
                 table[i].contact);
        struct sip_msg *m = invite(headers);
        CU_ASSERT_FATAL(sip_dialog_uas(&d, m, &flow, "our") == 0);
        CU_ASSERT_STRING_EQUAL(d.routes[0], table[i].route);
        sip_msg_free(m);
        snprintf(headers, sizeof headers, "Contact: %s\n", table[i].again);
        m = invite(headers);
        CU_ASSERT(sip_dialog_retarget(&d, m) == 0);
        CU_ASSERT_STRING_EQUAL(d.target, table[i].target);
        sip_msg_free(m);
        sip_dialog_fini(&d);
    }
    fix_close(&fix);
}

// Over UDP a name says nothing either: then the configured address counts, not the port that it came from.
static void names_over_udp(void)
{
    fix_open(&fix);
    struct sip_dialog d;
    struct tl_addr peer = flow_of(10, 5060).remote;
    struct sip_flow flow = flow_of(10, 40001);
    flow.peer = peer;
    struct sip_msg *m = invite("Contact: <sip:c@gw.example.com>\n");
    CU_ASSERT_FATAL(sip_dialog_uas(&d, m, &flow, "our") == 0);
    struct sip_flow hop = sip_dialog_next_hop(&d);
    CU_ASSERT(tl_addr_equal(&hop.remote, &peer));
    sip_dialog_fini(&d);
    sip_msg_free(m);
    fix_close(&fix);
}

// Who may send requests in a dialog, and which connection ours take after that.
static void whose_requests(void)
{
    static const struct {
        bool peer_known;
        unsigned from, host; // last byte of what the dialog began with, and of the request's source
        bool taken;
    } table[] = {
        {true, 10, 10, true},  {true, 10, 77, false}, {true, 11, 10, true},
        {true, 11, 11, false}, {false, 10, 10, true}, {false, 10, 77, false},
    };
    fix_open(&fix);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sip_dialog d;
        struct sip_flow flow = flow_of(table[i].from, 40001), request = flow_of(table[i].host, 40002);
        struct sip_msg *m = invite("Contact: <sip:c@host>\n");
        flow.peer = table[i].peer_known ? flow_of(10, 5060).remote : (struct tl_addr){0};
        CU_ASSERT_FATAL(sip_dialog_uas(&d, m, &flow, "our") == 0);
        CU_ASSERT(sip_dialog_from_peer(&d, &request) == table[i].taken);
        request.conn = 5;
        request.conn_generation = 9;
        sip_dialog_follow(&d, &request);
        struct sip_flow hop = sip_dialog_next_hop(&d);
        CU_ASSERT(hop.conn == 5 && hop.conn_generation == 9 && hop.remote.port == 40002);
        CU_ASSERT(tl_addr_equal(&hop.peer, &flow.peer));
        request.listener = 1; // another listener's connection is nothing to ours
        request.conn_generation = 10;
        sip_dialog_follow(&d, &request);
        CU_ASSERT(d.flow.conn_generation == 9);
        sip_dialog_fini(&d);
        sip_msg_free(m);
    }
    fix_close(&fix);
}

static bool same_text(const char *x, const char *y)
{
    return x && y ? strcmp(x, y) == 0 : x == y;
}

static void same_dialog(const struct sip_dialog *x, const struct sip_dialog *y)
{
    CU_ASSERT(x->flow.listener == y->flow.listener && x->flow.transport == y->flow.transport);
    CU_ASSERT(tl_addr_equal(&x->flow.local, &y->flow.local) &&
              tl_addr_equal(&x->flow.remote, &y->flow.remote));
    CU_ASSERT(tl_addr_equal(&x->flow.peer, &y->flow.peer));
    CU_ASSERT(y->flow.conn == 0 && y->flow.conn_generation == 0); // a connection does not outlive the process
    CU_ASSERT(same_text(x->local, y->local) && same_text(x->remote, y->remote));
    CU_ASSERT(sip_str_equal(x->local_tag, y->local_tag) && sip_str_equal(x->remote_tag, y->remote_tag));
    CU_ASSERT(y->local_tag.p > y->local && y->remote_tag.p > y->remote); // inside of its own texts
    CU_ASSERT(same_text(x->call_id, y->call_id) && same_text(x->target, y->target));
    CU_ASSERT(same_text(x->strict, y->strict) && x->route_count == y->route_count);
    for (unsigned i = 0; i < x->route_count && i < y->route_count; i++)
        CU_ASSERT(same_text(x->routes[i], y->routes[i]));
    CU_ASSERT(x->local_cseq == y->local_cseq && x->remote_cseq == y->remote_cseq);
}

static size_t saved(const struct sip_dialog *d, char *out, size_t cap)
{
    struct record_writer w;
    record_writer_init(&w, out, cap);
    record_begin(&w, "call", 1);
    sip_dialog_save(d, &fix.config, &w);
    record_end(&w);
    int len = record_finish(&w);
    CU_ASSERT_FATAL(len > 0);
    return (size_t)len;
}

static int loaded(struct sip_dialog *d, const char *text, size_t len)
{
    struct record r;
    CU_ASSERT_FATAL(record_open(&r, text, len, "call") == 0);
    return sip_dialog_load(d, &fix.config, &r);
}

// Every field comes back, and what was read is written as it was.
static void saved_and_loaded(void)
{
    static const char *const headers[] = {
        "Contact: <sip:PBX#1%23 @192.0.2.5;x={y}>\n",
        "Contact: <sip:c%23a?b@host.example;transport=tcp>\n",
        "Contact: <sip:c@192.0.2.5>\nRecord-Route: <sip:192.0.2.6>, \"x\" <sip:r;lr>;y=\"{}%\"\n",
        "Contact: <sip:c@h>\nRecord-Route: <sip:r1;lr>,<sip:r2;lr>,<sip:r3;lr>,<sip:r4;lr>,<sip:r5;lr>,<sip:r6;lr>,"
        "<sip:r7;lr>,<sip:r8;lr>,<sip:r9;lr>,<sip:r10;lr>,<sip:r11;lr>,<sip:r12;lr>,<sip:r13;lr>,<sip:r14;lr>,<sip:r15>\n",
    };
    fix_open(&fix);
    for (size_t i = 1; i < 2 * sizeof headers / sizeof *headers; i++) {
        bool uac = i % 2;
        struct sip_msg *m = uac ? ok(headers[i / 2]) : invite(headers[i / 2]);
        struct sip_dialog d, back, again;
        struct sip_flow flow = flow_of(10, 5060);
        char text[16384], twice[16384];
        flow.listener = i & 1;
        flow.transport = fix.config.listeners[flow.listener].transport;
        flow.conn = 3;
        flow.conn_generation = 4;
        if (i % 3 == 0)
            flow.peer = (struct tl_addr){0};
        int err = uac ? sip_dialog_uac(&d, m, &flow) : sip_dialog_uas(&d, m, &flow, "our");
        sip_msg_free(m);
        if (i < 2) { // a space: no URI, and nothing to save
            CU_ASSERT(err == -EINVAL);
            continue;
        }
        CU_ASSERT_FATAL(err == 0);
        d.remote_cseq = INT32_MAX;
        size_t len = saved(&d, text, sizeof text);
        CU_ASSERT(loaded(&back, text, len) == 0);
        same_dialog(&d, &back);
        CU_ASSERT(saved(&back, twice, sizeof twice) == len && memcmp(text, twice, len) == 0);
        // without any one line it is no dialog, or one that lacks what need not be there
        for (char *line = text; (size_t)(line - text) < len;) {
            size_t n = strcspn(line, "\n") + 1;
            bool inside = !memchr(line, '{', n) && line[0] != '}';
            bool optional = strncmp(line, "peer ", 5) == 0 || strncmp(line, "strict ", 7) == 0 ||
                            strncmp(line, "route_", 6) == 0;
            if (inside) {
                size_t before = (size_t)(line - text);
                memcpy(twice, text, before);
                memcpy(twice + before, line + n, len - before - n);
                err = loaded(&again, twice, len - n);
                CU_ASSERT(optional || err == -EINVAL);
                CU_ASSERT(err == 0 || (again.local == NULL && again.route_count == 0));
                sip_dialog_fini(&again);
            }
            line += n;
        }
        snprintf(fix.config.listeners[0].name, TL_NAME_MAX, "renamed");
        snprintf(fix.config.listeners[1].name, TL_NAME_MAX, "renamed too");
        CU_ASSERT(loaded(&again, text, len) == -ENOENT && again.target == NULL);
        snprintf(fix.config.listeners[0].name, TL_NAME_MAX, "udp");
        snprintf(fix.config.listeners[1].name, TL_NAME_MAX, "tcp");
        sip_dialog_fini(&back);
        sip_dialog_fini(&d);
    }
    fix_close(&fix);
}

static void what_is_no_saved_dialog(void)
{
    static const char *const texts[] = {
        "call 1 {\n}\n",
        "call 1 {\ndialog 1 {\n}\n}\n",
        "call 1 {\ndialog 2 {\nlistener udp\nremote 192.0.2.1:5060\nlocal_name a\nremote_name b\ncall_id c\n"
        "target d\nlocal_cseq 1\nremote_cseq 1\n}\n}\n",
        "call 1 {\ndialog 1 {\nlistener udp\nremote 192.0.2.1:70000\nlocal_name a\nremote_name b\ncall_id c\n"
        "target d\nlocal_cseq 1\nremote_cseq 1\n}\n}\n",
        "call 1 {\ndialog 1 {\nlistener udp\nremote 192.0.2.1:5060\nlocal_name a\nremote_name b\ncall_id c\n"
        "target d\nlocal_cseq 2147483648\nremote_cseq 1\n}\n}\n",
        "call 1 {\ndialog 1 {\nlistener udp\nremote 192.0.2.1:5060\nlocal_name a\nremote_name b\ncall_id c\n"
        "target d\nstrict s\nlocal_cseq 1\nremote_cseq 1\n}\n}\n",
    };
    fix_open(&fix);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct sip_dialog d;
        bool good = loaded(&d, texts[i], strlen(texts[i])) == -EINVAL && d.local == NULL;
        CU_ASSERT(good);
        if (!good)
            printf("     row %zu\n", i);
        sip_dialog_fini(&d);
    }
    fix_close(&fix);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"route_sets", route_sets},
        {"what_makes_no_dialog", what_makes_no_dialog},
        {"sequence_and_target", sequence_and_target},
        {"connections", connections},
        {"secure_dialogs", secure_dialogs},
        {"names_over_udp", names_over_udp},
        {"whose_requests", whose_requests},
        {"saved_and_loaded", saved_and_loaded},
        {"what_is_no_saved_dialog", what_is_no_saved_dialog},
    };
    return test_main("sip_dialog", TEST_CASES(cases), argc, argv);
}
