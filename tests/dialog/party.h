// SPDX-License-Identifier: BSD-3-Clause
// The parties of a ladder: user agents of text. Each keeps its dialogs (tags, CSeq, route set, RSeq), so that a line of a
// ladder need say only what is special about a message.
#pragma once

#include "sdp_text.h"
#include "world.h"

enum {
    PARTY_MAX = 16,
    PARTY_INBOX = 256,
    PARTY_SEEN = 1024,
    DIALOGS_MAX = 128,
    ASKED_MAX = 16,
    SAID_MAX = 24,
    ROUTES_MAX = 8,
    OWED_MAX = 256,
    SECRETS_MAX = 8
};

// A message that a party received.
struct got {
    uint64_t at;
    char *text;
    bool request;
    bool again; // the very same came before
    bool quiet; // the transaction layer's: 100, or the ACK to a 300..699
    bool taken; // loose: its dialog has it already
    int status;
    char method[20]; // CSeq's
    uint32_t cseq;
};

// A request that waits for, or got, the answer of its dialog.
struct asked {
    char method[20];
    uint32_t cseq;
    char *text;
    uint64_t at;
    bool answered; // finally
    bool refused;  // ... with 300 to 699
};

// A 2xx to an INVITE of ours, whose ACK must come whatever becomes of the call.
struct owed {
    char dialog[24], call_id[160], tag[80];
    uint32_t cseq;
    bool acked;
};

// What a dialog has said, to say again.
struct said {
    char what[28]; // "INVITE", "200 INVITE"
    char *text;
    size_t len;
};

struct party {
    char name[12];
    struct tl_addr addr;
    uint32_t listener; // of the gateway, that it talks to
    bool no_ack;       // sends no ACK to 300..699
    bool cut_off;      // what we send it may get lost
    struct got inbox[PARTY_INBOX];
    unsigned count;
    uint64_t seen[PARTY_SEEN];
    unsigned seen_count;
};

struct dialog {
    char name[24];
    struct party *party;
    bool used, confirmed;
    bool ours;               // the party sent the INVITE that made it
    bool over;               // a BYE went or came
    bool ended;              // ... came
    bool odd;                // it has said something that is not as it should be
    bool ack_due, prack_due; // of ours, to what came last
    char call_id[160], local_tag[80], remote_tag[160];
    char local[400], remote[400]; // From and To values without tags
    char target[380];             // Request-URI
    char *route[ROUTES_MAX];
    unsigned routes;
    uint32_t cseq;                    // ours, last used
    uint32_t rseq;                    // ours, last used
    uint32_t got_rseq, got_rseq_cseq; // of the last reliable provisional that came
    char *invite;                     // our last INVITE, as sent
    uint32_t invite_cseq;
    struct asked asked[ASKED_MAX];
    unsigned asked_count;
    struct said said[SAID_MAX];
    unsigned said_count;
    unsigned sdp_version;
    char *sdp; // ours, last said
};

// What a line says about a message to send, beyond its name.
struct out {
    const char *uri;    // Request-URI, NULL: as the dialog has it
    const char *method; // response: to which request, NULL: the newest unanswered one
    struct sdp_words sdp;
    bool reliable, again, lost;
    unsigned long mutate; // not 0: some octets differ, which ones is made of it
    long cseq, rseq;      // -1: as the dialog has it
    const char *rack, *branch, *from_tag, *to_tag;
    char *const *edits; // "+ Name: value", "= Name: value", "- Name", "| body line"
    unsigned edit_count;
};

// A password that the gateway has, in a file.
struct secret {
    char realm[128], user[64], password[64], path[48];
};

struct parties {
    struct world *w;
    struct party party[PARTY_MAX];
    unsigned party_count;
    struct dialog dialog[DIALOGS_MAX];
    unsigned dialog_count;
    struct secret secret[SECRETS_MAX];
    unsigned secret_count;
    unsigned next_id; // of tags, branches, Call-IDs
    bool loose;       // what comes is taken as it comes
    bool mutated;     // something was sent that is no SIP
    struct owed owed[OWED_MAX];
    unsigned owed_count;
    void (*trace)(void *arg, const struct party *p, bool to_gateway, const char *message, const char *note);
    void *trace_arg;
    char fault[1200]; // the first thing that no message may be like; "": none
};

void parties_init(struct parties *ps, struct world *w);
void parties_fini(struct parties *ps);

// Makes a password and its file. NULL: there is no room.
const struct secret *secret_add(struct parties *ps, const char *realm, const char *user,
                                const char *password);
// Removes the files.
void secrets_fini(struct parties *ps);

// Forgets all dialogs and what came.
void parties_forget(struct parties *ps);

struct party *party_add(struct parties *ps, const char *name, const struct tl_addr *addr, uint32_t listener);
struct party *party_find(struct parties *ps, const char *name, size_t len);

// The dialog of that name ("A", "A.2"); made, unused, when there is none. NULL: no such party, or too many.
struct dialog *dialog_find(struct parties *ps, const char *name);

// Sends `what`: a method, or a status between 100 and 699. false: `why`.
bool party_say(struct parties *ps, struct dialog *d, const char *what, const struct out *out, char *why,
               size_t why_size);

// Sends bytes as they are.
void party_say_raw(struct parties *ps, struct party *p, const char *bytes, size_t len);

// The first 2xx of a loose ladder that should have got its ACK and has not; NULL: none.
const struct owed *parties_unacked(const struct parties *ps);

// The media port that a dialog names unless it is told another: each has its own.
unsigned dialog_media_port(const struct parties *ps, const struct dialog *d);

// Takes what left the agent into the inboxes; sends the ACKs of the transaction layer.
void parties_collect(struct parties *ps);

// Holds a received message to dialog `d` (made by it, when it begins one) and lets the dialog learn from it. false: `why`.
bool dialog_take(struct parties *ps, struct dialog *d, struct got *m, char *why, size_t why_size);

// Takes a message out of an inbox and frees it.
void party_drop(struct party *p, unsigned i);

// "SIP/2.0 180 Ringing" or "INVITE sip:..." and CSeq, in short.
void message_title(const char *message, char *out, size_t size);
