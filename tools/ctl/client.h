// SPDX-License-Identifier: BSD-3-Clause
// One question to trunkline-control over its socket.
#pragma once

#include <jansson.h>

#include "tools/ctl/ctl.h"

struct client {
    int fd; // -1: not connected
    const char *path;
    char *bytes; // read and not used yet
    size_t used;
    size_t size;
};

// Connects. CTL_OK, or CTL_UNREACHABLE after saying why. client_close() is safe in both cases.
int client_open(struct client *client, const char *path);
void client_close(struct client *client);

// Sends the request (and frees it) and waits for the answer. CTL_OK with *result, which the caller frees;
// CTL_FAILED or CTL_UNREACHABLE after saying why.
int client_ask(struct client *client, json_t *request, json_t **result);
