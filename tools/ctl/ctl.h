// SPDX-License-Identifier: BSD-3-Clause
// trunklinectl, the operator's program: what its parts share.
#pragma once

#include <stdbool.h>

// Exit statuses.
enum {
    CTL_OK = 0,
    CTL_FAILED = 1, // the answer is no: a configuration with errors, no such call, control reports an error
    CTL_USAGE = 2,
    CTL_UNREACHABLE = 3, // control does not answer
};

// What stood before and behind the command.
struct ctl_options {
    const char *socket;
    bool json;
    const char *trunk; // --trunk, NULL without
    bool all;
    bool dry_run;
    const char *from, *to; // --from, --to; NULL without
    bool offline;
    const char *config; // --config, NULL without
    int argc;           // arguments of the command
    char **argv;
};

enum {
    CTL_CHOICE = -1, // one argument, or --trunk or --all in its place
    CTL_CALL = -2,   // --from, --to and --trunk, and --offline perhaps
};

struct ctl_command {
    const char *name; // one or two words
    const char *arguments;
    int argc; // how many it takes; CTL_CHOICE, CTL_CALL
    const char *summary;
    const char *help;
    int (*run)(const struct ctl_options *options); // returns the exit status
};

int ctl_status(const struct ctl_options *options);
int ctl_calls(const struct ctl_options *options);
int ctl_call(const struct ctl_options *options);
int ctl_hangup(const struct ctl_options *options);
int ctl_trunks(const struct ctl_options *options);
int ctl_trunk(const struct ctl_options *options);
int ctl_certificates(const struct ctl_options *options);
int ctl_bans(const struct ctl_options *options);
int ctl_unban(const struct ctl_options *options);
int ctl_registrations(const struct ctl_options *options);
int ctl_stats(const struct ctl_options *options);
int ctl_reload(const struct ctl_options *options);
int ctl_route_test(const struct ctl_options *options);
int ctl_config_check(const struct ctl_options *options);
int ctl_config_reference(const struct ctl_options *options);
int ctl_config_headers(const struct ctl_options *options);
