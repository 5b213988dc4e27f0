// SPDX-License-Identifier: BSD-3-Clause
// The transaction machines beside those of libosip2: every sequence of a few events, each of the four kinds. Both
// must send the same at each event and be in the same state behind it, but for what is listed as wanted otherwise.
#include <sys/time.h> // osip.h needs it first

#include <osip2/osip.h>
#include <osipparser2/osip_parser.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/sip/machine.h"
#include "runner.h"

enum { DEEPEST = 5 };

static osip_t *osip;
static osip_message_t *request[3], *response[3]; // an INVITE, another, an ACK; 1xx, 2xx, the rest
static unsigned sent_out, sent_ack;

// ---- libosip2 ------------------------------------------------------------------------------------------

static int on_send(osip_transaction_t *tr, osip_message_t *message, char *host, int port, int socket)
{
    (void)tr, (void)host, (void)port, (void)socket;
    if (MSG_IS_REQUEST(message) && MSG_IS_ACK(message))
        sent_ack++;
    else
        sent_out++;
    return 0;
}

static void on_message(int type, osip_transaction_t *tr, osip_message_t *message)
{
    (void)type, (void)tr, (void)message;
}

static void on_kill(int type, osip_transaction_t *tr)
{
    (void)type, (void)tr;
}

static void no_trace(const char *file, int line, osip_trace_level_t level, const char *format, va_list ap)
{
    (void)file, (void)line, (void)level, (void)format, (void)ap;
}

static osip_message_t *model(const char *start, const char *method)
{
    char text[256];
    osip_message_t *out = NULL;
    int n = snprintf(text, sizeof text,
                     "%s\r\nVia: SIP/2.0/UDP host;branch=z9hG4bKx\r\nFrom: <sip:user@host>;tag=from\r\n"
                     "To: <sip:user@host>;tag=to\r\nCall-ID: call\r\nCSeq: 1 %s\r\n\r\n",
                     start, method);
    CU_ASSERT_FATAL(osip_message_init(&out) == 0 && osip_message_parse(out, text, (size_t)n) == 0);
    return out;
}

static void begin(void)
{
    osip_trace_initialize_func(OSIP_FATAL, no_trace);
    parser_init();
    CU_ASSERT_FATAL(osip_init(&osip) == 0);
    osip_set_cb_send_message(osip, on_send);
    for (int i = 0; i < OSIP_MESSAGE_CALLBACK_COUNT; i++)
        osip_set_message_callback(osip, i, on_message);
    for (int i = 0; i < OSIP_KILL_CALLBACK_COUNT; i++)
        osip_set_kill_transaction_callback(osip, i, on_kill);
    request[0] = model("INVITE sip:user@host SIP/2.0", "INVITE");
    request[1] = model("OPTIONS sip:user@host SIP/2.0", "OPTIONS");
    request[2] = model("ACK sip:user@host SIP/2.0", "ACK");
    response[0] = model("SIP/2.0 180 -", "INVITE");
    response[1] = model("SIP/2.0 200 -", "INVITE");
    response[2] = model("SIP/2.0 400 -", "INVITE");
}

static void end(void)
{
    for (unsigned i = 0; i < 3; i++) {
        osip_message_free(request[i]);
        osip_message_free(response[i]);
    }
    osip_release(osip);
}

struct theirs {
    osip_transaction_t *tr;
    bool answered; // server: there is a response
};

static bool is_server(enum sip_kind kind)
{
    return kind == SIP_SERVER_INVITE || kind == SIP_SERVER_OTHER;
}

static bool is_invite(enum sip_kind kind)
{
    return kind == SIP_CLIENT_INVITE || kind == SIP_SERVER_INVITE;
}

static type_t type_of(enum sip_kind kind, enum sip_event event)
{
    bool server = is_server(kind), invite = is_invite(kind);
    switch (event) {
    case SIP_ON_BEGIN:
        return invite ? SND_REQINVITE : SND_REQUEST;
    case SIP_ON_AGAIN:
        return invite ? RCV_REQINVITE : RCV_REQUEST;
    case SIP_ON_REPEAT:
        return kind == SIP_SERVER_INVITE ? TIMEOUT_G : invite ? TIMEOUT_A : TIMEOUT_E;
    case SIP_ON_GIVE_UP:
        return kind == SIP_SERVER_INVITE ? TIMEOUT_H : invite ? TIMEOUT_B : TIMEOUT_F;
    case SIP_ON_1XX:
        return server ? SND_STATUS_1XX : RCV_STATUS_1XX;
    case SIP_ON_2XX:
        return server ? SND_STATUS_2XX : RCV_STATUS_2XX;
    case SIP_ON_REST:
        return server ? SND_STATUS_3456XX : RCV_STATUS_3456XX;
    default:
        return RCV_REQACK;
    }
}

static void execute(struct theirs *t, enum sip_kind kind, enum sip_event event)
{
    osip_event_t *e = osip_malloc(sizeof *e);
    CU_ASSERT_FATAL(e != NULL);
    memset(e, 0, sizeof *e);
    e->type = type_of(kind, event);
    e->transactionid = t->tr->transactionid;
    const osip_message_t *message = event >= SIP_ON_1XX && event <= SIP_ON_REST ? response[event - SIP_ON_1XX]
                                    : event == SIP_ON_BEGIN || event == SIP_ON_AGAIN
                                        ? request[!is_invite(kind)]
                                    : event == SIP_ON_ACK ? request[2]
                                                          : NULL;
    if (message) // it is osip's from then on
        CU_ASSERT_FATAL(osip_message_clone(message, &e->sip) == 0);
    t->answered |= event >= SIP_ON_1XX && event <= SIP_ON_REST;
    osip_transaction_execute(t->tr, e);
}

static void make(struct theirs *t, enum sip_kind kind)
{
    static const osip_fsm_type_t machine[] = {ICT, NICT, IST, NIST};
    *t = (struct theirs){0};
    CU_ASSERT_FATAL(osip_transaction_init(&t->tr, machine[kind], osip, request[!is_invite(kind)]) == 0);
    osip_remove_transaction(osip, t->tr);
    if (is_server(kind)) // the request that makes it
        execute(t, kind, SIP_ON_AGAIN);
}

static void drop(struct theirs *t)
{
    osip_transaction_free2(t->tr);
}

static enum sip_state state_of(const struct theirs *t)
{
    switch (t->tr->state) {
    case ICT_PRE_CALLING:
    case ICT_CALLING:
    case NICT_PRE_TRYING:
    case NICT_TRYING:
    case NIST_PRE_TRYING:
    case NIST_TRYING:
        return SIP_STATE_TRYING;
    case ICT_PROCEEDING:
    case NICT_PROCEEDING:
    case IST_PRE_PROCEEDING:
    case IST_PROCEEDING:
    case NIST_PROCEEDING:
        return SIP_STATE_PROCEEDING;
    case ICT_COMPLETED:
    case NICT_COMPLETED:
    case IST_COMPLETED:
    case NIST_COMPLETED:
        return SIP_STATE_COMPLETED;
    default:
        return SIP_STATE_ENDED;
    }
}

// ---- both ----------------------------------------------------------------------------------------------

static const char *const kind_names[] = {"INVITE client", "other client", "INVITE server", "other server"};

// Whether the event can come: a client's request leaves once, a server has no such event.
static bool can_come(enum sip_kind kind, enum sip_event event, unsigned at)
{
    if (!is_server(kind))
        return (event == SIP_ON_BEGIN) == (at == 0) && event != SIP_ON_AGAIN && event != SIP_ON_ACK;
    if (kind == SIP_SERVER_OTHER &&
        (event == SIP_ON_REPEAT || event == SIP_ON_GIVE_UP || event == SIP_ON_ACK))
        return false;
    return event != SIP_ON_BEGIN;
}

// Where ours does otherwise on purpose. Both are then through with the sequence.
static bool wanted_otherwise(enum sip_kind kind, enum sip_state before, enum sip_event event)
{
    // an INVITE that was cancelled and is never answered ends (RFC 3261 9.1)
    return kind == SIP_CLIENT_INVITE && before == SIP_STATE_PROCEEDING && event == SIP_ON_GIVE_UP;
}

static unsigned walked;

// Runs one sequence, a digit of `number` each event. Returns the events up to where it may not go on.
static void walk(enum sip_kind kind, const enum sip_event *events, unsigned count)
{
    struct theirs t;
    enum sip_state state = sip_machine_first(kind);
    make(&t, kind);
    for (unsigned i = 0; i < count; i++) {
        struct sip_step step = sip_machine_step(kind, state, events[i]);
        bool has_answer = t.answered || (events[i] >= SIP_ON_1XX && events[i] <= SIP_ON_REST);
        sent_out = sent_ack = 0;
        execute(&t, kind, events[i]);
        // a request that comes again before there is an answer gets none: the caller's part of the machine
        bool out = step.send == SIP_SEND_OUT && (!is_server(kind) || has_answer);
        if (wanted_otherwise(kind, state, events[i])) {
            CU_ASSERT(step.state == SIP_STATE_ENDED);
            break;
        }
        bool same = sent_out == out && sent_ack == (step.send == SIP_SEND_ACK) && state_of(&t) == step.state;
        if (!same) {
            fprintf(stderr, "%s, events", kind_names[kind]);
            for (unsigned k = 0; k <= i; k++)
                fprintf(stderr, " %d", (int)events[k]);
            fprintf(stderr, ": state %d, send %d; osip: state %d, sent %u and %u ACKs\n", step.state,
                    step.send, (int)state_of(&t), sent_out, sent_ack);
        }
        CU_ASSERT_TRUE(same);
        state = step.state;
        if (!same || state == SIP_STATE_ENDED)
            break;
    }
    walked++;
    drop(&t);
}

static void as_osip_does(void)
{
    begin();
    for (unsigned kind = 0; kind < SIP_KIND_COUNT; kind++) {
        enum sip_event events[DEEPEST];
        unsigned sequences = 1;
        for (unsigned i = 0; i < DEEPEST; i++)
            sequences *= SIP_EVENT_COUNT;
        walked = 0;
        for (unsigned n = 0; n < sequences; n++) {
            bool possible = true;
            for (unsigned i = 0, rest = n; i < DEEPEST; i++, rest /= SIP_EVENT_COUNT) {
                events[i] = (enum sip_event)(rest % SIP_EVENT_COUNT);
                possible &= can_come((enum sip_kind)kind, events[i], i);
            }
            if (possible)
                walk((enum sip_kind)kind, events, DEEPEST);
        }
        CU_ASSERT(walked > 500);
    }
    end();
}

// What is not an arrow of the figures changes nothing, in every state, and no state is left out.
static void states_without_arrows(void)
{
    for (unsigned kind = 0; kind < SIP_KIND_COUNT; kind++) {
        unsigned leaves[SIP_STATE_COUNT] = {0};
        for (unsigned state = 0; state < SIP_STATE_COUNT; state++)
            for (unsigned event = 0; event < SIP_EVENT_COUNT; event++) {
                struct sip_step s =
                    sip_machine_step((enum sip_kind)kind, (enum sip_state)state, (enum sip_event)event);
                CU_ASSERT(s.state < SIP_STATE_COUNT && s.state >= state); // none goes back
                leaves[state] += s.state != state;
            }
        CU_ASSERT(leaves[SIP_STATE_ENDED] == 0);
        CU_ASSERT(leaves[sip_machine_first((enum sip_kind)kind)] > 0);
        // only the ACK and timer H lead out of COMPLETED; the others' waiting is a record's
        CU_ASSERT(leaves[SIP_STATE_COMPLETED] == (kind == SIP_SERVER_INVITE ? 2u : 0u));
    }
    CU_ASSERT(sip_machine_response(100) == SIP_ON_1XX && sip_machine_response(199) == SIP_ON_1XX);
    CU_ASSERT(sip_machine_response(200) == SIP_ON_2XX && sip_machine_response(299) == SIP_ON_2XX);
    CU_ASSERT(sip_machine_response(300) == SIP_ON_REST && sip_machine_response(699) == SIP_ON_REST);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"as_osip_does", as_osip_does},
        {"states_without_arrows", states_without_arrows},
    };
    return test_main("sip_machine", TEST_CASES(cases), argc, argv);
}
