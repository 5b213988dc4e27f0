// SPDX-License-Identifier: BSD-3-Clause
// G.711 from law to law: the tables derived anew from the laws themselves, every code against the byte by
// byte one, and memory (guard pages on both sides).
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dataplane/session/g711.h"
#include "runner.h"

enum { VALUES = 128, LEN_MAX = 1500 };

// Decoder output values of one sign by number (A-law's numbers are one higher, 1 to 128), from Tables 1 and 2
// of G.711. Full load is +3.14 dBm0 in A-law and +3.17 dBm0 in mu-law (its 3.1), so the same sound has values
// that stand in that proportion; both come out on mu-law's scale.
static double mu_value(int number)
{
    return ((2 * (number & 15) + 33) << (number >> 4)) - 33;
}

static double a_value(int number)
{
    int n = number - 1, value = n < 16 ? 2 * n + 1 : (2 * (n & 15) + 33) << ((n >> 4) - 1);
    return value * 8159 / 4096.0 * pow(10, (3.14 - 3.17) / 20);
}

static int nearest(double value, double (*of)(int), int first)
{
    int best = first;
    for (int i = first; i < first + VALUES; i++)
        if (fabs(of(i) - value) < fabs(of(best) - value))
            best = i;
    return best;
}

// What the Recommendation's tables say, which is the nearest value but for two entries that its notes name:
// they make A-mu-A transparent for bits 1 to 7 (Amendments, Note 3 to Tables 3 and 4).
static int mu_of_a(int number)
{
    return number == 80 ? 79 : nearest(a_value(number), mu_value, 0);
}

static int a_of_mu(int number)
{
    return number == 80 ? 81 : nearest(mu_value(number), a_value, 1);
}

// Character signals: bit 7 is set for a positive value; A-law has its even bits (0x55) inverted, mu-law all.
static uint8_t a_signal(int positive, int number)
{
    return ((positive ? 0x80 : 0) | (number - 1)) ^ 0x55;
}

static uint8_t mu_signal(int positive, int number)
{
    return (positive ? 0x80 : 0) | (0x7f ^ number);
}

static void by_the_recommendation(void)
{
    for (enum g711_code code = 0; code < G711_CODE_COUNT; code++) {
        if (!g711_force(code))
            continue;
        for (int positive = 0; positive < 2; positive++)
            for (int n = 0; n < VALUES; n++) {
                uint8_t a = a_signal(positive, n + 1), mu = mu_signal(positive, n);
                g711_a_to_u(&a, 1);
                g711_u_to_a(&mu, 1);
                CU_ASSERT_EQUAL(a, mu_signal(positive, mu_of_a(n + 1)));
                CU_ASSERT_EQUAL(mu, a_signal(positive, a_of_mu(n)));
            }
    }
}

// Entries that anyone can look up in Tables 3 and 4, and the silence of both laws.
static void known_values(void)
{
    static const struct {
        uint8_t a, mu;
    } to_mu[] = {{0xd5, 0xfe}, {0x55, 0x7e}, {0xaa, 0x80}, {0x2a, 0x00}},
      to_a[] = {{0xd5, 0xff}, {0x55, 0x7f}, {0xaa, 0x80}, {0x2a, 0x00}};
    CU_ASSERT_TRUE_FATAL(g711_force(G711_SCALAR));
    for (size_t i = 0; i < 4; i++) {
        uint8_t x = to_mu[i].a, y = to_a[i].mu;
        g711_a_to_u(&x, 1);
        g711_u_to_a(&y, 1);
        CU_ASSERT_EQUAL(x, to_mu[i].mu);
        CU_ASSERT_EQUAL(y, to_a[i].a);
    }
}

// A-mu-A gives bits 1 to 7 back for every signal, and all eight but where mu-law, coarser there, has one
// value for two. mu-A-mu gives all back but where A-law has one for two, next to zero.
static void there_and_back(void)
{
    unsigned a_lost = 0, mu_lost = 0;
    g711_select();
    for (unsigned i = 0; i < 256; i++) {
        uint8_t a = i, mu = i;
        g711_a_to_u(&a, 1);
        g711_u_to_a(&a, 1);
        g711_u_to_a(&mu, 1);
        g711_a_to_u(&mu, 1);
        CU_ASSERT_EQUAL(a & 0xfe, i & 0xfe);
        CU_ASSERT_EQUAL(mu & 0xfe, i & 0xfe);
        a_lost += a != i;
        mu_lost += mu != i;
    }
    CU_ASSERT_EQUAL(a_lost, 16);
    CU_ASSERT_EQUAL(mu_lost, 16);
}

// ---- vector code -------------------------------------------------------------------------------------

static void byte_for(uint8_t *p, unsigned len, unsigned seed)
{
    for (unsigned i = 0; i < len; i++)
        p[i] = (uint8_t)((seed + i) * 167 + (i >> 8) * 31);
}

// Each length at each place within a vector, with bytes before and behind that must stay.
static void like_scalar(void)
{
    static uint8_t got[LEN_MAX + 192], want[LEN_MAX + 192];
    for (enum g711_code code = G711_SCALAR + 1; code < G711_CODE_COUNT; code++) {
        if (!g711_force(code))
            continue;
        for (unsigned len = 0; len <= LEN_MAX; len += len < 200 ? 1 : 61) {
            unsigned wrong = 0;
            for (unsigned at = 0; at < 64; at++) {
                byte_for(got, sizeof got, len + at);
                memcpy(want, got, sizeof got);
                g711_force(code);
                g711_a_to_u(got + at, len);
                g711_force(G711_SCALAR);
                g711_a_to_u(want + at, len);
                wrong += memcmp(got, want, sizeof got) != 0;
                g711_force(code);
                g711_u_to_a(got + at, len);
                g711_force(G711_SCALAR);
                g711_u_to_a(want + at, len);
                wrong += memcmp(got, want, sizeof got) != 0;
            }
            CU_ASSERT_EQUAL(wrong, 0);
        }
    }
}

// A page with nothing before and behind it: whoever reads or writes a byte too far dies.
static void inside_guard_pages(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *map = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_TRUE_FATAL(map != MAP_FAILED && mprotect(map + page, page, PROT_READ | PROT_WRITE) == 0);
    uint8_t *first = map + page, *end = map + 2 * page;
    for (enum g711_code code = 0; code < G711_CODE_COUNT; code++) {
        if (!g711_force(code))
            continue;
        for (unsigned len = 0; len <= LEN_MAX; len++) {
            byte_for(first, page, len);
            g711_a_to_u(first, len);
            g711_u_to_a(end - len, len);
        }
        g711_a_to_u(end, 0);
        byte_for(end - 1, 1, 0);
        CU_ASSERT_EQUAL(end[-1], 0);
    }
    munmap(map, 3 * page);
}

static void choice(void)
{
    CU_ASSERT_TRUE(g711_force(G711_SCALAR));
    CU_ASSERT_FALSE(g711_force(G711_CODE_COUNT));
    CU_ASSERT_EQUAL(g711.code, G711_SCALAR);
    enum g711_code best = G711_SCALAR;
    for (enum g711_code code = 0; code < G711_CODE_COUNT; code++)
        if (g711_force(code))
            best = code;
    g711_force(G711_SCALAR);
    g711_select();
    CU_ASSERT_EQUAL(g711.code, best);
    CU_ASSERT_STRING_EQUAL(g711_name(G711_SCALAR), "scalar");
    CU_ASSERT_STRING_EQUAL(g711_name(G711_CODE_COUNT), "none");
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"the tables of the Recommendation", by_the_recommendation},
        {"known values", known_values},
        {"there and back", there_and_back},
        {"vector code as byte by byte", like_scalar},
        {"inside guard pages", inside_guard_pages},
        {"choice", choice},
    };
    return test_main("g711", TEST_CASES(cases), argc, argv);
}
