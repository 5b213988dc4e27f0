// SPDX-License-Identifier: BSD-3-Clause
// Options, commands and help of trunklinectl.
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "tools/ctl/ctl.h"

#include "common/config/config.h"

#define DEFAULT_SOCKET "/run/trunkline/control.sock" // control.socket where the configuration does not set it

static const struct ctl_command commands[] = {
    {"status", "", 0, "how the gateway is",
     "Prints what trunkline-control says about itself and the dataplane.", ctl_status},
    {"calls", "", 0, "calls that are up",
     "Prints a line for each call: its name for the command call, state, calling and called number, the trunk that\n"
     "it came by, the trunk that it went to, for how many seconds it has been there, and how many seconds ago media was\n"
     "taken from the side that called (A) and the side that was called (B); - is never.",
     ctl_calls},
    {"call", "ID", 1, "all about one call", "Prints all that is known of the call that calls lists as ID.",
     ctl_call},
    {"hangup", "ID | --trunk NAME | --all", CTL_CHOICE, "end calls",
     "Ends the call that calls lists as ID, the calls that came by the trunk NAME or went to it, or all calls, each with\n"
     "BYE to both sides, and prints how many. It asks nothing. Calls that come meanwhile are not ended.",
     ctl_hangup},
    {"certificates", "", 0, "certificates of listeners and trunks, and when they end",
     "Prints a line for each certificate that a listener or trunk shows, and for each file of CAs that a trunk believes (of the\n"
     "CA in it that ends first), as the files were read last: ok, ends soon (within 30 days: a warning in the log each day),\n"
     "expired or not yet valid; the days left until it, or what it stands on, ends; whom it names, and its file.\n"
     "With --json also its issuer and since when it is valid.",
     ctl_certificates},
    {"bans", "", 0, "who is banned, and for how long",
     "Addresses that sent more than strangers may: nothing of theirs is read. Peers of trunks are never banned.\n",
     ctl_bans},
    {"unban", "ADDRESS", 1, "end a ban", "The address is as bans shows it.\n", ctl_unban},
    {"trunks", "", 0, "trunks, their state and counters",
     "Prints a line for each trunk: up, down or unchecked and for how many seconds, LAST and REST: for how many seconds\n"
     "more it is tried last because it fails calls, and rests because it sent Retry-After; its peer, calls up now, calls in and out\n"
     "since the start; of the calls out those answered, failed, refused with 503 and without any answer.\n"
     "With --json also listener, SRTP, OPTIONS sent and failed.",
     ctl_trunks},
    {"trunk", "NAME", 1, "all about one trunk",
     "Prints the settings of the trunk in short, the addresses that its peer's requests come from, and each target, to which\n"
     "ours go: up, down or unchecked and for how many seconds, how it is tried among the others (good, failing, down or\n"
     "resting), for how many seconds more it comes LAST and RESTs, when the next OPTIONS leaves; INVITEs to it, those\n"
     "answered, failed and without any answer, OPTIONS sent and failed.",
     ctl_trunk},
    {"registrations", "", 0, "registrations at the peers of trunks",
     "Prints a line for each address of record that a trunk registers: registered, shaky (it holds, but was not renewed),\n"
     "registering or failed; for how many seconds it holds and when the next REGISTER leaves; failures in a row and why.\n"
     "A trunk that is to be registered and is not shows as unregistered in trunks: no calls go there.",
     ctl_registrations},
    {"stats", "", 0, "packets, workers and drops",
     "Prints the counters of each worker since the dataplane's start, the age of its heartbeat, and every reason for\n"
     "which packets were dropped. "
     "From NIC + from workers = sent on + handed off + absorbed + waiting + dropped,\n"
     "when the worker is idle. Own packets are ARP of the dataplane's making. "
     "With --json also the drops of each worker.",
     ctl_stats},
    {"reload", "[--dry-run]", 0, "read the configuration file again",
     "Lets trunkline-control read its file again and prints what has changed and when each change takes effect: live, for\n"
     "new calls, with the dataplane's next start. Calls that are up keep what they began with. A file with an error, or with\n"
     "a change that needs a restart, is refused whole with the place in it, and the old one runs on. With --dry-run\n"
     "nothing is changed.",
     ctl_reload},
    {"route test", "--from A --to B --trunk NAME [--offline]", CTL_CALL, "what would become of a call",
     "Prints step by step what would become of a call that came by the trunk NAME from A to B, which are numbers, user parts\n"
     "or URIs (A \"\": nobody): what the translations make of them, each route that is looked at and why it is taken or\n"
     "not, the trunks in the order in which they would be tried, how each is now, why one is left out, the numbers that its\n"
     "peer would get; or what the call would be turned away with. Nothing is sent or counted. With --offline and --config\n"
     "it asks FILE and no daemon: then nothing is known of how trunks are.",
     ctl_route_test},
    {"config check", "FILE", 1, "check a configuration file",
     "Reads the file as both daemons do and prints every error with its line and column, or that it is ok.\n"
     "Needs no running daemon and no rights. Exit status 1 if there is an error.",
     ctl_config_check},
    {"config reference", "", 0, "print all options, as Markdown",
     "Prints every option with its type, bounds, default and meaning: the reference part of docs/config.md.",
     ctl_config_reference},
    {"config headers", "", 0, "print which SIP headers pass, as Markdown",
     "Prints which headers pass from one side of a call to the other and what is done with them: the table of\n"
     "docs/headers.md.",
     ctl_config_headers},
};

static const size_t command_count = sizeof commands / sizeof commands[0];

static void usage(FILE *out)
{
    fputs("Usage: trunklinectl [--config FILE | --socket PATH] [--json] COMMAND [ARGUMENT]\n\nCommands:\n",
          out);
    for (size_t i = 0; i < command_count; i++) {
        char both[64];
        snprintf(both, sizeof both, "%s %s", commands[i].name, commands[i].arguments);
        fprintf(out, "  %-33s %s\n", both, commands[i].summary);
    }
    fputs("\nOptions:\n"
          "  --config FILE        ask the trunkline-control of this configuration file\n"
          "  --socket PATH        socket of trunkline-control (default " DEFAULT_SOCKET ")\n"
          "  --json               print the answer as one JSON object\n"
          "  --help               this, or about COMMAND\n\n"
          "Exit status: 0 done, 1 the answer is an error, 2 wrong usage or configuration, 3 control does not "
          "answer.\n",
          out);
}

static void command_usage(const struct ctl_command *c, FILE *out)
{
    fprintf(out, "Usage: trunklinectl [--config FILE | --socket PATH] [--json] %s%s%s\n\n%s\n", c->name,
            c->arguments[0] ? " " : "", c->arguments, c->help);
}

// The command whose words begin argv; *words says how many they are.
static const struct ctl_command *find_command(int argc, char **argv, int *words)
{
    for (size_t i = 0; i < command_count; i++) {
        const char *space = strchr(commands[i].name, ' ');
        size_t first = space ? (size_t)(space - commands[i].name) : strlen(commands[i].name);
        *words = space ? 2 : 1;
        if (argc >= *words && strlen(argv[0]) == first && strncmp(argv[0], commands[i].name, first) == 0 &&
            (!space || strcmp(argv[1], space + 1) == 0))
            return &commands[i];
    }
    return NULL;
}

// Whether the command takes the arguments and options that are there.
static bool fits(const struct ctl_command *c, const struct ctl_options *o)
{
    bool call = o->from || o->to || o->offline;

    if (o->dry_run && c->run != ctl_reload)
        return false;
    if (c->argc == CTL_CALL)
        return o->from && o->to && o->trunk && !o->all && !o->argc && (!o->offline || o->config);
    if (c->argc == CTL_CHOICE)
        return !call && o->argc + !!o->trunk + o->all == 1;
    return !call && o->argc == c->argc && !o->trunk && !o->all;
}

static int run(struct ctl_options *options, bool help)
{
    int words;
    const struct ctl_command *c = find_command(options->argc, options->argv, &words);

    if (!c && help) {
        usage(stdout);
        return CTL_OK;
    }
    if (!c) {
        if (options->argc)
            fprintf(stderr, "trunklinectl: no command \"%s\"; --help lists them\n", options->argv[0]);
        else
            usage(stderr);
        return CTL_USAGE;
    }
    if (help) {
        command_usage(c, stdout);
        return CTL_OK;
    }
    options->argc -= words;
    options->argv += words;
    if (!fits(c, options)) {
        fprintf(stderr, "trunklinectl: %s takes %s; see trunklinectl %s --help\n", c->name,
                c->arguments[0] ? c->arguments : "no argument", c->name);
        return CTL_USAGE;
    }
    return c->run(options);
}

// Where the control of a configuration listens. An exit status; what is wrong has been said.
static int socket_of(const char *file, char out[TL_PATH_LEN])
{
    struct tl_config *config = NULL;
    struct tl_config_errors errors;

    if (tl_config_load(file, &config, &errors) < 0) {
        tl_config_print_errors(stderr, file, &errors);
        return CTL_USAGE;
    }
    memcpy(out, config->control.socket, TL_PATH_LEN);
    tl_config_free(config);
    return CTL_OK;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'},
        {"socket", required_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},
        {"trunk", required_argument, NULL, 't'},
        {"all", no_argument, NULL, 'a'},
        {"dry-run", no_argument, NULL, 'd'},
        {"from", required_argument, NULL, 'F'},
        {"to", required_argument, NULL, 'T'},
        {"offline", no_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct ctl_options options = {.socket = NULL};
    char socket[TL_PATH_LEN] = DEFAULT_SOCKET;
    bool help = false;
    int c;

    while ((c = getopt_long(argc, argv, "c:s:jh", longs, NULL)) != -1)
        switch (c) {
        case 'c':
            options.config = optarg;
            break;
        case 's':
            options.socket = optarg;
            break;
        case 'j':
            options.json = true;
            break;
        case 't':
            options.trunk = optarg;
            break;
        case 'a':
            options.all = true;
            break;
        case 'd':
            options.dry_run = true;
            break;
        case 'F':
            options.from = optarg;
            break;
        case 'T':
            options.to = optarg;
            break;
        case 'o':
            options.offline = true;
            break;
        case 'h':
            help = true;
            break;
        default: // getopt has said what is wrong
            return CTL_USAGE;
        }
    options.argc = argc - optind;
    options.argv = argv + optind;
    bool asks = options.config && !help && !options.socket && !options.offline;
    int status = asks ? socket_of(options.config, socket) : CTL_OK;
    if (!options.socket)
        options.socket = socket;
    if (status == CTL_OK)
        status = run(&options, help);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "trunklinectl: cannot write the answer: %s\n", strerror(errno));
        return CTL_FAILED;
    }
    return status;
}
