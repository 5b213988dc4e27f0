// SPDX-License-Identifier: BSD-3-Clause
// A dialog of RFC 3261 section 12: what a request inside a call needs. The user of the stack owns it.
#pragma once

#include "control/sip/sip.h"

enum { SIP_ROUTES_MAX = 16 };

// Zeroed is a valid empty dialog.
struct sip_dialog {
    struct sip_flow flow;                 // where the dialog began, or the connection that the peer uses now
    char *local;                          // our name-addr with tag: From of our requests
    char *remote;                         // theirs with tag: To of our requests
    struct sip_str local_tag, remote_tag; // inside of these two; p == NULL: none
    char *call_id;
    char *target; // remote target URI
    char
        *strict; // URI of a first route without lr: Request-URI of our requests, the target is the last route
    char *routes[SIP_ROUTES_MAX]; // Route values of our requests
    unsigned route_count;
    uint32_t local_cseq;  // of the last request of ours
    uint32_t remote_cseq; // of the last request of theirs; 0 = none yet
};

// The dialog of a request that we answer (12.1.1); `local_tag` is that of our answers, sip_txn_tag(). `flow` is
// sip_txn_flow() and knows where the peer listens (sip_txn_set_peer()).
// Returns 0, -EINVAL (no Contact that could be called: none at all, no sip URI, no host; or too many routes),
// -ENOMEM; on failure *dialog is empty.
int sip_dialog_uas(struct sip_dialog *dialog, const struct sip_msg *request, const struct sip_flow *flow,
                   const char *local_tag);

// The dialog that a response (101..299 with To tag) to our request makes (12.1.2). Same errors.
int sip_dialog_uac(struct sip_dialog *dialog, const struct sip_msg *response, const struct sip_flow *flow);

// The same of a response that sip_dialog_uac() refuses, only to ACK and BYE it: without a Contact the URI in
// To is called, where the request went to; of the route set nothing is kept. -EINVAL (no To tag), -ENOMEM.
int sip_dialog_uac_last(struct sip_dialog *dialog, const struct sip_msg *response,
                        const struct sip_flow *flow);

// Gives us another name-addr in the dialog, with the tag that we have (RFC 4916 4.4.1). 0 or -ENOMEM; -EINVAL for another tag or
// none, and nothing changes.
int sip_dialog_rename(struct sip_dialog *dialog, const char *local);

void sip_dialog_fini(struct sip_dialog *dialog);

// Writes the dialog as a section "dialog", its listener by name. The connection is not in it: after a restart
// requests go to where the peer listens.
struct record;
struct record_writer;
void sip_dialog_save(const struct sip_dialog *dialog, const struct tl_config *config,
                     struct record_writer *w);

// Reads it back from the section `in` that holds it. Returns 0; -EINVAL for what is missing or malformed, -ENOENT when
// no listener has that name any more, -ENOMEM; on failure *dialog is empty. flow.name is NULL: the caller knows it.
int sip_dialog_load(struct sip_dialog *dialog, const struct tl_config *config, const struct record *in);

// Reads the tags of local and remote anew. For this file's family only.
void sip_dialog_tags(struct sip_dialog *dialog);

// Whether a request received belongs to the dialog: Call-ID and both tags.
bool sip_dialog_matches(const struct sip_dialog *dialog, const struct sip_msg *request);

// Whether a request comes from the dialog's peer: from the host where it listens, whatever the port; when that
// is not known, from the host that the dialog began with. What does not is nothing of the dialog's.
bool sip_dialog_from_peer(const struct sip_dialog *dialog, const struct sip_flow *flow);

// Notes the connection that the peer uses now, after sip_dialog_from_peer(): ours go back on it.
void sip_dialog_follow(struct sip_dialog *dialog, const struct sip_flow *flow);

// Takes the Contact of a re-INVITE, UPDATE or a 2xx to one as the new remote target (12.2). Without a Contact
// that could be called nothing changes; neither with a sip: one where the target is sips: (RFC 5630 section 5.1.2). Returns 0 or -ENOMEM.
int sip_dialog_retarget(struct sip_dialog *dialog, const struct sip_msg *msg);

// Checks and notes the CSeq of a request received (12.2.2): 0, or -ESTALE when it is not above the last one,
// which is answered 500. ACK and CANCEL are not checked.
int sip_dialog_take_cseq(struct sip_dialog *dialog, const struct sip_msg *request);

// Fills in what a request of the dialog has from it (12.2.1.1), strict routers included: Request-URI, Route,
// From, To, Call-ID, CSeq (a new one; ACK and CANCEL: the last). The strings stay the dialog's.
void sip_dialog_request(struct sip_dialog *dialog, enum sip_method method, struct sip_request *request);

// Where a request of the dialog goes: to the first route or the target, its maddr before its host, when that is
// an address (RFC 3261 sections 12.2.1.1 and 19.1.1). A name, an address of another family, or a transport that
// is not the listener's say nothing: then it goes back on the dialog's connection while that is open, else to
// where the peer listens. The listener is that of the dialog.
struct sip_flow sip_dialog_next_hop(const struct sip_dialog *dialog);
