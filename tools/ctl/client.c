// SPDX-License-Identifier: BSD-3-Clause
#include "tools/ctl/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/ctl/table.h"

enum { PATIENCE_S = 10, ANSWER_MAX = 64 << 20 };

static int unreachable(const char *path, int error)
{
    switch (error) {
    case ENOENT:
        fprintf(
            stderr,
            "trunklinectl: there is no socket %s: start trunkline-control, or name its control.socket with "
            "--socket\n",
            path);
        break;
    case ECONNREFUSED:
        fprintf(stderr, "trunklinectl: nobody listens at %s any more: start trunkline-control\n", path);
        break;
    case EACCES:
    case EPERM:
        fprintf(stderr,
                "trunklinectl: no permission for %s: run it as root or as the user of trunkline-control\n",
                path);
        break;
    case EAGAIN:
        fprintf(stderr, "trunklinectl: trunkline-control did not answer at %s within %d s; see its log\n",
                path, PATIENCE_S);
        break;
    default:
        fprintf(stderr, "trunklinectl: cannot talk to trunkline-control at %s: %s\n", path, strerror(error));
    }
    return CTL_UNREACHABLE;
}

int client_open(struct client *client, const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = PATIENCE_S};

    *client = (struct client){.fd = -1, .path = path};
    if (strlen(path) >= sizeof addr.sun_path) {
        fprintf(stderr,
                "trunklinectl: the socket's path is longer than %zu bytes; give --socket a shorter one\n",
                sizeof addr.sun_path - 1);
        return CTL_USAGE;
    }
    memcpy(addr.sun_path, path, strlen(path) + 1);
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        return unreachable(path, errno);
    setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(client->fd, (struct sockaddr *)&addr, sizeof addr) < 0)
        return unreachable(path, errno);
    return CTL_OK;
}

void client_close(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    free(client->bytes);
    *client = (struct client){.fd = -1};
}

static int send_line(struct client *client, const char *line)
{
    for (size_t sent = 0, len = strlen(line); sent < len;) {
        ssize_t n = send(client->fd, line + sent, len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EPIPE)
            return CTL_OK; // it closed, and has perhaps said why: read that
        if (n < 0)
            return unreachable(client->path, errno);
        sent += (size_t)n;
    }
    return CTL_OK;
}

// Reads up to a line end. *len: bytes before it, which start at client->bytes.
static int receive_line(struct client *client, size_t *len)
{
    size_t searched = 0;

    for (;;) {
        char *end =
            client->used > searched ? memchr(client->bytes + searched, '\n', client->used - searched) : NULL;
        if (end) {
            *len = (size_t)(end - client->bytes);
            return CTL_OK;
        }
        searched = client->used;
        if (client->used == client->size) {
            size_t more = client->size ? client->size * 2 : 65536;
            char *grown = more <= ANSWER_MAX ? realloc(client->bytes, more) : NULL;
            if (!grown)
                return unreachable(client->path, EMSGSIZE);
            client->bytes = grown;
            client->size = more;
        }
        ssize_t n = recv(client->fd, client->bytes + client->used, client->size - client->used, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return unreachable(client->path, n < 0 ? errno : ECONNRESET);
        client->used += (size_t)n;
    }
}

static int take_answer(struct client *client, size_t len, json_t **result)
{
    json_t *answer = json_loadb(client->bytes, len, 0, NULL);
    json_t *found = json_object_get(answer, "result");
    int status = CTL_FAILED;

    client->used -= len + 1;
    memmove(client->bytes, client->bytes + len + 1, client->used);
    if (json_is_true(json_object_get(answer, "ok")) && found) {
        *result = json_incref(found);
        status = CTL_OK;
    } else if (json_is_string(json_object_get(answer, "error"))) {
        char *text = value_text(json_object_get(answer, "error"));
        fprintf(stderr, "trunklinectl: %s\n", text ? text : "error");
        free(text);
    } else {
        fprintf(stderr, "trunklinectl: what listens at %s does not answer like trunkline-control\n",
                client->path);
        status = CTL_UNREACHABLE;
    }
    json_decref(answer);
    return status;
}

int client_ask(struct client *client, json_t *request, json_t **result)
{
    char *text = json_dumps(request, JSON_COMPACT), *line = NULL;
    size_t len = 0;

    json_decref(request);
    int status = !text || asprintf(&line, "%s\n", text) < 0 ? unreachable(client->path, ENOMEM) : CTL_OK;
    if (status == CTL_OK)
        status = send_line(client, line);
    if (status == CTL_OK)
        status = receive_line(client, &len);
    if (status == CTL_OK)
        status = take_answer(client, len, result);
    free(text);
    free(line);
    return status;
}
