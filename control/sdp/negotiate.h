// SPDX-License-Identifier: BSD-3-Clause
// Offer and answer (RFC 3264) of one audio stream between the two legs of a call: G.711 and telephone-event,
// SRTP by SDES, hold, rtcp-mux. Pure: reads and writes structs, randomness comes as a parameter. A side is
// offered first what the other has, and answered only what the other chose: the dataplane converts between
// the two laws of G.711 where the sides have none in common, and only there.
//
//   offer of A:   neg_take_offer(a)  neg_make_offer(b, a)   ... to B
//   answer of B:  neg_take_answer(b) neg_make_answer(a, b)  ... to A, neg_fill(a, b) to the dataplane
//
// A leg that says no leaves the stream as it was: work on copies and keep them when all four went well.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/config/config.h"
#include "common/key_history.h"
#include "control/base/record.h"
#include "control/sdp/sdes.h"
#include "control/sdp/sdp.h"

enum neg_codec { NEG_PCMU, NEG_PCMA, NEG_EVENT, NEG_CODECS };

enum {
    NEG_NO_PT = 0xff,
    NEG_BODY_MAX = 4096,  // of an SDP that we write
    NEG_LINES_MAX = 1200, // of all m= lines of a side, see neg_leg.lines
    NEG_NO_LINE = 0xff,
    NEG_PASS_MAX = 384,
    NEG_FMTP_MAX = 48,
    NEG_SAVE_MAX = 8192, // of what neg_save() writes
};

enum neg_said { NEG_SAID_NOTHING, NEG_SAID_OFFER, NEG_SAID_ANSWER };

// What we said last, beside what else stands in the leg: enough to write the same bytes once more.
struct neg_word {
    uint8_t kind;      // enum neg_said: nothing since the remote side's last offer, an offer, an answer to it
    uint8_t first;     // the law that was named first
    uint8_t direction; // enum sdp_direction: what we said that we do
    bool mux;
    uint64_t version;              // in o=
    uint64_t hash;                 // of the body
    bool off;                      // the audio has port 0
    bool zero;                     // hold by 0.0.0.0 in c=
    char event_fmtp[NEG_FMTP_MAX]; // the other side's, as they went in
    char pass[NEG_PASS_MAX];
};

// What we and one remote side have told each other. Zeroed and given its trunk by neg_init(); wiped by
// neg_fini().
struct neg_leg {
    const struct tl_trunk_config *trunk;
    struct tl_addr local; // media address and RTP port that the dataplane confirmed
    // what the remote side said last
    struct tl_addr rtp, rtcp;      // see tl_leg
    uint8_t remote_pt[NEG_CODECS]; // what to send it, NEG_NO_PT: not taken
    uint8_t direction;  // enum sdp_direction, the remote side's word; hold by 0.0.0.0 and by port 0 included
    bool off;           // its audio has port 0, or there is none: direction is SDP_INACTIVE
    bool agreed;        // there was audio with a port, by which we have each other's keys
    uint8_t g711_first; // which it likes better, NEG_PCMU or NEG_PCMA
    bool offered_last;  // it made the last offer; else it answered ours, and its codecs are its choice
    uint16_t ptime;     // ms, the smaller of its ptime and maxptime; 0: neither
    bool remote_mux;    // it can RFC 5761
    bool rtcp_mux;      // agreed
    char event_fmtp[NEG_FMTP_MAX]; // its telephone-event parameters
    char pass[NEG_PASS_MAX];       // its lines for the other side, each with CRLF
    uint64_t remote_hash;          // of all that we use of its SDP, see neg_same_sdp()
    // what we said last
    uint8_t local_pt[NEG_CODECS]; // what it is to send us
    uint8_t kept_pt[NEG_CODECS];  // the number each codec had last in this session
    struct neg_word word;
    struct sdes_crypto offered[TL_SUITES_MAX];
    uint8_t offered_count;
    uint64_t session_id, version;
    uint64_t hash; // of the body without its version
    // agreed
    uint8_t proto; // enum sdp_proto
    struct sdes_crypto rx, tx;
    struct tl_key_history rx_keys; // what the remote side has sent with
    // shape of the remote side's m= lines: every answer and new offer has as many, RFC 3264 8
    uint8_t line_count;
    uint8_t audio_line;        // NEG_NO_LINE: it named none
    char lines[NEG_LINES_MAX]; // as those that are refused are answered, "video 0 RTP/AVP 31\n" each
};

struct neg_random {
    sdes_random fill;
    void *arg;
};

// Starts a leg on a trunk. Takes the o= session id from `random`; returns 0 or its error.
int neg_init(struct neg_leg *leg, const struct tl_trunk_config *trunk, struct neg_random random);

void neg_fini(struct neg_leg *leg);

// Takes an offer (first or later) of the remote side of `leg`: picks the audio line, codecs and the crypto
// line, and makes our keys where it needs new ones. Audio with port 0, or an SDP without any medium that has a
// port, is taken as well (RFC 3264 5.1, 8.2): the leg is `off` then, at the start of a call and by a later offer,
// which is a hold to the other side. Returns 0; -ENOTSUP with *why set when nothing there fits the trunk (a SIP
// 488); -errno of `random`. The leg is changed also on failure.
int neg_take_offer(struct neg_leg *leg, const struct sdp *sdp, const char *text, struct neg_random random,
                   const char **why);

// Takes the answer to our last offer; as above.
int neg_take_answer(struct neg_leg *leg, const struct sdp *sdp, const char *text, struct neg_random random,
                    const char **why);

// Writes an offer to the remote side of `leg` into out (NEG_BODY_MAX bytes, NUL at the end): what `other`'s
// remote side offers, or with NULL all that we relay, sendrecv. A hold has the form that the trunk wants
// (tl_trunk_config.hold); while `other` is off, the audio is held where there was some, else it has port 0.
// leg->local must be known. The first offer has a key for each suite of the trunk, later ones the key in use.
// Returns its length, -ENOTSUP when `other` has nothing for this side, -ENOSPC, or -errno of `random`.
int neg_make_offer(struct neg_leg *leg, const struct neg_leg *other, struct neg_random random, char *out);

// Writes the answer to the offer that `leg` took last: what `other`'s remote side chose of it. An offer with port
// 0 gets port 0 (RFC 3264 6); while `other` is off, the audio is inactive. Returns its length;
// -ENOTSUP when they have no codec in common; -ENOSPC.
int neg_make_answer(struct neg_leg *leg, const struct neg_leg *other, char *out);

// Whether an SDP that has just come says what the remote side of `leg` said last: equal in all that we use of it.
// A version in o= that was raised makes it another one, whatever it says (RFC 3264 8); one that was not does not
// make it the same. An offer that is the same (a session refresh, RFC 4028 7.4) needs no word to the other side:
// take it and answer it by neg_repeat_answer(), for neg_take_offer() leaves a leg that was answered an equal
// offer as it is; where that gives -ENOENT (this side has answered an offer of ours) by neg_make_answer().
bool neg_same_sdp(const struct neg_leg *leg, const struct sdp *sdp, const char *text);

// Writes the answer that this leg was given last once more, byte for byte (RFC 3261 13.2.1: the answer in a
// 2xx is the one of the reliable or unreliable 1xx before it). What the other side says meanwhile does not
// count: neg_fill() knows of a leg that has its answer, and converts to the laws, the direction and the
// telephone-event that this answer named. Returns its length; -ENOENT when the leg has been given no answer
// since its last offer; -ENOSPC.
int neg_repeat_answer(const struct neg_leg *leg, char *out);

// The warn-code of RFC 3261 20.43 for a sentence of `why` (300..399; 399 for one that has no code of its
// own). Any thread.
unsigned neg_warn_code(const char *why);

// Writes the value of a Warning header: `304 agent "no audio is offered"`. `agent` is a host or a pseudonym (a
// token). Returns its length or -ENOSPC.
int neg_warning(const char *why, const char *agent, char *out, size_t cap);

// Whether the remote side has told what it takes, or that it takes nothing: its offer or answer was taken.
bool neg_has_spoken(const struct neg_leg *leg);

// What the remote side of `leg` may send: packet size, packets and bytes a second and their burst. From the
// packet times of both sides' SDP (`leg` and `other` may be zeroed: nothing was said yet), the suite and MKI
// of what it sends, and the trunk's switches. Packets of 10 ms are always allowed, so that nobody is held to
// a ptime that the SDP only recommends (RFC 4566 6).
void neg_limits(const struct tl_trunk_config *trunk, const struct neg_leg *leg, const struct neg_leg *other,
                struct tl_leg *out);

// Makes the contract's two legs (without realms and resume fields) of what both sides agreed: addresses,
// keys, payload types and who may send. A leg that was given its answer sends and takes what that answer named,
// also when the other side has said something else since. `out` holds keys: wipe it.
void neg_fill(const struct neg_leg *a, const struct neg_leg *b, struct tl_leg out[2]);

// Saves the leg as the section `name` of a record: all that it needs to go on in another process, its keys in clear
// included, so the caller wipes what was written. Its trunk stands there by name. Takes at most NEG_SAVE_MAX bytes.
void neg_save(struct record_writer *w, const char *name, const struct neg_leg *leg);

// Reads the section `name` of `in` back; *leg is made anew, on the trunk of that name in `config`. Returns 0;
// -ENOENT: there is no such trunk any more; -EINVAL: there is no such section, it is of another version, or
// something in it is missing or out of range. After an error *leg is wiped.
int neg_load(struct neg_leg *leg, const struct record *in, const char *name, const struct tl_config *config);

// Names of the codecs in use, for people: "PCMA+telephone-event"; with a conversion between the laws A's and
// B's, "PCMA/PCMU".
void neg_codec_names(const struct neg_leg *a, const struct neg_leg *b, char *out, size_t cap);

// Makes `next`, what was agreed with one early dialog of a side, follow `before`, what the dataplane has for that side now:
// the keys that are remembered go on. Both are copies of one leg.
void neg_follow(struct neg_leg *next, const struct neg_leg *before);

// Makes *out stand for the remote side of `of` where that is not there itself: what it can, as if it offered it now, and
// held by itself only where our last word to it had not asked for that. Its keys: those that it sends with, and a new one
// of ours. Returns 0 or -errno of `random`.
int neg_stand_in(struct neg_leg *out, const struct neg_leg *of, struct neg_random random);

// Moves our end of the leg to another session of the dataplane at `local`: the next offer says so. Where the leg has SRTP
// our key is a new one, because the numbers of the old one go on elsewhere (RFC 3711 9.1). Returns 0 or -errno of `random`.
int neg_move(struct neg_leg *leg, const struct tl_addr *local, struct neg_random random);

// The keys of the leg in the contract's form, before anything else of it is agreed. Wipe `out`.
void neg_fill_keys(const struct neg_leg *leg, struct tl_leg *out);

// What `later` has said to the remote side stays said, though nothing else of it comes true: the version in o= of the next
// SDP goes on from there (RFC 3264 8).
void neg_keep_version(struct neg_leg *leg, const struct neg_leg *later);
