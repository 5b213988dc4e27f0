// SPDX-License-Identifier: BSD-3-Clause
// RFC 4475: what becomes of each of its messages over UDP, TCP and TLS. docs/testing.md has the table for people, which has to be
// the one here.
#include "control/sip/stream.h"
#include "sip_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TAKEN = 0,    // handed to the stack's user
    DROPPED = -1, // and counted
    CLOSED = -2,  // over a stream: where the next message begins is not known
    WAITING = -3, // over a stream: it is not whole
};

static const struct row {
    const char *name, *section;
    int udp, stream;         // outcome or status
    enum sip_reject counted; // over UDP, of what is not taken
    const char *why;
} table[] = {
    {"wsinv", "3.1.1.1", TAKEN, TAKEN, SIP_REJECT_COUNT,
     "white space, folding and compact names of every kind"},
    {"intmeth", "3.1.1.2", 400, 400, SIP_REJECT_line,
     "NUL, BEL and DEL behind backslashes in From's quoted string, which RFC 3261 25.1 allows (quoted-pair). Refused with intent: osip and all that writes headers work on C strings, where a NUL would end the value early and one reader would see another caller than the next. Nothing is lost: its method is unknown, so taken it would be answered 405, and no gateway sends such names; `%00` in a user part (`escnull`) is taken"},
    {"esc01", "3.1.1.3", TAKEN, TAKEN, SIP_REJECT_COUNT, "valid"},
    {"escnull", "3.1.1.4", TAKEN, TAKEN, SIP_REJECT_COUNT, "valid"},
    {"esc02", "3.1.1.5", TAKEN, TAKEN, SIP_REJECT_COUNT, "valid"},
    {"lwsdisp", "3.1.1.6", TAKEN, TAKEN, SIP_REJECT_COUNT, "valid"},
    {"longreq", "3.1.1.7", TAKEN, TAKEN, SIP_REJECT_COUNT, "valid"},
    {"dblreq", "3.1.1.8", TAKEN, TAKEN, SIP_REJECT_COUNT,
     "the first of two; in a stream the other one is the next message"},
    {"semiuri", "3.1.1.9", TAKEN, TAKEN, SIP_REJECT_COUNT, "valid"},
    {"transports", "3.1.1.10", TAKEN, TAKEN, SIP_REJECT_COUNT, "valid"},
    {"mpart01", "3.1.1.11", TAKEN, TAKEN, SIP_REJECT_COUNT, "valid"},
    {"unreason", "3.1.1.12", DROPPED, DROPPED, SIP_REJECT_via, "a response to nothing of ours"},
    {"noreason", "3.1.1.13", DROPPED, DROPPED, SIP_REJECT_via, "likewise"},
    {"badinv01", "3.1.2.1", 400, 400, SIP_REJECT_syntax, "separators where none may be"},
    {"clerr", "3.1.2.2", 400, WAITING, SIP_REJECT_length,
     "Content-Length larger than the datagram; over a stream the rest is waited for"},
    {"ncl", "3.1.2.3", 400, CLOSED, SIP_REJECT_number,
     "negative Content-Length; where the next message begins nobody knows"},
    {"scalar02", "3.1.2.4", 400, 400, SIP_REJECT_number, "numbers out of range"},
    {"scalarlg", "3.1.2.5", DROPPED, DROPPED, SIP_REJECT_number, "a response with such numbers"},
    {"quotbal", "3.1.2.6", 400, 400, SIP_REJECT_syntax, "a quote without its end"},
    {"ltgtruri", "3.1.2.7", 400, 400, SIP_REJECT_syntax, "Request-URI in < >"},
    {"lwsruri", "3.1.2.8", 400, 400, SIP_REJECT_start_line, "spaces in the Request-URI"},
    {"lwsstart", "3.1.2.9", 400, 400, SIP_REJECT_start_line, "several spaces in the start line"},
    {"trws", "3.1.2.10", 400, 400, SIP_REJECT_start_line, "spaces behind the version"},
    {"escruri", "3.1.2.11", 400, 400, SIP_REJECT_syntax, "headers in the Request-URI"},
    {"baddate", "3.1.2.12", TAKEN, TAKEN, SIP_REJECT_COUNT, "nobody here reads Date"},
    {"regbadct", "3.1.2.13", 400, 400, SIP_REJECT_syntax, "Contact with ? outside of < >"},
    {"badaspec", "3.1.2.14", TAKEN, TAKEN, SIP_REJECT_COUNT, "spaces inside < > are left out"},
    {"baddn", "3.1.2.15", 400, WAITING, SIP_REJECT_line,
     "a display name that is no token; the stored copy has no empty line either"},
    {"badvers", "3.1.2.16", 505, 505, SIP_REJECT_version, "SIP/7.0"},
    {"mismatch01", "3.1.2.17", 400, 400, SIP_REJECT_required, "methods of start line and CSeq differ"},
    {"mismatch02", "3.1.2.18", 400, 400, SIP_REJECT_required, "likewise, unknown ones"},
    {"bigcode", "3.1.2.19", DROPPED, DROPPED, SIP_REJECT_number, "status 4294967301"},
    {"badbranch", "3.2.1", TAKEN, TAKEN, SIP_REJECT_COUNT,
     "a branch of nothing but the cookie: matched by the rule of RFC 2543"},
    {"insuf", "3.3.1", 400, 400, SIP_REJECT_required, "no Call-ID, From or To"},
    {"unkscm", "3.3.2", 416, 416, SIP_REJECT_scheme, "an unknown URI scheme"},
    {"novelsc", "3.3.3", 416, 416, SIP_REJECT_scheme, "a known scheme that is none of telephony"},
    {"unksm2", "3.3.4", TAKEN, TAKEN, SIP_REJECT_COUNT, "only To and From have it: they call nobody"},
    {"bext01", "3.3.5", 420, 420, SIP_REJECT_COUNT, "Require with options that nobody knows"},
    {"invut", "3.3.6", TAKEN, TAKEN, SIP_REJECT_COUNT, "an unknown body type: the user answers"},
    {"regaut01", "3.3.7", TAKEN, TAKEN, SIP_REJECT_COUNT, "we ask for no credentials"},
    {"multi01", "3.3.8", 400, 400, SIP_REJECT_required, "CSeq, Call-ID, To, From, Max-Forwards twice"},
    {"mcl01", "3.3.9", 400, CLOSED, SIP_REJECT_required,
     "Content-Length twice; over a stream the end of the message is not known"},
    {"bcast", "3.3.10", DROPPED, DROPPED, SIP_REJECT_via, "a response with another Via on top"},
    {"zeromf", "3.3.11", TAKEN, TAKEN, SIP_REJECT_COUNT, "Max-Forwards 0 is for the user, who answers 483"},
    {"cparam01", "3.3.12", TAKEN, TAKEN, SIP_REJECT_COUNT, "valid"},
    {"cparam02", "3.3.13", TAKEN, TAKEN, SIP_REJECT_COUNT, "valid"},
    {"regescrt", "3.3.14", TAKEN, TAKEN, SIP_REJECT_COUNT, "valid"},
    {"sdp01", "3.3.15", TAKEN, TAKEN, SIP_REJECT_COUNT, "the user answers 406 or 488"},
    {"inv2543", "3.4.1", TAKEN, TAKEN, SIP_REJECT_COUNT,
     "no branch, no Max-Forwards, no tag in From: RFC 2543"},
    {"test", "", DROPPED, DROPPED, SIP_REJECT_start_line, "no message of SIP at all"},
};

static struct fix fix;

// Hands the bytes on as that transport does. Returns what became of it.
static int outcome_of(const char *bytes, size_t len, enum tl_transport transport)
{
    struct sip_flow flow = sip_flow_to(fix.stack, transport == TL_UDP ? 0 : 1, &fix_peer);
    struct sip_stream stream = {0};
    char *p = malloc(len), *room; // of its very size: what reads on is seen
    size_t n = len, size;
    flow.transport = transport;
    memcpy(p, bytes, len);
    if (transport == TL_UDP) {
        sip_core_receive(fix.stack, &flow, p, n);
    } else {
        CU_ASSERT_FATAL(sip_stream_room(&stream, &room, &size) == 0);
        for (size_t at = 0; at < len; at += size) {
            CU_ASSERT_FATAL(sip_stream_room(&stream, &room, &size) == 0);
            size = size < len - at ? size : len - at;
            memcpy(room, bytes + at, size);
            sip_stream_filled(&stream, size);
        }
        char *message;
        enum sip_stream_result result;
        while ((result = sip_stream_next(&stream, &message, &n)) == SIP_STREAM_PING)
            ;
        if (result == SIP_STREAM_MESSAGE)
            sip_core_receive(fix.stack, &flow, message, n);
        sip_stream_fini(&stream);
        if (result != SIP_STREAM_MESSAGE) {
            free(p);
            return result == SIP_STREAM_BAD ? CLOSED : WAITING;
        }
    }
    free(p);
    if (fix_events(&fix, FIX_REQUEST))
        return TAKEN;
    return fix_count(&fix, 0, "SIP/2.0 ") ? atoi(fix.sent[0].text + 8) : DROPPED;
}

static void check(const struct row *row, const char *bytes, size_t len, enum tl_transport transport)
{
    fix_open(&fix);
    int outcome = outcome_of(bytes, len, transport), expected = transport == TL_UDP ? row->udp : row->stream;
    const struct sip_counters *c = sip_stack_counters(fix.stack);
    bool good = outcome == expected && fix_events(&fix, FIX_REQUEST) <= 1;
    if (transport == TL_UDP && outcome != TAKEN && row->counted < SIP_REJECT_COUNT)
        good = good && c->rejects[row->counted] == 1;
    CU_ASSERT(good);
    if (!good)
        printf("     %s over %s: %d\n", row->name, tl_transport_row(transport)->via, outcome);
    if (fix_events(&fix, FIX_REQUEST))
        CU_ASSERT(sip_respond(fix_event(&fix, FIX_REQUEST, 0)->txn, &(struct sip_answer){.status = 486}) ==
                  0);
    fix_close(&fix);
}

static void each_message(void)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char name[64], bytes[8192];
        snprintf(name, sizeof name, "rfc4475/%s.dat", table[i].name);
        const char *path = test_data(name);
        if (!path)
            return;
        FILE *f = fopen(path, "rb");
        size_t len = f ? fread(bytes, 1, sizeof bytes, f) : 0;
        CU_ASSERT(f && len > 0 && len < sizeof bytes);
        if (f)
            fclose(f);
        for (unsigned t = 0; t < TL_TRANSPORT_COUNT; t++)
            check(&table[i], bytes, len, (enum tl_transport)t);
    }
}

static const char *text_of(int outcome, char out[static 16])
{
    if (outcome > 0)
        snprintf(out, 16, "%d", outcome);
    else
        snprintf(out, 16, "%s",
                 outcome == TAKEN     ? "taken"
                 : outcome == DROPPED ? "dropped"
                 : outcome == CLOSED  ? "closed"
                                      : "waits");
    return out;
}

// Each row stands in docs/testing.md.
static void the_document_says_so(void)
{
    FILE *f = fopen(TEST_SOURCE_ROOT "/docs/testing.md", "r");
    char *text = NULL;
    size_t room = 0;
    CU_ASSERT_FATAL(f && getdelim(&text, &room, '\0', f) > 0);
    fclose(f);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char row[400], udp[16], stream[16];
        snprintf(row, sizeof row, "| `%s` | %s | %s | %s | %s |\n", table[i].name, table[i].section,
                 text_of(table[i].udp, udp), text_of(table[i].stream, stream), table[i].why);
        CU_ASSERT(strstr(text, row) != NULL);
        if (!strstr(text, row))
            printf("%s", row);
    }
    free(text);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"each_message", each_message},
        {"the_document_says_so", the_document_says_so},
    };
    return test_main("rfc4475", TEST_CASES(cases), argc, argv);
}
