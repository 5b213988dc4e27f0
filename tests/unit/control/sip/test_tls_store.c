// SPDX-License-Identifier: BSD-3-Clause
// Files of TLS: what is wrong with them, in words; what is shared; what has changed. openssl(1) makes them when the test runs.
#include "control/sip/tls_show.h"
#include "control/sip/tls_store.h"
#include "runner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/tls-store-XXXXXX";
static struct tl_config config;

static const char *path(const char *name)
{
    static char out[4][TL_FILE_LEN];
    static unsigned next;
    char *p = out[next++ % 4];
    snprintf(p, TL_FILE_LEN, "%s/%s", folder, name);
    return p;
}

static bool shell(const char *command)
{
    char line[1024];
    snprintf(line, sizeof line, "cd %s && { %s ; } >/dev/null 2>&1", folder, command);
    return system(line) == 0;
}

static void no_setup(SSL_CTX *ctx)
{
    (void)ctx;
}

static void copy(char out[static TL_FILE_LEN], const char *name)
{
    snprintf(out, TL_FILE_LEN, "%s", *name ? path(name) : "");
}

// A listener with these files and two trunks on it.
static void configure(const char *certificate, const char *key, const char *ca)
{
    memset(&config, 0, sizeof config);
    config.listener_count = 1;
    config.trunk_count = 2;
    struct tl_listener_config *l = &config.listeners[0];
    snprintf(l->name, sizeof l->name, "tls");
    l->transport = TL_TLS;
    copy(l->tls.certificate, certificate);
    copy(l->tls.key, key);
    copy(l->tls.ca, ca);
    for (uint32_t i = 0; i < 2; i++) {
        snprintf(config.trunks[i].name, sizeof config.trunks[i].name, "t%u", i);
        config.trunks[i].number = i + 1;
    }
}

static bool make_files(void)
{
    return mkdtemp(folder) &&
           shell(
               "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -keyout a.key -subj /CN=a "
               "-days 40 -out a.pem && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -keyout "
               "b.key -subj /CN=b -days 20 -out b.pem && openssl ec -in a.key -aes128 -passout pass:x -out locked.key && "
               "cat a.pem a.key >both.pem && cat a.pem b.pem >cas.pem && echo nothing >nothing.pem");
}

static void wrong_files(void)
{
    static const struct {
        const char *certificate, *key, *ca, *ciphers;
        int err;
        const char *why; // behind "listener tls: " or "trunk t0: "
    } rows[] = {
        {"none.pem", "", "", "", -ENOENT, "certificate F/none.pem: No such file or directory"},
        {"nothing.pem", "", "", "", -EINVAL,
         "certificate F/nothing.pem: there is nothing of that kind in it, in PEM"},
        {"a.key", "", "", "", -EINVAL, "certificate F/a.key: there is nothing of that kind in it, in PEM"},
        {"a.pem", "", "", "", -EINVAL, "key F/a.pem: there is nothing of that kind in it, in PEM"},
        {"a.pem", "none.key", "", "", -ENOENT, "key F/none.key: No such file or directory"},
        {"a.pem", "b.key", "", "", -EINVAL, "key F/b.key: it is not the key of the certificate"},
        {"a.pem", "locked.key", "", "", -EINVAL,
         "key F/locked.key: it needs a password; give a key without one"},
        {"a.pem", "a.key", "none.pem", "", -ENOENT, "CA file F/none.pem: No such file or directory"},
        {"a.pem", "a.key", "nothing.pem", "", -EINVAL, "CA file F/nothing.pem: "},
        {"a.pem", "a.key", "", "NO-SUCH", -EINVAL,
         "tls.ciphers \"NO-SUCH\": OpenSSL knows no cipher of TLS 1.2 by that"},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tls_store *store = NULL;
        char why[512] = "", expected[600], *at;
        configure(rows[i].certificate, rows[i].key, rows[i].ca);
        snprintf(config.listeners[0].tls.ciphers, TL_CIPHERS_LEN, "%s", rows[i].ciphers);
        int err = tls_store_load(&config, no_setup, &store, why, sizeof why);
        snprintf(expected, sizeof expected, "%s: %s", rows[i].ca[0] ? "trunk t0" : "listener tls",
                 rows[i].why);
        if ((at = strstr(expected, "F/"))) {
            char rest[300];
            snprintf(rest, sizeof rest, "%s", at + 1);
            snprintf(at, (size_t)(expected + sizeof expected - at), "%s%s", folder, rest);
        }
        bool good = err == rows[i].err && !store && strncmp(why, expected, strlen(expected)) == 0;
        CU_ASSERT(good);
        if (!good)
            printf("     row %u: %d, %s\n     instead of %d, %s\n", i, err, why, rows[i].err, expected);
    }
}

static void what_is_the_same_is_read_once(void)
{
    struct tls_store *store;
    char why[512];
    configure("a.pem", "a.key", "cas.pem");
    copy(config.trunks[1].tls.ca, "b.pem");
    copy(config.trunks[1].tls.certificate, "both.pem");
    CU_ASSERT_FATAL(tls_store_load(&config, no_setup, &store, why, sizeof why) == 0);
    CU_ASSERT(store->identity_count == 2 && store->trust_count == 2);
    const struct tls_terms *one = tls_store_terms(store, 1), *two = tls_store_terms(store, 2);
    CU_ASSERT_FATAL(one && two);
    CU_ASSERT(one->identity == &store->identities[0] && two->identity == &store->identities[1]);
    CU_ASSERT(one->trust != two->trust);
    CU_ASSERT(!tls_store_terms(store, 0) && !tls_store_terms(store, 3));
    // of several CAs the one that ends first is what people have to know
    CU_ASSERT_STRING_EQUAL(one->trust->subject, "/CN=b");
    CU_ASSERT_STRING_EQUAL(one->identity->subject, "/CN=a");
    CU_ASSERT(one->trust->not_after < one->identity->not_after);
    // a read ends with the record that it has read, whatever was in it
    for (uint32_t i = 0; i < store->identity_count; i++)
        CU_ASSERT((SSL_CTX_get_mode(store->identities[i].ctx) & SSL_MODE_AUTO_RETRY) == 0);
    uint32_t generation = store->generation;
    tls_store_hold(store);
    tls_store_release(store);
    tls_store_release(store);
    CU_ASSERT_FATAL(tls_store_load(&config, no_setup, &store, why, sizeof why) == 0);
    CU_ASSERT(store->generation != generation);
    tls_store_release(store);
}

static void changes_are_seen(void)
{
    struct tls_store *store;
    char why[512];
    configure("a.pem", "a.key", "cas.pem");
    CU_ASSERT_FATAL(tls_store_load(&config, no_setup, &store, why, sizeof why) == 0);
    CU_ASSERT(!tls_store_changed(store));
    CU_ASSERT(shell("mv cas.pem away.pem"));
    CU_ASSERT(!tls_store_changed(store)); // it is on its way
    CU_ASSERT(shell("mv away.pem cas.pem"));
    CU_ASSERT(!tls_store_changed(store));
    CU_ASSERT(shell("cp a.key new.key && mv new.key a.key")); // the same bytes in another file
    CU_ASSERT(tls_store_changed(store));
    tls_store_release(store);
    CU_ASSERT_FATAL(tls_store_load(&config, no_setup, &store, why, sizeof why) == 0);
    CU_ASSERT(shell("cat b.pem >>cas.pem"));
    CU_ASSERT(tls_store_changed(store));
    tls_store_release(store);
}

// ---- shown to people

static struct sip_certificate shown[8];
static unsigned shown_count;

static void take(void *arg, const struct sip_certificate *c)
{
    (void)arg;
    CU_ASSERT_FATAL(shown_count < sizeof shown / sizeof *shown);
    shown[shown_count++] = *c;
}

// What stands in a certificate cannot move a terminal; what ends first counts, be it what the certificate stands on.
static void certificates_are_shown(void)
{
    struct tls_store *store;
    char why[512];
    time_t now = time(NULL);
    CU_ASSERT_FATAL(shell(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -keyout odd.key -utf8 "
        "-subj \"/CN=odd$(printf '\\033[2J')\" -days 100 -addext "
        "'subjectAltName=DNS:a.example.com,IP:192.0.2.1,IP:2001:db8::1,URI:sip:b.example.com' -out odd.pem && "
        "cat odd.pem b.pem >chain.pem"));
    configure("chain.pem", "odd.key", "cas.pem");
    copy(config.trunks[1].tls.certificate, "both.pem");
    CU_ASSERT_FATAL(tls_store_load(&config, no_setup, &store, why, sizeof why) == 0);
    shown_count = 0;
    tls_store_show(store, &config, take, NULL);
    CU_ASSERT_FATAL(shown_count == 5); // the listener, and each trunk with its CAs
    CU_ASSERT(shown[0].listener && !shown[0].trunk && strcmp(shown[0].listener, "tls") == 0);
    CU_ASSERT_STRING_EQUAL(shown[0].subject, "/CN=odd\\x1B[2J");
    CU_ASSERT_STRING_EQUAL(shown[0].issuer, shown[0].subject);
    CU_ASSERT_STRING_EQUAL(shown[0].names,
                           "DNS:a.example.com, IP:192.0.2.1, IP:2001:db8::1, URI:sip:b.example.com");
    CU_ASSERT_STRING_EQUAL(shown[0].ends_first, "/CN=b");
    CU_ASSERT_STRING_EQUAL(shown[0].file, path("chain.pem"));
    CU_ASSERT(sip_certificate_end(&shown[0]) < shown[0].not_after);
    CU_ASSERT_STRING_EQUAL(sip_certificate_state(&shown[0], now), "ends soon");
    CU_ASSERT(shown[2].ca && strcmp(shown[2].trunk, "t0") == 0 && strcmp(shown[2].subject, "/CN=b") == 0);
    CU_ASSERT(!shown[3].ca && strcmp(shown[3].trunk, "t1") == 0 && strcmp(shown[3].subject, "/CN=a") == 0);
    CU_ASSERT(shown[3].ends_first_at == 0 && shown[3].names[0] == '\0');
    CU_ASSERT_STRING_EQUAL(sip_certificate_state(&shown[3], now), "ok");
    CU_ASSERT_STRING_EQUAL(sip_certificate_state(&shown[3], now + 15 * 24 * 3600), "ends soon");
    CU_ASSERT_STRING_EQUAL(sip_certificate_state(&shown[3], now + 50 * 24 * 3600), "expired");
    CU_ASSERT_STRING_EQUAL(sip_certificate_state(&shown[3], now - 24 * 3600), "not yet valid");
    tls_store_release(store);
}

// Trunks and listeners without TLS need no file.
static void without_tls(void)
{
    struct tls_store *store;
    char why[512];
    configure("", "", "");
    config.listeners[0].transport = TL_TCP;
    CU_ASSERT_FATAL(tls_store_load(&config, no_setup, &store, why, sizeof why) == 0);
    CU_ASSERT(store->identity_count == 0 && store->trust_count == 0 && !tls_store_terms(store, 1));
    CU_ASSERT(!tls_store_changed(store));
    tls_store_release(store);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"wrong_files", wrong_files},
        {"what_is_the_same_is_read_once", what_is_the_same_is_read_once},
        {"changes_are_seen", changes_are_seen},
        {"certificates_are_shown", certificates_are_shown},
        {"without_tls", without_tls},
    };
    if (!make_files()) {
        puts("FAIL openssl cannot make the files");
        return 1;
    }
    int status = test_main("tls_store", TEST_CASES(cases), argc, argv);
    shell("rm -f *.pem *.key");
    rmdir(folder);
    return status;
}
