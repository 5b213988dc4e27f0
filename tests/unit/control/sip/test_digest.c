// SPDX-License-Identifier: BSD-3-Clause
// The arithmetic of digest authentication against published examples, and against values made with Python's hashlib.
#include <string.h>

#include "control/sip/digest.h"
#include "runner.h"

static struct sip_str str(const char *s)
{
    return (struct sip_str){s, strlen(s)};
}

struct row {
    const char *user, *realm, *password;
    struct digest_input in; // without secret
    const char *response;
};

static void play(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char secret[DIGEST_HEX], response[DIGEST_HEX];
        struct digest_input in = rows[i].in;
        CU_ASSERT_FATAL(digest_secret(in.algorithm, str(rows[i].user), str(rows[i].realm),
                                      str(rows[i].password), secret) == 0);
        in.secret = secret;
        CU_ASSERT(digest_response(&in, response) == 0);
        CU_ASSERT_STRING_EQUAL(response, rows[i].response);
    }
}

#define STR(s)                                                                                               \
    {                                                                                                        \
        (s), sizeof(s) - 1                                                                                   \
    }

// RFC 2617 3.5, RFC 2069 2.4 (as its erratum 749 has it), RFC 7616 3.9.1 with both algorithms.
static void published(void)
{
    static const char nonce_2617[] = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
    static const char nonce_7616[] = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
                      cnonce_7616[] = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    const struct row rows[] = {
        {"Mufasa",
         "testrealm@host.com",
         "Circle Of Life",
         {.algorithm = DIGEST_MD5,
          .qop = true,
          .nonce = str(nonce_2617),
          .cnonce = STR("0a4f113b"),
          .count = 1,
          .method = STR("GET"),
          .uri = STR("/dir/index.html")},
         "6629fae49393a05397450978507c4ef1"},
        {"Mufasa",
         "testrealm@host.com",
         "CircleOfLife",
         {.algorithm = DIGEST_MD5,
          .nonce = str(nonce_2617),
          .method = STR("GET"),
          .uri = STR("/dir/index.html")},
         "1949323746fe6a43ef61f9606e7febea"},
        {"Mufasa",
         "http-auth@example.org",
         "Circle of Life",
         {.algorithm = DIGEST_MD5,
          .qop = true,
          .nonce = str(nonce_7616),
          .cnonce = str(cnonce_7616),
          .count = 1,
          .method = STR("GET"),
          .uri = STR("/dir/index.html")},
         "8ca523f5e9506fed4657c9700eebdbec"},
        {"Mufasa",
         "http-auth@example.org",
         "Circle of Life",
         {.algorithm = DIGEST_SHA_256,
          .qop = true,
          .nonce = str(nonce_7616),
          .cnonce = str(cnonce_7616),
          .count = 1,
          .method = STR("GET"),
          .uri = STR("/dir/index.html")},
         "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
        // RFC 7616 3.9.2, whose printed value is wrong (erratum 4897): made with hashlib's sha512_256
        {"J\xc3\xa4s\xc3\xb8n Doe",
         "api@example.org",
         "Secret, or not?",
         {.algorithm = DIGEST_SHA_512_256,
          .qop = true,
          .nonce = STR("5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK"),
          .cnonce = STR("NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm"),
          .count = 1,
          .method = STR("GET"),
          .uri = STR("/doe.json")},
         "7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c"},
    };
    play(rows, sizeof rows / sizeof *rows);
}

// Every algorithm (RFC 8760) with each form: no qop, qop=auth, a later count, -sess.
static void every_form(void)
{
    static const char *const expected[DIGEST_ALGORITHM_COUNT][4] = {
        [DIGEST_MD5] = {"bf57e4e0d0bffc0fbaedce64d59add5e", "89eb0059246c02b2f6ee02c7961d5ea3",
                        "dd92b27f274c74e6c82af14013cfde8f", "e4e4ea61d186d07a92c9e1f6919902e9"},
        [DIGEST_SHA_256] = {"38aad98c50c33abe72c5f88dd17246ffcfa6b1f68852c855719ff0659386c0ca",
                            "b3b5a6c69453abafaab9ae4dccdac90a076b6c80615d5f3498e7433b6e93bf4f",
                            "ed0981ba1085ee71448521e74d4773edd17a814b61b4a44230b15ac0e0ee45fa",
                            "5da59c9ca40954be9d5063a15a174066c8251be2c10cf47c144c366dc7daf792"},
        [DIGEST_SHA_512_256] = {"9e960b3a01beb63f1ea5d45d43bd8a2178879d3c9ddbbdb0624187ca823c6eca",
                                "7f1a09de0f19af0a1eac2b28d33e3f2fb89cca1ad8fb01bba5e1883b288bac14",
                                "8f00aa39afcd79bf6f83bfc99b9fd84db43adf79c814fe141f1cb8782363c649",
                                "077d9677be83f41f162d1a4453dc163389919f81e5927391d972f477da767633"},
    };
    for (unsigned a = 0; a < DIGEST_ALGORITHM_COUNT; a++)
        for (unsigned form = 0; form < 4; form++) {
            const struct row row = {"bob",
                                    "biloxi.com",
                                    "zanzibar",
                                    {.algorithm = (enum digest_algorithm)a,
                                     .session = form == 3,
                                     .qop = form > 0,
                                     .nonce = STR("dcd98b7102dd2f0e8b11d0f600bfb0c093"),
                                     .cnonce = STR("0a4f113b"),
                                     .count = form == 2 ? 0xff : 1,
                                     .method = STR("INVITE"),
                                     .uri = STR("sip:bob@biloxi.com")},
                                    expected[a][form]};
            play(&row, 1);
        }
}

static void names(void)
{
    static const struct {
        const char *name;
        bool known, session;
        enum digest_algorithm algorithm;
    } rows[] = {
        {"MD5", true, false, DIGEST_MD5},
        {"md5-SESS", true, true, DIGEST_MD5},
        {"sha-256", true, false, DIGEST_SHA_256},
        {"SHA-256-sess", true, true, DIGEST_SHA_256},
        {"SHA-512-256", true, false, DIGEST_SHA_512_256},
        {"SHA-512-256-sess", true, true, DIGEST_SHA_512_256},
        {"SHA-512", false, false, DIGEST_MD5},
        {"AKAv1-MD5", false, false, DIGEST_MD5},
        {"", false, false, DIGEST_MD5},
        {"MD5 ", false, false, DIGEST_MD5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum digest_algorithm algorithm;
        bool session;
        bool known = digest_by_name(str(rows[i].name), &algorithm, &session);
        CU_ASSERT(known == rows[i].known);
        CU_ASSERT(!known || (algorithm == rows[i].algorithm && session == rows[i].session));
    }
    CU_ASSERT_STRING_EQUAL(digest_name(DIGEST_SHA_512_256, false), "SHA-512-256");
    CU_ASSERT_STRING_EQUAL(digest_name(DIGEST_MD5, true), "MD5-sess");
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"published", published},
        {"every_form", every_form},
        {"names", names},
    };
    return test_main("digest", TEST_CASES(cases), argc, argv);
}
