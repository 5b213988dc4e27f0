// SPDX-License-Identifier: BSD-3-Clause
#include "control/admin/ctl.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    BACKLOG = 16,
    RETRY_MS = 1000, // until we listen again after accept() ran out of descriptors
};

struct client {
    struct client *next;
    struct client **link;
    struct ctl *ctl;
    struct bufferevent *stream;
    bool last; // close when the answer has gone out
};

struct ctl {
    const struct ctl_provider *provider;
    void *arg;
    struct ctl_limits limits;
    struct evconnlistener *listener;
    struct event *retry;
    struct client *clients;
    unsigned client_count;
    struct sockaddr_un addr;
    struct stat file; // what we bound
};

static void client_free(struct client *client)
{
    *client->link = client->next;
    if (client->next)
        client->next->link = client->link;
    client->ctl->client_count--;
    bufferevent_free(client->stream);
    free(client);
}

// ---- requests

static json_t *failure(const char *sentence)
{
    return json_pack("{s:b, s:s}", "ok", 0, "error", sentence);
}

static json_t *success(json_t *result)
{
    return result ? json_pack("{s:b, s:o}", "ok", 1, "result", result)
                  : failure("not enough memory for the answer");
}

static json_t *bad_after(const json_t *after)
{
    return after && (!json_is_integer(after) || json_integer_value(after) < 0)
               ? failure("\"after\" is not a number from 0 on")
               : NULL;
}

static json_t *answer_calls(struct ctl *ctl, const json_t *request)
{
    const json_t *after = json_object_get(request, "after"), *limit = json_object_get(request, "limit");
    json_t *refused = bad_after(after);

    if (refused)
        return refused;
    if (limit && (!json_is_integer(limit) || json_integer_value(limit) < 1 ||
                  json_integer_value(limit) > CTL_PAGE_MAX))
        return failure("\"limit\" is not a number from 1 to 500");
    static_assert(CTL_PAGE_MAX == 500, "as the sentence says");
    return success(ctl->provider->calls(ctl->arg, (uint64_t)json_integer_value(after),
                                        limit ? (unsigned)json_integer_value(limit) : CTL_PAGE_MAX));
}

static const char no_call[] = "no call that is up has this ID; \"trunklinectl calls\" lists them by number";

static const char no_trunk[] = "no trunk has this name; \"trunklinectl trunks\" lists them";

static json_t *answer_call(struct ctl *ctl, const json_t *request)
{
    const char *id = json_string_value(json_object_get(request, "call"));

    if (!id)
        return failure("\"call\" does not name a call");
    json_t *result = ctl->provider->call(ctl->arg, id);
    return result ? success(result) : failure(no_call);
}

static json_t *answer_hangup(struct ctl *ctl, const json_t *request)
{
    const json_t *call = json_object_get(request, "call"), *trunk = json_object_get(request, "trunk"),
                 *all = json_object_get(request, "all"), *after = json_object_get(request, "after");
    json_t *refused = bad_after(after);

    if (refused)
        return refused;
    if (!!call + !!trunk + !!all != 1 || (call && !json_is_string(call)) ||
        (trunk && !json_is_string(trunk)) || (all && !json_is_true(all)))
        return failure("expected one of \"call\" (string), \"trunk\" (string) and \"all\" (true)");
    struct ctl_hangup which = {json_string_value(call), json_string_value(trunk),
                               (uint64_t)json_integer_value(after)};
    json_t *result = ctl->provider->hang_up(ctl->arg, &which);
    return result || all ? success(result) : failure(call ? no_call : no_trunk);
}

static json_t *answer_trunk(struct ctl *ctl, const json_t *request)
{
    const char *name = json_string_value(json_object_get(request, "trunk"));

    if (!name)
        return failure("\"trunk\" does not name a trunk");
    json_t *result = ctl->provider->trunk(ctl->arg, name);
    return result ? success(result) : failure(no_trunk);
}

static json_t *answer_reload(struct ctl *ctl, const json_t *request)
{
    const json_t *dry_run = json_object_get(request, "dry_run");
    char refused[2048] = "";

    if (dry_run && !json_is_boolean(dry_run))
        return failure("\"dry_run\" is neither true nor false");
    json_t *result = ctl->provider->reload(ctl->arg, json_is_true(dry_run), refused, sizeof refused);
    return result ? success(result) : failure(refused);
}

static json_t *answer_unban(struct ctl *ctl, const json_t *request)
{
    const char *address = json_string_value(json_object_get(request, "address"));

    if (!address)
        return failure("\"address\" does not name an address");
    if (!ctl->provider->unban(ctl->arg, address))
        return failure("no address of that name is banned; \"trunklinectl bans\" lists them");
    return success(json_pack("{s:s}", "address", address));
}

static json_t *answer_route_test(struct ctl *ctl, const json_t *request)
{
    const struct route_test ask = {
        .trunk = json_string_value(json_object_get(request, "trunk")),
        .from = json_string_value(json_object_get(request, "from")),
        .to = json_string_value(json_object_get(request, "to")),
    };
    char refused[1024] = "";

    if (!ask.trunk || !ask.from || !ask.to)
        return failure("expected \"trunk\", \"from\" and \"to\", all three strings");
    json_t *result = ctl->provider->route_test(ctl->arg, &ask, refused, sizeof refused);
    return result ? success(result) : failure(refused);
}

static json_t *answer_request(struct ctl *ctl, const json_t *request)
{
    const struct ctl_provider *p = ctl->provider;
    const char *command = json_string_value(json_object_get(request, "command"));

    if (!command)
        return failure("the request has no \"command\"");
    if (strcmp(command, "status") == 0)
        return success(p->status(ctl->arg));
    if (strcmp(command, "calls") == 0)
        return answer_calls(ctl, request);
    if (strcmp(command, "call") == 0)
        return answer_call(ctl, request);
    if (strcmp(command, "trunks") == 0)
        return success(p->trunks(ctl->arg));
    if (strcmp(command, "trunk") == 0)
        return answer_trunk(ctl, request);
    if (strcmp(command, "stats") == 0)
        return success(p->stats(ctl->arg));
    if (strcmp(command, "hangup") == 0)
        return answer_hangup(ctl, request);
    if (strcmp(command, "reload") == 0)
        return answer_reload(ctl, request);
    if (strcmp(command, "certificates") == 0)
        return success(p->certificates(ctl->arg));
    if (strcmp(command, "bans") == 0)
        return success(p->bans(ctl->arg));
    if (strcmp(command, "unban") == 0)
        return answer_unban(ctl, request);
    if (strcmp(command, "route_test") == 0)
        return answer_route_test(ctl, request);
    return failure("unknown command; there are status, calls, call, trunks, trunk, stats, hangup, reload, "
                   "certificates, bans, unban and route_test");
}

static int write_out(const char *bytes, size_t len, void *out)
{
    return evbuffer_add(out, bytes, len);
}

// Sends the answer (and frees it), as one line. -1 when that is not possible.
static int send_answer(struct client *client, json_t *answer, json_t *id)
{
    struct evbuffer *out = bufferevent_get_output(client->stream);
    int rc = -1;

    if (answer && json_object_set(answer, "id", id ? id : json_null()) == 0 &&
        json_dump_callback(answer, write_out, out, JSON_COMPACT) == 0)
        rc = evbuffer_add(out, "\n", 1);
    json_decref(answer);
    return rc;
}

static int serve_line(struct client *client, const char *line, size_t len)
{
    json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
    json_t *id = json_object_get(request, "id");
    json_t *answer;

    if (!json_is_object(request))
        answer = failure("the request is not a JSON object in one line");
    else if (id && !json_is_string(id) && !json_is_integer(id))
        answer = failure("\"id\" is neither a string nor a number");
    else
        answer = answer_request(client->ctl, request);
    int rc = send_answer(client, answer, json_is_string(id) || json_is_integer(id) ? id : NULL);
    json_decref(request);
    return rc;
}

// Serves at most one request, and only to a client that has taken its last answer.
static void serve(struct client *client)
{
    struct evbuffer *in = bufferevent_get_input(client->stream);
    struct evbuffer_ptr end;
    size_t len;

    if (evbuffer_get_length(bufferevent_get_output(client->stream)) != 0)
        return;
    if (client->last) {
        client_free(client);
        return;
    }
    end = evbuffer_search_eol(in, NULL, NULL, EVBUFFER_EOL_LF);
    len = end.pos < 0 ? evbuffer_get_length(in) : (size_t)end.pos;
    if (len > CTL_LINE_MAX) {
        client->last = true;
        if (send_answer(client, failure("the request is longer than 4096 bytes"), NULL) < 0)
            client_free(client);
        static_assert(CTL_LINE_MAX == 4096, "as the sentence says");
        return;
    }
    if (end.pos < 0) {
        bufferevent_enable(client->stream, EV_READ);
        return;
    }
    char *line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);
    if (!line || serve_line(client, line, len) < 0) {
        free(line);
        client_free(client);
        return;
    }
    free(line);
    // Read on when this answer is taken.
    bufferevent_disable(client->stream, EV_READ);
}

// ---- clients

static void on_bytes(struct bufferevent *stream, void *arg)
{
    (void)stream;
    serve(arg);
}

// End of the stream, error or time-out. Who half-closes behind a request still gets the answer.
static void on_event(struct bufferevent *stream, short what, void *arg)
{
    struct client *client = arg;

    if ((what & BEV_EVENT_EOF) && evbuffer_get_length(bufferevent_get_output(stream)) != 0)
        client->last = true;
    else
        client_free(client);
}

static struct timeval milliseconds(unsigned ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000L};
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *addr, int len,
                      void *arg)
{
    static const char full[] = "{\"id\":null,\"ok\":false,\"error\":\"too many clients ask already\"}\n";
    struct ctl *ctl = arg;
    struct client *client = NULL;

    (void)addr, (void)len;
    if (ctl->client_count >= ctl->limits.clients) {
        send(fd, full, sizeof full - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
        close(fd);
        return;
    }
    client = calloc(1, sizeof *client);
    if (client)
        client->stream = bufferevent_socket_new(evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
    if (!client || !client->stream) {
        free(client);
        close(fd);
        return;
    }
    client->ctl = ctl;
    client->next = ctl->clients;
    client->link = &ctl->clients;
    if (client->next)
        client->next->link = &client->next;
    ctl->clients = client;
    ctl->client_count++;
    struct timeval idle = milliseconds(ctl->limits.idle_ms), unread = milliseconds(ctl->limits.unread_ms);
    bufferevent_setcb(client->stream, on_bytes, on_bytes, on_event, client);
    bufferevent_setwatermark(client->stream, EV_READ, 0, CTL_LINE_MAX + 1);
    bufferevent_set_timeouts(client->stream, &idle, &unread);
    bufferevent_enable(client->stream, EV_READ | EV_WRITE);
}

// accept() fails while there is no free descriptor: the connection stays pending and would wake us for ever.
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    struct ctl *ctl = arg;
    struct timeval wait = milliseconds(RETRY_MS);

    evconnlistener_disable(listener);
    evtimer_add(ctl->retry, &wait);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    evconnlistener_enable(((struct ctl *)arg)->listener);
}

// ---- the socket's file

// Removes a socket file that nobody listens on. 0, -EADDRINUSE, -EEXIST or another -errno.
static int remove_stale(const struct sockaddr_un *addr)
{
    struct stat st;
    int fd, rc;

    if (lstat(addr->sun_path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    rc = connect(fd, (const struct sockaddr *)addr, sizeof *addr) < 0 ? errno : 0;
    close(fd);
    if (rc != ECONNREFUSED && rc != ENOENT)
        return rc == 0 || rc == EAGAIN || rc == EPROTOTYPE ? -EADDRINUSE : -rc;
    return unlink(addr->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

static void make_folder(const char *path)
{
    char copy[sizeof((struct sockaddr_un *)0)->sun_path];

    memcpy(copy, path, strlen(path) + 1);
    mkdir(dirname(copy), 0755); // if that fails, bind() says why
}

// A listening socket at the path, or -errno.
static int listen_at(const struct sockaddr_un *addr, struct stat *file)
{
    int rc = remove_stale(addr);

    if (rc < 0)
        return rc;
    make_folder(addr->sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    // bind() makes the file with the mode that the socket has, so nobody can be faster than a chmod.
    if (fchmod(fd, 0600) < 0 || bind(fd, (const struct sockaddr *)addr, sizeof *addr) < 0) {
        rc = -errno;
        close(fd);
        return rc;
    }
    if (stat(addr->sun_path, file) < 0 || listen(fd, BACKLOG) < 0) {
        rc = -errno;
        unlink(addr->sun_path);
        close(fd);
        return rc;
    }
    return fd;
}

int ctl_open(struct ctl **out, struct event_base *base, const char *path, const struct ctl_provider *provider,
             void *arg, const struct ctl_limits *limits)
{
    struct ctl *ctl = calloc(1, sizeof *ctl);

    if (!ctl)
        return -ENOMEM;
    ctl->provider = provider;
    ctl->arg = arg;
    ctl->limits = limits ? *limits : (struct ctl_limits){.clients = 16, .idle_ms = 60000, .unread_ms = 10000};
    ctl->addr.sun_family = AF_UNIX;
    if (strlen(path) >= sizeof ctl->addr.sun_path) {
        free(ctl);
        return -ENAMETOOLONG;
    }
    memcpy(ctl->addr.sun_path, path, strlen(path) + 1);
    int fd = listen_at(&ctl->addr, &ctl->file);
    if (fd < 0) {
        free(ctl);
        return fd;
    }
    ctl->retry = evtimer_new(base, on_retry, ctl);
    ctl->listener = ctl->retry ? evconnlistener_new(base, on_accept, ctl,
                                                    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd)
                               : NULL;
    if (!ctl->listener) {
        close(fd);
        ctl_close(ctl);
        return -ENOMEM;
    }
    evconnlistener_set_error_cb(ctl->listener, on_accept_error);
    signal(SIGPIPE, SIG_IGN); // libevent writes with writev(), which cannot be told not to raise it
    *out = ctl;
    return 0;
}

void ctl_close(struct ctl *ctl)
{
    struct stat st;

    if (!ctl)
        return;
    while (ctl->clients)
        client_free(ctl->clients);
    if (ctl->listener)
        evconnlistener_free(ctl->listener);
    if (ctl->retry)
        event_free(ctl->retry);
    if (lstat(ctl->addr.sun_path, &st) == 0 && st.st_dev == ctl->file.st_dev && st.st_ino == ctl->file.st_ino)
        unlink(ctl->addr.sun_path);
    free(ctl);
}
