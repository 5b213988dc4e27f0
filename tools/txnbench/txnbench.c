// SPDX-License-Identifier: BSD-3-Clause
// trunkline-txnbench: what a SIP server transaction costs, from datagram to the end of its record, while many
// others are live. Arms run in turns within one process, batch by batch, so that a noisy machine disturbs all
// alike; the figures are medians of CPU time.
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/sip/txn.h"

enum { SIZES = 2, ARMS = 3, ROUNDS_MAX = 1000, T1 = 500 };

enum arm { ARM_PARSE, ARM_BYE, ARM_INVITE };

static const char *const arm_names[ARMS] = {"parse_invite", "bye_server", "invite_server"};
static const char *const arm_texts[ARMS] = {
    "filter and parse an INVITE",
    "BYE, 200, record until timer J",
    "INVITE, 100, 200, ACK, record",
};

// A stack with a number of live transactions, over a transport that takes everything and sends nothing.
struct bed {
    struct wheel wheel;
    struct tl_config config;
    struct sip_stack *stack;
    unsigned live;
    double bytes_per_live; // heap
    uint64_t serial;
    struct sip_txn *pending;
    char to_tag[SIP_TAG_LEN];
};

struct options {
    unsigned live[SIZES];
    unsigned rounds, batch;
    bool json;
};

struct result {
    double median_us, p10_us, p90_us;
};

static const struct tl_addr peer = {.family = TL_AF_INET, .port = 5060, .ip = {192, 0, 2, 10}};

static const char invite[] =
    "INVITE sip:+15551234567@192.0.2.1:5060;user=phone SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK%016llx;rport\r\n"
    "Max-Forwards: 69\r\n"
    "From: \"Alice Example\" <sip:+15557654321@192.0.2.10;user=phone>;tag=%016llx\r\n"
    "To: <sip:+15551234567@192.0.2.1;user=phone>\r\n"
    "Call-ID: %016llx@192.0.2.10\r\n"
    "CSeq: 1 INVITE\r\n"
    "Contact: <sip:+15557654321@192.0.2.10:5060>\r\n"
    "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO\r\n"
    "Supported: timer, replaces\r\n"
    "User-Agent: bench\r\n"
    "P-Asserted-Identity: <sip:+15557654321@192.0.2.10>\r\n"
    "Session-Expires: 1800\r\nMin-SE: 90\r\n"
    "Content-Type: application/sdp\r\n"
    "Content-Length: 216\r\n\r\n"
    "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
    "m=audio 16384 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";

static const char in_dialog[] =
    "%s sip:192.0.2.1:5060 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK%s%016llx;rport\r\n"
    "Max-Forwards: 69\r\n"
    "From: \"Alice Example\" <sip:+15557654321@192.0.2.10;user=phone>;tag=%016llx\r\n"
    "To: <sip:+15551234567@192.0.2.1;user=phone>;tag=%s\r\n"
    "Call-ID: %016llx@192.0.2.10\r\n"
    "CSeq: %u %s\r\n"
    "User-Agent: bench\r\n"
    "Content-Length: 0\r\n\r\n";

// ---- the bed -------------------------------------------------------------------------------------------

static int swallow(void *arg, struct sip_flow *flow, const struct sip_bytes *bytes, struct sip_waiter *waiter)
{
    (void)arg;
    (void)flow;
    (void)bytes;
    (void)waiter;
    return 0;
}

static const struct sip_io nowhere = {.send = swallow};

static void on_request(void *arg, struct sip_txn *txn, const struct sip_msg *msg, const struct sip_flow *flow)
{
    struct bed *bed = arg;
    (void)msg;
    (void)flow;
    bed->pending = txn;
    memcpy(bed->to_tag, sip_txn_tag(txn), sizeof bed->to_tag);
}

static void on_cancel(void *arg, struct sip_txn *txn, struct sip_owner *owner, const struct sip_msg *msg)
{
    (void)arg;
    (void)txn;
    (void)owner;
    (void)msg;
}

static void on_response(void *arg, struct sip_txn *txn, struct sip_owner *owner, const struct sip_msg *msg,
                        const struct sip_flow *flow)
{
    (void)arg;
    (void)txn;
    (void)owner;
    (void)msg;
    (void)flow;
}

static void on_failure(void *arg, struct sip_txn *txn, struct sip_owner *owner, enum sip_failure why)
{
    (void)arg;
    (void)txn;
    (void)owner;
    (void)why;
}

static const struct sip_user user = {.on_request = on_request,
                                     .on_cancel = on_cancel,
                                     .on_ack = on_cancel,
                                     .on_response = on_response,
                                     .on_failure = on_failure};

static void receive(struct bed *bed, char *text, int len)
{
    struct sip_flow flow = sip_flow_to(bed->stack, 0, &peer);
    sip_core_receive(bed->stack, &flow, text, (size_t)len);
}

static void receive_invite(struct bed *bed, unsigned long long n)
{
    char text[2048];
    receive(bed, text, snprintf(text, sizeof text, invite, n, n, n));
}

static void receive_in_dialog(struct bed *bed, const char *method, unsigned cseq, const char *tag,
                              unsigned long long n)
{
    char text[2048];
    receive(bed, text, snprintf(text, sizeof text, in_dialog, method, method, n, n, tag, n, cseq, method));
}

static bool bed_open(struct bed *bed, unsigned live, unsigned batch)
{
    struct tl_control_config *c = &bed->config.control;
    memset(bed, 0, sizeof *bed);
    snprintf(c->user_agent, sizeof c->user_agent, "trunkline-txnbench");
    c->t1_ms = T1;
    c->t2_ms = 4000;
    c->t4_ms = 5000;
    c->timer_b_ms = c->timer_f_ms = c->timer_h_ms = 64 * T1;
    c->max_transactions = live + batch + 1;
    bed->config.listener_count = 1;
    bed->config.listeners[0].address =
        (struct tl_addr){.family = TL_AF_INET, .port = 5060, .ip = {192, 0, 2, 1}};
    wheel_init(&bed->wheel, 1000);
    if (sip_core_new(&bed->wheel, 0, &bed->config, &user, bed, &nowhere, NULL, &bed->stack) != 0)
        return false;
    // INVITEs that ring: each has been answered 100
    size_t before = mallinfo2().uordblks;
    for (unsigned i = 0; i < live; i++)
        receive_invite(bed, ++bed->serial);
    bed->live = sip_stack_counters(bed->stack)->txns_live;
    bed->bytes_per_live = (double)(mallinfo2().uordblks - before) / live;
    return bed->live == live;
}

// ---- arms ----------------------------------------------------------------------------------------------

static void parse_only(unsigned long long n)
{
    char text[2048];
    struct sip_head head;
    struct sip_shape shape;
    int len = snprintf(text, sizeof text, invite, n, n, n);
    sip_read(text, (size_t)len, &head);
    if (sip_filter(&head, false, &shape))
        sip_msg_free(sip_msg_new(&head, &shape));
}

static void one(struct bed *bed, enum arm arm)
{
    unsigned long long n = ++bed->serial;
    switch (arm) {
    case ARM_PARSE:
        parse_only(n);
        break;
    case ARM_BYE:
        receive_in_dialog(bed, "BYE", 2, "0.12345678901234567890", n);
        sip_respond(bed->pending, &(struct sip_answer){.status = 200});
        break;
    default:
        receive_invite(bed, n);
        sip_respond(bed->pending, &(struct sip_answer){.status = 200,
                                                       .contact = "<sip:192.0.2.1:5060>",
                                                       .body_type = "application/sdp",
                                                       .body = strstr(invite, "v=0"),
                                                       .body_len = 216});
        receive_in_dialog(bed, "ACK", 1, bed->to_tag, n);
    }
}

static double cpu_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

// CPU microseconds of one transaction, its end by timer included.
static double batch_us(struct bed *bed, enum arm arm, unsigned batch)
{
    double start = cpu_us();
    for (unsigned i = 0; i < batch; i++)
        one(bed, arm);
    wheel_run(&bed->wheel, bed->wheel.now + UINT64_C(64) * T1 + 1);
    return (cpu_us() - start) / batch;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(struct bed bed[SIZES], const struct options *o, struct result out[SIZES][ARMS])
{
    static double us[SIZES][ARMS][ROUNDS_MAX];
    for (unsigned r = 0; r < o->rounds; r++)
        for (unsigned turn = 0; turn < SIZES * ARMS; turn++) {
            // another order each round: nobody always runs behind the same neighbour
            unsigned k = (turn * 5 + r) % (SIZES * ARMS), size = k % SIZES, arm = k / SIZES;
            us[size][arm][r] = batch_us(&bed[size], (enum arm)arm, o->batch);
        }
    for (unsigned size = 0; size < SIZES; size++)
        for (unsigned arm = 0; arm < ARMS; arm++) {
            double *v = us[size][arm];
            qsort(v, o->rounds, sizeof *v, ascending);
            out[size][arm] = (struct result){v[o->rounds / 2], v[o->rounds / 10], v[o->rounds * 9 / 10]};
        }
}

// Heap of one waiting record of a BYE.
static double record_bytes(struct bed *bed, unsigned batch)
{
    size_t before = mallinfo2().uordblks;
    for (unsigned i = 0; i < batch; i++)
        one(bed, ARM_BYE);
    double bytes = (double)(mallinfo2().uordblks - before) / batch;
    wheel_run(&bed->wheel, bed->wheel.now + UINT64_C(64) * T1 + 1);
    return bytes;
}

// ---- the report ----------------------------------------------------------------------------------------

static void print_table(struct bed bed[SIZES], struct result r[SIZES][ARMS], double record,
                        const struct options *o)
{
    printf("CPU microseconds a transaction, median (10 %% .. 90 %%) of %u rounds of %u\n\n", o->rounds,
           o->batch);
    printf("%-36s", "");
    for (unsigned s = 0; s < SIZES; s++)
        printf("%12u live       ", bed[s].live);
    printf("\n");
    for (unsigned arm = 0; arm < ARMS; arm++) {
        printf("%-36s", arm_texts[arm]);
        for (unsigned s = 0; s < SIZES; s++)
            printf("%9.1f (%5.1f .. %5.1f)", r[s][arm].median_us, r[s][arm].p10_us, r[s][arm].p90_us);
        printf("\n");
    }
    printf("\nheap: %.0f bytes a live INVITE server transaction, %.0f a waiting record\n",
           bed[SIZES - 1].bytes_per_live, record);
}

static void print_json(struct bed bed[SIZES], struct result r[SIZES][ARMS], double record,
                       const struct options *o)
{
    printf("{\"rounds\":%u,\"batch\":%u,\"live_bytes\":%.0f,\"record_bytes\":%.0f,\"arms\":[", o->rounds,
           o->batch, bed[SIZES - 1].bytes_per_live, record);
    for (unsigned s = 0; s < SIZES; s++)
        for (unsigned arm = 0; arm < ARMS; arm++)
            printf("%s{\"arm\":\"%s\",\"live\":%u,\"median_us\":%.2f,\"p10_us\":%.2f,\"p90_us\":%.2f}",
                   s + arm ? "," : "", arm_names[arm], bed[s].live, r[s][arm].median_us, r[s][arm].p10_us,
                   r[s][arm].p90_us);
    printf("]}\n");
}

static bool number(const char *text, unsigned min, unsigned max, unsigned *out)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    if (*text == '-' || *text == '\0' || *end || v < min || v > max)
        return false;
    *out = (unsigned)v;
    return true;
}

static void print_usage(FILE *f)
{
    fprintf(f, "usage: trunkline-txnbench [--few N] [--many N] [--rounds N] [--batch N] [--json]\n"
               "  --few, --many   live transactions of the two arms, 1..100000 (1000 and 20000; 23 kB each)\n"
               "  --rounds        1..1000 (41)\n"
               "  --batch         transactions a round, 1..10000 (200)\n");
}

static int usage(const char *what)
{
    fprintf(stderr, "trunkline-txnbench: %s\n", what);
    print_usage(stderr);
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"few", 1, NULL, 'f'},  {"many", 1, NULL, 'm'}, {"rounds", 1, NULL, 'r'}, {"batch", 1, NULL, 'b'},
        {"json", 0, NULL, 'j'}, {"help", 0, NULL, 'h'}, {NULL, 0, NULL, 0}};
    static struct bed bed[SIZES];
    struct options o = {.live = {1000, 20000}, .rounds = 41, .batch = 200};
    struct result results[SIZES][ARMS];
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        bool good = true;
        if (c == 'f' || c == 'm')
            good = number(optarg, 1, 100000, &o.live[c == 'm']);
        else if (c == 'r')
            good = number(optarg, 1, ROUNDS_MAX, &o.rounds);
        else if (c == 'b')
            good = number(optarg, 1, 10000, &o.batch);
        else if (c == 'j')
            o.json = true;
        else if (c == 'h') {
            print_usage(stdout);
            return 0;
        } else
            return usage("unknown option");
        if (!good)
            return usage("number out of range");
    }
    if (optind < argc)
        return usage("takes no arguments");
    for (unsigned s = 0; s < SIZES; s++)
        if (!bed_open(&bed[s], o.live[s], o.batch)) {
            fprintf(stderr,
                    "trunkline-txnbench: only %u of %u transactions could be made; give it more memory\n",
                    bed[s].live, o.live[s]);
            return 1;
        }
    double record = record_bytes(&bed[SIZES - 1], o.batch);
    measure(bed, &o, results);
    if (o.json)
        print_json(bed, results, record, &o);
    else
        print_table(bed, results, record, &o);
    for (unsigned s = 0; s < SIZES; s++)
        sip_core_free(bed[s].stack);
    return 0;
}
