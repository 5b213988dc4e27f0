// SPDX-License-Identifier: BSD-3-Clause
// Floods a port of TLS with handshakes, as tests/e2e/attacks.sh has it; prints what it did as "NAME=NUMBER ...".
//   tls_attack KIND TARGET SOURCE SECONDS N [CERTIFICATE KEY]     addresses as 127.0.1.1:5061; the source's port is any
//   full   N at a time, each of them through or refused and then begun anew; with the certificate, or without one
//   half   N that send their ClientHello and then nothing more, each begun anew when it was closed
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNS_MAX = 4096 };

struct conn {
    int fd;
    SSL *ssl;
    bool said; // half: the ClientHello is out
};

static struct sockaddr_in target, source;
static SSL_CTX *ctx;
static unsigned begun, through, refused, not_made;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct sockaddr_in address(const char *text)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    char ip[64];
    unsigned port;
    if (sscanf(text, "%63[0-9.]:%u", ip, &port) != 2 || inet_pton(AF_INET, ip, &a.sin_addr) != 1) {
        fprintf(stderr, "tls_attack: %s is no address\n", text);
        exit(2);
    }
    a.sin_port = htons((uint16_t)port);
    return a;
}

static void end(struct conn *c)
{
    SSL_free(c->ssl);
    if (c->fd >= 0)
        close(c->fd);
    *c = (struct conn){.fd = -1};
}

static void begin(struct conn *c)
{
    struct sockaddr_in from = source;
    struct linger at_once = {1, 0}; // or ports wait, and there are only so many
    from.sin_port = 0;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0)
        return;
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    if (bind(c->fd, (struct sockaddr *)&from, sizeof from) != 0 ||
        (connect(c->fd, (struct sockaddr *)&target, sizeof target) != 0 && errno != EINPROGRESS)) {
        not_made++;
        end(c);
        return;
    }
    c->ssl = SSL_new(ctx);
    SSL_set_fd(c->ssl, c->fd);
    SSL_set_connect_state(c->ssl);
    begun++;
}

// One turn of a handshake. It is over when the other side has taken or refused it: in TLS 1.3 a refused certificate shows
// in the first read only.
static void turn_full(struct conn *c)
{
    char room[256];
    int rc = SSL_do_handshake(c->ssl);
    if (rc == 1)
        rc = SSL_read(c->ssl, room, sizeof room);
    int error = SSL_get_error(c->ssl, rc);
    if (rc <= 0 && (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) &&
        !SSL_is_init_finished(c->ssl))
        return;
    if (rc <= 0 && error == SSL_ERROR_WANT_READ && SSL_version(c->ssl) == TLS1_3_VERSION && !c->said) {
        c->said = true; // once more: tickets or an alert are on their way
        return;
    }
    through += SSL_is_init_finished(c->ssl) && error == SSL_ERROR_WANT_READ;
    refused += !(SSL_is_init_finished(c->ssl) && error == SSL_ERROR_WANT_READ);
    ERR_clear_error();
    end(c);
}

static void turn_half(struct conn *c)
{
    char room[4096];
    if (!c->said) {
        int rc = SSL_do_handshake(c->ssl);
        int error = SSL_get_error(c->ssl, rc);
        c->said = error == SSL_ERROR_WANT_READ;
        ERR_clear_error();
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
            refused++;
            end(c);
        }
        return;
    }
    ssize_t n = recv(c->fd, room, sizeof room, MSG_DONTWAIT); // what it answers is not looked at
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        refused++;
        end(c);
    }
}

int main(int argc, char **argv)
{
    static struct conn conns[CONNS_MAX];
    struct rlimit files = {CONNS_MAX + 64, CONNS_MAX + 64};
    if (argc < 6) {
        fputs("usage: tls_attack full|half TARGET SOURCE SECONDS N [CERTIFICATE KEY]\n", stderr);
        return 2;
    }
    bool half = strcmp(argv[1], "half") == 0;
    target = address(argv[2]);
    source = address(argv[3]);
    double seconds = atof(argv[4]), start = now();
    unsigned count = (unsigned)strtoul(argv[5], NULL, 10);
    count = count < CONNS_MAX ? count : CONNS_MAX;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx || (argc > 7 && (SSL_CTX_use_certificate_chain_file(ctx, argv[6]) != 1 ||
                              SSL_CTX_use_PrivateKey_file(ctx, argv[7], SSL_FILETYPE_PEM) != 1))) {
        fputs("tls_attack: the certificate or its key cannot be read\n", stderr);
        return 2;
    }
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    for (unsigned i = 0; i < count; i++)
        conns[i].fd = -1;
    while (now() - start < seconds) {
        for (unsigned i = 0; i < count; i++) {
            if (conns[i].fd < 0)
                begin(&conns[i]);
            else if (half)
                turn_half(&conns[i]);
            else
                turn_full(&conns[i]);
        }
        usleep(1000);
    }
    for (unsigned i = 0; i < count; i++)
        end(&conns[i]);
    SSL_CTX_free(ctx);
    printf("begun=%u through=%u refused=%u per_s=%.0f%s\n", begun, through, refused, begun / seconds,
           not_made ? " (some found no port)" : "");
    return 0;
}
