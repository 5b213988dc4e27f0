// SPDX-License-Identifier: BSD-3-Clause
#include "sdp_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *word, *name;
    int pt, rate;
} codecs[] = {
    {"pcmu", "PCMU", 0, 8000},  {"pcma", "PCMA", 8, 8000},    {"g722", "G722", 9, 8000},
    {"cn", "CN", 13, 8000},     {"g729", "G729", 18, 8000},   {"gsm", "GSM", 3, 8000},
    {"ilbc", "iLBC", 97, 8000}, {"opus", "opus", 111, 48000}, {"silk", "SILK", 104, 16000},
};
enum { CODECS = sizeof codecs / sizeof codecs[0] };

static const char *const directions[] = {"sendrecv", "sendonly", "recvonly", "inactive"};

static int codec_of(const char *word)
{
    for (int i = 0; i < CODECS; i++)
        if (strcasecmp(codecs[i].word, word) == 0)
            return i;
    return -1;
}

static bool value_word(struct sdp_words *w, const char *word)
{
    if (strncmp(word, "port=", 5) == 0)
        w->port = atoi(word + 5);
    else if (strncmp(word, "ip=", 3) == 0)
        snprintf(w->ip, sizeof w->ip, "%s", word + 3);
    else if (strncmp(word, "te=", 3) == 0)
        w->te = strcmp(word + 3, "none") == 0 ? -1 : atoi(word + 3);
    else if (strncmp(word, "key=", 4) == 0)
        snprintf(w->key, sizeof w->key, "%s", word + 4);
    else if (strncmp(word, "crypto", 6) == 0 && (word[6] == '=' || !word[6]) && w->suites < 2)
        snprintf(w->suite[w->suites++], sizeof w->suite[0], "%s",
                 word[6] ? word + 7 : "AES_CM_128_HMAC_SHA1_80");
    else
        return false;
    return true;
}

bool sdp_word(struct sdp_words *w, const char *word)
{
    if (strcmp(word, "sdp") == 0) {
        w->wanted = true;
        w->port = -1;
        return true;
    }
    if (strcmp(word, "no-sdp") == 0) {
        w->none = true;
        return true;
    }
    if (!w->wanted)
        return false;
    int c = codec_of(word);
    if (c >= 0 && w->codecs < SDP_WORDS_CODECS) {
        w->codec[w->codecs++] = codecs[c].word;
        return true;
    }
    for (unsigned i = 0; i < 4; i++)
        if (strcmp(word, directions[i]) == 0) {
            w->direction = directions[i];
            return true;
        }
    if (strcmp(word, "plain") == 0)
        w->plain = true;
    else if (strcmp(word, "secure") == 0)
        w->secure = true;
    else if (strcmp(word, "mux") == 0)
        w->mux = true;
    else
        return value_word(w, word);
    return true;
}

// A key that depends on its name alone, base64.
static void key_text(const char *name, unsigned octets, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint64_t h = 1469598103934665603u;
    unsigned bits = octets * 8, n = 0;
    for (; *name; name++)
        h = (h ^ (uint8_t)*name) * 1099511628211u;
    for (unsigned at = 0; at < bits; at += 6) {
        h = h * 6364136223846793005u + 1442695040888963407u;
        unsigned digit = (unsigned)(h >> 58);
        if (bits - at < 6) // what is beyond the last octet is 0
            digit &= ~0u << (6 - (bits - at)) & 63;
        out[n++] = digits[digit];
    }
    while (n % 4)
        out[n++] = '=';
    out[n] = 0;
}

static unsigned key_octets(const char *suite)
{
    if (strcmp(suite, "AEAD_AES_128_GCM") == 0)
        return 28;
    if (strcmp(suite, "AEAD_AES_256_GCM") == 0)
        return 44;
    return strncmp(suite, "AES_256", 7) == 0 ? 46 : 30;
}

void sdp_make(const struct sdp_words *w, const char *ip, unsigned port, const char *owner, unsigned version,
              const char *key, struct text *out)
{
    const char *addr = w->ip[0] ? w->ip : ip;
    unsigned count = w->codecs ? w->codecs : 1;
    int te = w->te ? w->te : 101;
    text_add(out, "v=0\r\no=%s 1 %u IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n", owner, version, ip, addr);
    text_add(out, "m=audio %d RTP/%s", w->port >= 0 ? w->port : (int)port,
             w->suites || w->secure ? "SAVP" : "AVP");
    for (unsigned i = 0; i < count; i++)
        text_add(out, " %d", w->codecs ? codecs[codec_of(w->codec[i])].pt : 8);
    if (te > 0)
        text_add(out, " %d", te);
    text_add(out, "\r\n");
    for (unsigned i = 0; i < w->codecs; i++) {
        int c = codec_of(w->codec[i]);
        text_add(out, "a=rtpmap:%d %s/%d%s\r\n", codecs[c].pt, codecs[c].name, codecs[c].rate,
                 codecs[c].rate == 48000 ? "/2" : "");
    }
    if (te > 0)
        text_add(out, "a=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-15\r\n", te, te);
    for (unsigned i = 0; i < w->suites; i++) {
        char name[80], text[80];
        snprintf(name, sizeof name, "%s#%u", w->key[0] ? w->key : key, i);
        key_text(name, key_octets(w->suite[i]), text);
        text_add(out, "a=crypto:%u %s inline:%s\r\n", i + 1, w->suite[i], text);
    }
    if (w->mux)
        text_add(out, "a=rtcp-mux\r\n");
    if (w->direction)
        text_add(out, "a=%s\r\n", w->direction);
}

// ---- the other way ------------------------------------------------------------------------------------

struct seen {
    char codec[16][16];
    unsigned codecs;
    int te, port;
    bool secure, mux;
    unsigned cryptos;
    char suite[16][40];
    char ip[40];
    const char *direction;
};

static const char *static_name(int pt)
{
    for (unsigned i = 0; i < CODECS; i++)
        if (codecs[i].pt == pt && pt < 96)
            return codecs[i].name;
    return "?";
}

// The name that a=rtpmap gives to a payload type.
static void name_of(const char *body, int pt, char *out, size_t size)
{
    char key[32];
    snprintf(key, sizeof key, "\na=rtpmap:%d ", pt);
    const char *at = strstr(body, key);
    snprintf(out, size, "%s", static_name(pt));
    if (at)
        snprintf(out, size, "%.*s", (int)strcspn(at + strlen(key), "/\r\n"), at + strlen(key));
}

static bool look(const char *body, struct seen *s)
{
    const char *m = strstr(body, "\nm=audio "), *c = strstr(body, "\nc=IN IP4 ");
    char proto[32];
    int used = 0;
    *s = (struct seen){.te = -1, .direction = directions[0]};
    if (!m || sscanf(m, "\nm=audio %d %31s%n", &s->port, proto, &used) < 2)
        return false;
    s->secure = strstr(proto, "SAVP") != NULL;
    for (const char *p = m + used; *p == ' ' && s->codecs < 16;) {
        char name[16];
        int pt = atoi(++p);
        p += strcspn(p, " \r\n");
        name_of(body, pt, name, sizeof name);
        if (strcasecmp(name, "telephone-event") == 0)
            s->te = pt;
        else
            snprintf(s->codec[s->codecs++], sizeof s->codec[0], "%s", name);
    }
    if (c)
        snprintf(s->ip, sizeof s->ip, "%.*s", (int)strcspn(c + 10, "\r\n/ "), c + 10);
    for (unsigned i = 0; i < 4; i++) {
        char line[32];
        snprintf(line, sizeof line, "\na=%s\r\n", directions[i]);
        if (strstr(body, line))
            s->direction = directions[i];
    }
    s->mux = strstr(body, "\na=rtcp-mux\r\n") != NULL;
    for (const char *p = body; (p = strstr(p, "\na=crypto:")) && s->cryptos < 16;) {
        p += 10;
        sscanf(p, "%*d %39s", s->suite[s->cryptos++]);
    }
    return true;
}

static bool same_codecs(const struct sdp_words *w, const struct seen *s)
{
    if (w->codecs != s->codecs)
        return false;
    for (unsigned i = 0; i < w->codecs; i++)
        if (strcasecmp(codecs[codec_of(w->codec[i])].name, s->codec[i]) != 0)
            return false;
    return true;
}

bool sdp_check(const struct sdp_words *w, const char *body, char *why, size_t why_size)
{
    struct seen s;
    if (w->none && !body[0])
        return true;
    snprintf(why, why_size, "it has a body");
    if (w->none)
        return false;
    snprintf(why, why_size, body[0] ? "no audio in its SDP" : "it has no SDP");
    if (!look(body, &s))
        return false;
#define DIFFERS(condition, ...)                                                                              \
    if (condition) {                                                                                         \
        snprintf(why, why_size, __VA_ARGS__);                                                                \
        return false;                                                                                        \
    }
    DIFFERS(w->codecs && !same_codecs(w, &s), "codecs differ: %u there, first %s", s.codecs,
            s.codecs ? s.codec[0] : "none")
    DIFFERS(w->direction && strcmp(w->direction, s.direction) != 0, "direction is %s", s.direction)
    DIFFERS(w->te > 0 && w->te != s.te, "telephone-event is %d", s.te)
    DIFFERS(w->te < 0 && s.te >= 0, "telephone-event is there, %d", s.te)
    DIFFERS(w->port >= 0 && w->port != s.port, "port is %d", s.port)
    DIFFERS(w->ip[0] && strcmp(w->ip, s.ip) != 0, "address is %s", s.ip)
    DIFFERS(w->plain && (s.secure || s.cryptos), "it is not plain RTP")
    DIFFERS((w->secure || w->suites) && (!s.secure || !s.cryptos), "it is not SRTP")
    DIFFERS(w->suites && strcmp(w->suite[0], s.suite[0]) != 0, "suite is %s", s.suite[0])
    DIFFERS(w->suites > 1 && (s.cryptos < 2 || strcmp(w->suite[1], s.suite[1]) != 0), "second suite is %s",
            s.cryptos > 1 ? s.suite[1] : "not there")
    DIFFERS(w->mux && !s.mux, "no a=rtcp-mux")
#undef DIFFERS
    return true;
}
