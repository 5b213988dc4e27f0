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
};

#define TL_IDENTITY_MSGS (TL_MSG_SETUP | TL_MSG_PROVISIONAL | TL_MSG_SUCCESS | TL_MSG_DIALOG)

// name, compact form or 0, rule, messages, what the document says (NULL: in the list of those that are ours)
#define TL_HEADERS(X)                                                                                        \
    X("P-Asserted-Identity", 0, ASSERTED, TL_IDENTITY_MSGS,                                                  \
      "Hosts become ours. From a trunk that is not trusted: never. To one that is not: not where privacy "   \
      "is wanted.")                                                                                          \
    X("P-Preferred-Identity", 0, PREFERRED, TL_IDENTITY_MSGS,                                                \
      "Hosts become ours. To a trunk that is not trusted: not where privacy is wanted.")                     \
    X("Remote-Party-ID", 0, PARTY, TL_IDENTITY_MSGS,                                                         \
      "As P-Asserted-Identity; its own privacy parameter counts as well.")                                   \
    X("Privacy", 0, PRIVACY, TL_IDENTITY_MSGS,                                                               \
      "To a trunk that is not trusted without user, header, session and history, which we have carried "     \
      "out.")                                                                                                \
    X("Diversion", 0, DIVERSION, TL_MSG_SETUP | TL_MSG_PROVISIONAL | TL_MSG_FAILURE,                         \
      "Every line, hosts become ours. To a trunk that is not trusted: not with Privacy: user, not those "    \
      "with a privacy parameter.")                                                                           \
    X("History-Info", 0, HISTORY, TL_MSG_SETUP | TL_MSG_PROVISIONAL | TL_MSG_SUCCESS | TL_MSG_FAILURE,       \
      "Every entry, hosts become ours. To a trunk that is not trusted: anonymous where Privacy: history, "   \
      "header, session or user wants it, of the message or of the entry.")                                   \
    X("Referred-By", 'b', REFERRER, TL_MSG_SETUP,                                                            \
      "Hosts become ours. To a trunk that is not trusted: not with Privacy: user.")                          \
    X("Identity", 'y', NUMBERS, TL_MSG_SETUP,                                                                \
      "Unchanged, while both numbers stay as they were and the caller is not made anonymous.")               \
    X("Identity-Info", 'n', NUMBERS, TL_MSG_SETUP, "As Identity.")                                           \
    X("Date", 0, NUMBERS, TL_MSG_SETUP, "As Identity, which it belongs to.")                                 \
    X("Reason", 0, TEXT,                                                                                     \
      TL_MSG_PROVISIONAL | TL_MSG_SUCCESS | TL_MSG_FAILURE | TL_MSG_DIALOG | TL_MSG_CANCEL,                  \
      "Addresses in it become ours.")                                                                        \
    X("User-to-User", 0, TEXT, TL_MSG_ALL, "Addresses in it become ours.")                                   \
    X("Alert-Info", 0, TEXT, TL_MSG_SETUP | TL_MSG_PROVISIONAL, "Addresses in it become ours.")              \
    X("Call-Info", 0, PERSONAL, TL_MSG_SETUP | TL_MSG_PROVISIONAL | TL_MSG_SUCCESS,                          \
      "Addresses in it become ours. To a trunk that is not trusted: not with Privacy: user.")                \
    X("Subject", 's', PERSONAL, TL_MSG_SETUP, "As Call-Info.")                                               \
    X("Priority", 0, TEXT, TL_MSG_SETUP, "Unchanged.")                                                       \
    X("Geolocation", 0, LOCATION, TL_MSG_SETUP, "Where `location` of the trunk says so, unchanged.")         \
    X("Geolocation-Routing", 0, LOCATION, TL_MSG_SETUP, "As Geolocation.")                                   \
    X("Geolocation-Error", 0, LOCATION, TL_MSG_PROVISIONAL | TL_MSG_SUCCESS | TL_MSG_FAILURE,                \
      "As Geolocation.")                                                                                     \
    X("Accept", 0, OWN, 0, NULL)                                                                             \
    X("Accept-Encoding", 0, OWN, 0, NULL)                                                                    \
    X("Allow", 0, OWN, 0, NULL)                                                                              \
    X("Allow-Events", 'u', OWN, 0, NULL)                                                                     \
    X("Authentication-Info", 0, OWN, 0, NULL)                                                                \
    X("Authorization", 0, OWN, 0, NULL)                                                                      \
    X("CSeq", 0, OWN, 0, NULL)                                                                               \
    X("Call-ID", 'i', OWN, 0, NULL)                                                                          \
    X("Contact", 'm', OWN, 0, NULL)                                                                          \
    X("Content-Disposition", 0, OWN, 0, NULL)                                                                \
    X("Content-Encoding", 'e', OWN, 0, NULL)                                                                 \
    X("Content-ID", 0, OWN, 0, NULL)                                                                         \
    X("Content-Language", 0, OWN, 0, NULL)                                                                   \
    X("Content-Length", 'l', OWN, 0, NULL)                                                                   \
    X("Content-Type", 'c', OWN, 0, NULL)                                                                     \
    X("Event", 'o', OWN, 0, NULL)                                                                            \
    X("Expires", 0, OWN, 0, NULL)                                                                            \
    X("From", 'f', OWN, 0, NULL)                                                                             \
    X("In-Reply-To", 0, OWN, 0, NULL)                                                                        \
    X("Join", 0, OWN, 0, NULL)                                                                               \
    X("MIME-Version", 0, OWN, 0, NULL)                                                                       \
    X("Max-Forwards", 0, OWN, 0, NULL)                                                                       \
    X("Min-Expires", 0, OWN, 0, NULL)                                                                        \
    X("Min-SE", 0, OWN, 0, NULL)                                                                             \
    X("Path", 0, OWN, 0, NULL)                                                                               \
    X("Proxy-Authenticate", 0, OWN, 0, NULL)                                                                 \
    X("Proxy-Authorization", 0, OWN, 0, NULL)                                                                \
    X("Proxy-Require", 0, OWN, 0, NULL)                                                                      \
    X("RAck", 0, OWN, 0, NULL)                                                                               \
    X("RSeq", 0, OWN, 0, NULL)                                                                               \
    X("Record-Route", 0, OWN, 0, NULL)                                                                       \
    X("Refer-Sub", 0, OWN, 0, NULL)                                                                          \
    X("Refer-To", 'r', OWN, 0, NULL)                                                                         \
    X("Replaces", 0, OWN, 0, NULL)                                                                           \
    X("Require", 0, OWN, 0, NULL)                                                                            \
    X("Retry-After", 0, OWN, 0, NULL)                                                                        \
    X("Route", 0, OWN, 0, NULL)                                                                              \
    X("Server", 0, OWN, 0, NULL)                                                                             \
    X("Service-Route", 0, OWN, 0, NULL)                                                                      \
    X("Session-Expires", 'x', OWN, 0, NULL)                                                                  \
    X("Session-ID", 0, OWN, 0, NULL)                                                                         \
    X("Subscription-State", 0, OWN, 0, NULL)                                                                 \
    X("Supported", 'k', OWN, 0, NULL)                                                                        \
    X("Target-Dialog", 0, OWN, 0, NULL)                                                                      \
    X("Timestamp", 0, OWN, 0, NULL)                                                                          \
    X("To", 't', OWN, 0, NULL)                                                                               \
    X("Unsupported", 0, OWN, 0, NULL)                                                                        \
    X("User-Agent", 0, OWN, 0, NULL)                                                                         \
    X("Via", 'v', OWN, 0, NULL)                                                                              \
    X("WWW-Authenticate", 0, OWN, 0, NULL)                                                                   \
    X("Warning", 0, OWN, 0, NULL)

struct tl_header {
    const char *name;
    uint8_t len;
    char compact; // 0: none
    enum tl_header_rule rule;
    unsigned messages; // enum tl_message: those that it passes in
    const char *doc;   // NULL: it is ours
};

// The header of that name, compared without case, the compact form too (RFC 3261 7.3.3); NULL: none that we know.
// Every "Content-..." that is not in the list counts as Content-Type. Any thread.
const struct tl_header *tl_header_find(const char *name, size_t len);

// Whether `name` is a token (RFC 3261 25.1), at least one byte.
bool tl_header_is_token(const char *name, size_t len);

// Whether a pattern, in which '*' stands for any characters or none, fits a name; without case. Linear in the
// product of both lengths at most. Any thread.
bool tl_header_fits(const char *pattern, const char *name, size_t len);

// Writes the tables of docs/headers.md in Markdown.
void tl_header_print_table(FILE *out);
