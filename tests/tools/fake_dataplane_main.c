// SPDX-License-Identifier: BSD-3-Clause
// The fake dataplane as a program, so that trunkline-control can be tested end to end without packets.
//   fake-dataplane CONFIG      takes socket, realms and max_sessions from the daemons' configuration
// Reads commands from standard input, one a line, and answers each with a line:
//   count            sessions
//   executed         "ADD n MODIFY n DEL n LIST n FLUSH n", commands so far
//   legs             one line "REF LEG LOCAL_PORT REMOTE_PORT FLAGS SUITE PTS" for each leg, then "end"
//   die, revive      stops and starts listening; sessions are forgotten
//   silent           raises a silence event on leg 1 of every session
// Ends with its input.
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/config/config.h"
#include "tests/fakes/fake_dataplane.h"

static struct fake_dataplane *start(const struct tl_config *config)
{
    struct fake_dataplane_config c = {
        .path = config->dataplane.socket, .sessions = config->dataplane.max_sessions, .workers = 1};
    for (uint32_t i = 0; i < config->realm_count && i < sizeof c.realms / sizeof c.realms[0]; i++) {
        const struct tl_realm_config *r = &config->realms[i];
        struct fake_realm *f = &c.realms[c.realm_count++];
        memcpy(f->name, r->name, sizeof f->name);
        f->address = r->address;
        f->first = r->rtp_first;
        f->last = r->rtp_last;
    }
    return fake_dataplane_start(&c);
}

static void print_legs(const struct fake_dataplane *fake)
{
    for (unsigned i = 0; i < fake_dataplane_count(fake); i++) {
        const struct fake_session *s = fake_dataplane_at(fake, i);
        for (unsigned l = 0; l < 2; l++) {
            const struct tl_leg *leg = &s->leg[l];
            printf("%016llx %u %u %u %u %u", (unsigned long long)s->call_ref, l, s->local[l].port,
                   leg->rtp.port, leg->flags, leg->tx.suite);
            for (unsigned p = 0; p < leg->pt_count; p++)
                printf(" %u>%u", leg->pt_in[p], leg->pt_out[p]);
            putchar('\n');
        }
    }
    puts("end");
}

static void obey(struct fake_dataplane *fake, const char *command)
{
    if (strcmp(command, "count") == 0) {
        printf("%u\n", fake_dataplane_count(fake));
    } else if (strcmp(command, "executed") == 0) {
        printf("ADD %u MODIFY %u DEL %u LIST %u FLUSH %u\n", fake_dataplane_executed(fake, TL_OP_ADD),
               fake_dataplane_executed(fake, TL_OP_MODIFY), fake_dataplane_executed(fake, TL_OP_DEL),
               fake_dataplane_executed(fake, TL_OP_LIST), fake_dataplane_executed(fake, TL_OP_FLUSH));
    } else if (strcmp(command, "legs") == 0) {
        print_legs(fake);
    } else if (strcmp(command, "die") == 0) {
        fake_dataplane_die(fake);
        puts("dead");
    } else if (strcmp(command, "revive") == 0) {
        puts(fake_dataplane_revive(fake) == 0 ? "alive" : "cannot");
    } else if (strcmp(command, "silent") == 0) {
        for (unsigned i = 0; i < fake_dataplane_count(fake); i++)
            fake_dataplane_event(fake, fake_dataplane_at(fake, i)->call_ref, TL_EVENT_SILENT, 1, 30000, 1);
        puts("raised");
    } else {
        puts("unknown command");
    }
    fflush(stdout);
}

// Takes what is on standard input. Returns false at its end.
static bool read_commands(struct fake_dataplane *fake)
{
    static char line[256];
    static size_t have;
    ssize_t n = read(STDIN_FILENO, line + have, sizeof line - 1 - have);
    if (n <= 0)
        return false;
    have += (size_t)n;
    line[have] = 0;
    for (char *end; (end = strchr(line, '\n'));) {
        *end = 0;
        obey(fake, line);
        have -= (size_t)(end + 1 - line);
        memmove(line, end + 1, have + 1);
    }
    return have < sizeof line - 1;
}

int main(int argc, char **argv)
{
    struct tl_config *config = NULL;
    static struct tl_config_errors errors;
    if (argc != 2) {
        fputs("usage: fake-dataplane CONFIG\n", stderr);
        return 2;
    }
    if (tl_config_load(argv[1], &config, &errors) < 0) {
        tl_config_print_errors(stderr, argv[1], &errors);
        return 1;
    }
    struct fake_dataplane *fake = start(config);
    tl_config_free(config);
    if (!fake)
        return 1;
    for (;;) {
        struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                {.fd = fake_dataplane_fd(fake), .events = POLLIN}};
        if (poll(fds, 2, TL_LOOK_MS) < 0)
            break;
        if (fds[0].revents && !read_commands(fake))
            break;
        if (fake_dataplane_fd(fake) >= 0)
            fake_dataplane_poll(fake);
    }
    fake_dataplane_stop(fake);
    return 0;
}
