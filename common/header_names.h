// SPDX-License-Identifier: BSD-3-Clause
// The SIP header fields that we know: what each is to us, in which messages it goes from one side of a call to the
// other, and the sentence for docs/headers.md. One list for the configuration, the signalling and the document.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// Messages by what a header means in them.
enum tl_message {
    TL_MSG_SETUP = 1u << 0,       // INVITE of a new call
    TL_MSG_PROVISIONAL = 1u << 1, // 101..199 to it
    TL_MSG_SUCCESS = 1u << 2,     // 2xx to it
    TL_MSG_FAILURE = 1u << 3,     // 300..699 to it
    TL_MSG_DIALOG = 1u << 4,      // requests inside the dialog and the answers to them
    TL_MSG_ALL = (1u << 5) - 1,
    TL_MSG_CANCEL = 1u << 5, // says why, and nothing else
};

// What is done with a header on its way to the other side.
enum tl_header_rule {
    TL_HEADER_OWN,       // belongs to a dialog, a transport, a body or a program: never passes
    TL_HEADER_ASSERTED,  // who it is, as the network says: RFC 3325
    TL_HEADER_PREFERRED, // who it would like to be: RFC 3325
    TL_HEADER_PARTY,     // the draft before RFC 3325
    TL_HEADER_PRIVACY,   // RFC 3323
    TL_HEADER_DIVERSION, // RFC 5806
    TL_HEADER_HISTORY,   // RFC 7044
    TL_HEADER_REFERRER,  // RFC 3892
    TL_HEADER_NUMBERS,   // says something about the numbers: RFC 8224
    TL_HEADER_PERSONAL,  // text that may tell who it is: RFC 5379
    TL_HEADER_TEXT,
    TL_HEADER_LOCATION, // RFC 6442
    TL_HEADER_OTHER,    // we look at it; it passes where a trunk says so, as it came
};

#define TL_IDENTITY_MSGS (TL_MSG_SETUP | TL_MSG_PROVISIONAL | TL_MSG_SUCCESS | TL_MSG_DIALOG)

// number, name, compact form or 0, rule, messages, what the document says (NULL: in the list of those that are ours, or in
// none). In the order of the names without case: they are searched by halves.
#define TL_HEADERS(X)                                                                                        \
    X(ACCEPT, "Accept", 0, OWN, 0, NULL)                                                                     \
    X(ACCEPT_CONTACT, "Accept-Contact", 'a', OTHER, 0, NULL)                                                 \
    X(ACCEPT_ENCODING, "Accept-Encoding", 0, OWN, 0, NULL)                                                   \
    X(ALERT_INFO, "Alert-Info", 0, TEXT, TL_MSG_SETUP | TL_MSG_PROVISIONAL, "Addresses in it become ours.")  \
    X(ALLOW, "Allow", 0, OWN, 0, NULL)                                                                       \
    X(ALLOW_EVENTS, "Allow-Events", 'u', OWN, 0, NULL)                                                       \
    X(AUTHENTICATION_INFO, "Authentication-Info", 0, OWN, 0, NULL)                                           \
    X(AUTHORIZATION, "Authorization", 0, OWN, 0, NULL)                                                       \
    X(CALL_ID, "Call-ID", 'i', OWN, 0, NULL)                                                                 \
    X(CALL_INFO, "Call-Info", 0, PERSONAL, TL_MSG_SETUP | TL_MSG_PROVISIONAL | TL_MSG_SUCCESS,               \
      "Addresses in it become ours. To a trunk that is not trusted: not with Privacy: user.")                \
    X(CONTACT, "Contact", 'm', OWN, 0, NULL)                                                                 \
    X(CONTENT_DISPOSITION, "Content-Disposition", 0, OWN, 0, NULL)                                           \
    X(CONTENT_ENCODING, "Content-Encoding", 'e', OWN, 0, NULL)                                               \
    X(CONTENT_ID, "Content-ID", 0, OWN, 0, NULL)                                                             \
    X(CONTENT_LANGUAGE, "Content-Language", 0, OWN, 0, NULL)                                                 \
    X(CONTENT_LENGTH, "Content-Length", 'l', OWN, 0, NULL)                                                   \
    X(CONTENT_TYPE, "Content-Type", 'c', OWN, 0, NULL)                                                       \
    X(CSEQ, "CSeq", 0, OWN, 0, NULL)                                                                         \
    X(DATE, "Date", 0, NUMBERS, TL_MSG_SETUP, "As Identity, which it belongs to.")                           \
    X(DIVERSION, "Diversion", 0, DIVERSION, TL_MSG_SETUP | TL_MSG_PROVISIONAL | TL_MSG_FAILURE,              \
      "Every line, hosts become ours. To a trunk that is not trusted: not with Privacy: user, "              \
      "not those with a privacy parameter.")                                                                 \
    X(EVENT, "Event", 'o', OWN, 0, NULL)                                                                     \
    X(EXPIRES, "Expires", 0, OWN, 0, NULL)                                                                   \
    X(FROM, "From", 'f', OWN, 0, NULL)                                                                       \
    X(GEOLOCATION, "Geolocation", 0, LOCATION, TL_MSG_SETUP,                                                 \
      "Where `location` of the trunk says so, unchanged.")                                                   \
    X(GEOLOCATION_ERROR, "Geolocation-Error", 0, LOCATION,                                                   \
      TL_MSG_PROVISIONAL | TL_MSG_SUCCESS | TL_MSG_FAILURE, "As Geolocation.")                               \
    X(GEOLOCATION_ROUTING, "Geolocation-Routing", 0, LOCATION, TL_MSG_SETUP, "As Geolocation.")              \
    X(HISTORY_INFO, "History-Info", 0, HISTORY,                                                              \
      TL_MSG_SETUP | TL_MSG_PROVISIONAL | TL_MSG_SUCCESS | TL_MSG_FAILURE,                                   \
      "Every entry, hosts become ours. To a trunk that is not trusted: anonymous where Privacy:"             \
      " history, header, session or user wants it, of the message or of the entry.")                         \
    X(IDENTITY, "Identity", 'y', NUMBERS, TL_MSG_SETUP,                                                      \
      "Unchanged, while both numbers stay as they were and the caller is not made anonymous.")               \
    X(IDENTITY_INFO, "Identity-Info", 'n', NUMBERS, TL_MSG_SETUP, "As Identity.")                            \
    X(IN_REPLY_TO, "In-Reply-To", 0, OWN, 0, NULL)                                                           \
    X(INFO_PACKAGE, "Info-Package", 0, TEXT, TL_MSG_DIALOG, "Of INFO. Addresses in it become ours.")         \
    X(JOIN, "Join", 0, OWN, 0, NULL)                                                                         \
    X(MAX_FORWARDS, "Max-Forwards", 0, OWN, 0, NULL)                                                         \
    X(MIME_VERSION, "MIME-Version", 0, OWN, 0, NULL)                                                         \
    X(MIN_EXPIRES, "Min-Expires", 0, OWN, 0, NULL)                                                           \
    X(MIN_SE, "Min-SE", 0, OWN, 0, NULL)                                                                     \
    X(P_ASSERTED_IDENTITY, "P-Asserted-Identity", 0, ASSERTED, TL_IDENTITY_MSGS,                             \
      "Hosts become ours. From a trunk that is not trusted: never. To one that is not: not "                 \
      "where privacy is wanted.")                                                                            \
    X(P_EARLY_MEDIA, "P-Early-Media", 0, OTHER, 0, NULL)                                                     \
    X(P_PREFERRED_IDENTITY, "P-Preferred-Identity", 0, PREFERRED, TL_IDENTITY_MSGS,                          \
      "Hosts become ours. To a trunk that is not trusted: not where privacy is wanted.")                     \
    X(PATH, "Path", 0, OWN, 0, NULL)                                                                         \
    X(PRIORITY, "Priority", 0, TEXT, TL_MSG_SETUP, "Unchanged.")                                             \
    X(PRIVACY, "Privacy", 0, PRIVACY, TL_IDENTITY_MSGS,                                                      \
      "To a trunk that is not trusted without user, header, session and history, which we have "             \
      "carried out.")                                                                                        \
    X(PROXY_AUTHENTICATE, "Proxy-Authenticate", 0, OWN, 0, NULL)                                             \
    X(PROXY_AUTHORIZATION, "Proxy-Authorization", 0, OWN, 0, NULL)                                           \
    X(PROXY_REQUIRE, "Proxy-Require", 0, OWN, 0, NULL)                                                       \
    X(RACK, "RAck", 0, OWN, 0, NULL)                                                                         \
    X(REASON, "Reason", 0, TEXT,                                                                             \
      TL_MSG_PROVISIONAL | TL_MSG_SUCCESS | TL_MSG_FAILURE | TL_MSG_DIALOG | TL_MSG_CANCEL,                  \
      "Addresses in it become ours.")                                                                        \
    X(RECORD_ROUTE, "Record-Route", 0, OWN, 0, NULL)                                                         \
    X(RECV_INFO, "Recv-Info", 0, OWN, 0, NULL)                                                               \
    X(REFER_SUB, "Refer-Sub", 0, OWN, 0, NULL)                                                               \
    X(REFER_TO, "Refer-To", 'r', OWN, 0, NULL)                                                               \
    X(REFERRED_BY, "Referred-By", 'b', REFERRER, TL_MSG_SETUP,                                               \
      "Hosts become ours. To a trunk that is not trusted: not with Privacy: user.")                          \
    X(REJECT_CONTACT, "Reject-Contact", 'j', OTHER, 0, NULL)                                                 \
    X(REMOTE_PARTY_ID, "Remote-Party-ID", 0, PARTY, TL_IDENTITY_MSGS,                                        \
      "As P-Asserted-Identity; its own privacy parameter counts as well.")                                   \
    X(REPLACES, "Replaces", 0, OWN, 0, NULL)                                                                 \
    X(REQUEST_DISPOSITION, "Request-Disposition", 'd', OTHER, 0, NULL)                                       \
    X(REQUIRE, "Require", 0, OWN, 0, NULL)                                                                   \
    X(RETRY_AFTER, "Retry-After", 0, OWN, 0, NULL)                                                           \
    X(ROUTE, "Route", 0, OWN, 0, NULL)                                                                       \
    X(RSEQ, "RSeq", 0, OWN, 0, NULL)                                                                         \
    X(SERVER, "Server", 0, OWN, 0, NULL)                                                                     \
    X(SERVICE_ROUTE, "Service-Route", 0, OWN, 0, NULL)                                                       \
    X(SESSION_EXPIRES, "Session-Expires", 'x', OWN, 0, NULL)                                                 \
    X(SESSION_ID, "Session-ID", 0, OWN, 0, NULL)                                                             \
    X(SUBJECT, "Subject", 's', PERSONAL, TL_MSG_SETUP, "As Call-Info.")                                      \
    X(SUBSCRIPTION_STATE, "Subscription-State", 0, OWN, 0, NULL)                                             \
    X(SUPPORTED, "Supported", 'k', OWN, 0, NULL)                                                             \
    X(TARGET_DIALOG, "Target-Dialog", 0, OWN, 0, NULL)                                                       \
    X(TIMESTAMP, "Timestamp", 0, OWN, 0, NULL)                                                               \
    X(TO, "To", 't', OWN, 0, NULL)                                                                           \
    X(UNSUPPORTED, "Unsupported", 0, OWN, 0, NULL)                                                           \
    X(USER_AGENT, "User-Agent", 0, OWN, 0, NULL)                                                             \
    X(USER_TO_USER, "User-to-User", 0, TEXT, TL_MSG_ALL, "Addresses in it become ours.")                     \
    X(VIA, "Via", 'v', OWN, 0, NULL)                                                                         \
    X(WARNING, "Warning", 0, OWN, 0, NULL)                                                                   \
    X(WWW_AUTHENTICATE, "WWW-Authenticate", 0, OWN, 0, NULL)                                                 \
    X(X_TRUNKLINE_HOPS, "X-Trunkline-Hops", 0, OWN, 0, NULL)

struct tl_header {
    const char *name;
    uint8_t len;
    char compact; // 0: none
    enum tl_header_rule rule;
    unsigned messages; // enum tl_message: those that it passes in
    const char *doc;
};

// Their numbers, from 1 on in the order of the list.
enum tl_header_id {
    TL_HEADER_ID_NONE,
#define X(id, ...) TL_HEADER_ID_##id,
    TL_HEADERS(X)
#undef X
        TL_HEADER_ID_COUNT
};

// The number of the header of that name, compared without case, the compact form too (RFC 3261 7.3.3);
// TL_HEADER_ID_NONE for one that is not in the list. Any thread.
enum tl_header_id tl_header_id(const char *name, size_t len);

// The header with that number, NULL for none; and the one of a name.
const struct tl_header *tl_header(enum tl_header_id id);
const struct tl_header *tl_header_find(const char *name, size_t len);

// Whether a header is ours alone: by its rule, or because its name begins with "Content-". Any thread.
bool tl_header_is_own(const char *name, size_t len);

// Whether `name` is a token (RFC 3261 25.1), at least one byte.
bool tl_header_is_token(const char *name, size_t len);

// Whether a pattern, in which '*' stands for any characters or none, fits a name; without case. Linear in the
// product of both lengths at most. Any thread.
bool tl_header_fits(const char *pattern, const char *name, size_t len);

// Writes the tables of docs/headers.md in Markdown.
void tl_header_print_table(FILE *out);
