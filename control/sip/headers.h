// SPDX-License-Identifier: BSD-3-Clause
// Every header that control looks at: number, name, compact form (0: none). A name outside of this table can
// still be found by its text. The rows are in the order of their names without case: they are searched by
// halves.
#pragma once

#define SIP_HEADERS(X)                                                                                       \
    X(ACCEPT, "Accept", 0)                                                                                   \
    X(ACCEPT_CONTACT, "Accept-Contact", 'a')                                                                 \
    X(ALERT_INFO, "Alert-Info", 0)                                                                           \
    X(ALLOW, "Allow", 0)                                                                                     \
    X(ALLOW_EVENTS, "Allow-Events", 'u')                                                                     \
    X(AUTHORIZATION, "Authorization", 0)                                                                     \
    X(CALL_ID, "Call-ID", 'i')                                                                               \
    X(CALL_INFO, "Call-Info", 0)                                                                             \
    X(CONTACT, "Contact", 'm')                                                                               \
    X(CONTENT_DISPOSITION, "Content-Disposition", 0)                                                         \
    X(CONTENT_ENCODING, "Content-Encoding", 'e')                                                             \
    X(CONTENT_ID, "Content-ID", 0)                                                                           \
    X(CONTENT_LENGTH, "Content-Length", 'l')                                                                 \
    X(CONTENT_TYPE, "Content-Type", 'c')                                                                     \
    X(CSEQ, "CSeq", 0)                                                                                       \
    X(DATE, "Date", 0)                                                                                       \
    X(DIVERSION, "Diversion", 0)                                                                             \
    X(EVENT, "Event", 'o')                                                                                   \
    X(EXPIRES, "Expires", 0)                                                                                 \
    X(FROM, "From", 'f')                                                                                     \
    X(GEOLOCATION, "Geolocation", 0)                                                                         \
    X(GEOLOCATION_ERROR, "Geolocation-Error", 0)                                                             \
    X(GEOLOCATION_ROUTING, "Geolocation-Routing", 0)                                                         \
    X(HISTORY_INFO, "History-Info", 0)                                                                       \
    X(IDENTITY, "Identity", 'y')                                                                             \
    X(INFO_PACKAGE, "Info-Package", 0)                                                                       \
    X(JOIN, "Join", 0)                                                                                       \
    X(MAX_FORWARDS, "Max-Forwards", 0)                                                                       \
    X(MIME_VERSION, "MIME-Version", 0)                                                                       \
    X(MIN_EXPIRES, "Min-Expires", 0)                                                                         \
    X(MIN_SE, "Min-SE", 0)                                                                                   \
    X(P_ASSERTED_IDENTITY, "P-Asserted-Identity", 0)                                                         \
    X(P_EARLY_MEDIA, "P-Early-Media", 0)                                                                     \
    X(P_PREFERRED_IDENTITY, "P-Preferred-Identity", 0)                                                       \
    X(PATH, "Path", 0)                                                                                       \
    X(PRIORITY, "Priority", 0)                                                                               \
    X(PRIVACY, "Privacy", 0)                                                                                 \
    X(PROXY_AUTHENTICATE, "Proxy-Authenticate", 0)                                                           \
    X(PROXY_AUTHORIZATION, "Proxy-Authorization", 0)                                                         \
    X(PROXY_REQUIRE, "Proxy-Require", 0)                                                                     \
    X(RACK, "RAck", 0)                                                                                       \
    X(REASON, "Reason", 0)                                                                                   \
    X(RECORD_ROUTE, "Record-Route", 0)                                                                       \
    X(RECV_INFO, "Recv-Info", 0)                                                                             \
    X(REFER_SUB, "Refer-Sub", 0)                                                                             \
    X(REFER_TO, "Refer-To", 'r')                                                                             \
    X(REFERRED_BY, "Referred-By", 'b')                                                                       \
    X(REJECT_CONTACT, "Reject-Contact", 'j')                                                                 \
    X(REPLACES, "Replaces", 0)                                                                               \
    X(REQUEST_DISPOSITION, "Request-Disposition", 'd')                                                       \
    X(REQUIRE, "Require", 0)                                                                                 \
    X(RETRY_AFTER, "Retry-After", 0)                                                                         \
    X(ROUTE, "Route", 0)                                                                                     \
    X(RSEQ, "RSeq", 0)                                                                                       \
    X(SERVER, "Server", 0)                                                                                   \
    X(SESSION_EXPIRES, "Session-Expires", 'x')                                                               \
    X(SUBJECT, "Subject", 's')                                                                               \
    X(SUBSCRIPTION_STATE, "Subscription-State", 0)                                                           \
    X(SUPPORTED, "Supported", 'k')                                                                           \
    X(TARGET_DIALOG, "Target-Dialog", 0)                                                                     \
    X(TIMESTAMP, "Timestamp", 0)                                                                             \
    X(TO, "To", 't')                                                                                         \
    X(UNSUPPORTED, "Unsupported", 0)                                                                         \
    X(USER_AGENT, "User-Agent", 0)                                                                           \
    X(USER_TO_USER, "User-to-User", 0)                                                                       \
    X(VIA, "Via", 'v')                                                                                       \
    X(WARNING, "Warning", 0)                                                                                 \
    X(WWW_AUTHENTICATE, "WWW-Authenticate", 0)

enum sip_name {
    SIP_NAME_OTHER, // not in the table
#define X(id, name, compact) SIP_NAME_##id,
    SIP_HEADERS(X)
#undef X
        SIP_NAME_COUNT
};
