// SPDX-License-Identifier: BSD-3-Clause
// The one JSON configuration file of both daemons, as plain structs. jansson stays inside config*.c.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/config/sdp_pass.h"
#include "common/config/transport.h"
#include "common/contract.h"
#include "common/pattern.h"

enum {
    TL_PORTS_MAX = 16,
    TL_LISTENERS_MAX = 64,
    TL_TRUNKS_MAX = 1024,
    TL_ROUTES_MAX = 1024,
    TL_ROUTE_TRUNKS_MAX = 8,
    TL_SUITES_MAX = 6, // every suite
    TL_G711_LAWS = 2,
    TL_PATH_LEN = 108,        // of a Unix socket, with the final NUL
    TL_FILE_LEN = 256,        // a file's path, with the final NUL
    TL_CREDENTIALS_MAX = 4,   // of a trunk
    TL_REGISTRATIONS_MAX = 4, // of a trunk
    TL_PEERS_MAX = 16,        // of a trunk
    TL_DNS_SERVERS_MAX = 4,
    TL_PEER_PREFIX_MIN = 8,   // the largest network that is a trunk's peer
    TL_LOGIN_REALM_LEN = 128, // with the final NUL, as the following
    TL_LOGIN_USER_LEN = 128,
    TL_SIP_USER_LEN = 64,
    TL_DEVICE_LEN = 256,
    TL_DIGITS_MAX = 32,
    TL_GROUPS_MAX = 256,
    TL_TRANSLATIONS_MAX = 64,
    TL_RULES_MAX = 32,      // of a translation
    TL_CODE_RULES_MAX = 16, // of a trunk
    TL_REASON_MAX = 64,
    TL_EMERGENCY_MAX = 16,
    TL_HOST_MAX = 128,           // a host's name
    TL_CIPHERS_LEN = 256,        // OpenSSL's list of ciphers, likewise
    TL_TLS_NAMES_MAX = 8,        // that a trunk's peer may go by
    TL_HEADER_PATTERNS_MAX = 16, // of a list in a trunk's headers
    TL_HEADER_PATTERN_LEN = 40,
    TL_HEADER_ADDS_MAX = 8,
    TL_HEADER_VALUE_LEN = 200,
    // Bytes of DPDK's memory that a call takes at most, with AEAD on both sides;
    // tests/unit/dataplane/manager/test_costs.c
    TL_SESSION_BYTES = 5248,
};

#define TL_NO_INDEX UINT32_MAX // of a reference that is not set

// What stands behind a realm or trunk: networks of others, or ours. OF_REALM: not said at the trunk; never behind the check.
enum tl_side { TL_SIDE_PEER, TL_SIDE_CORE, TL_SIDE_OF_REALM };
enum tl_poll_mode { TL_POLL_BUSY, TL_POLL_ADAPTIVE };
enum tl_srtp_policy { TL_SRTP_OFF, TL_SRTP_OPTIONAL, TL_SRTP_REQUIRED };
enum tl_g711 { TL_PCMU, TL_PCMA };
enum tl_mki_policy { TL_MKI_NONE, TL_MKI_MIRROR, TL_MKI_ALWAYS }; // of what we send
enum tl_user_params { TL_USER_PARAMS_KEEP, TL_USER_PARAMS_DROP };
enum tl_user_phone { TL_USER_PHONE_KEEP, TL_USER_PHONE_ALWAYS, TL_USER_PHONE_NEVER };
enum tl_host_names { TL_HOST_NAMES_HIDE, TL_HOST_NAMES_KEEP };
enum tl_location { TL_LOCATION_REMOVE, TL_LOCATION_PASS };
enum tl_hold_form { TL_HOLD_SENDONLY, TL_HOLD_INACTIVE, TL_HOLD_ZERO }; // how a peer is put on hold
enum tl_prack { TL_PRACK_OFF, TL_PRACK_SUPPORTED, TL_PRACK_REQUIRED };
enum tl_session_timer { TL_SESSION_TIMER_OFF, TL_SESSION_TIMER_SUPPORTED, TL_SESSION_TIMER_REQUIRED };
enum tl_refresher { TL_REFRESHER_AUTO, TL_REFRESHER_US, TL_REFRESHER_PEER };
enum tl_forks { TL_FORKS_ONE, TL_FORKS_SEPARATE };
enum tl_early_media { TL_EARLY_LAST, TL_EARLY_FIRST, TL_EARLY_AS_SAID };
enum tl_redirect { TL_REDIRECT_REFUSE, TL_REDIRECT_FOLLOW, TL_REDIRECT_RELAY };
enum tl_connected { TL_CONNECTED_OFF, TL_CONNECTED_ASSERTED, TL_CONNECTED_AUTO };
enum tl_replaces { TL_REPLACES_REFUSE, TL_REPLACES_OWN, TL_REPLACES_REALM, TL_REPLACES_ANY };
enum tl_refer { TL_REFER_REFUSE, TL_REFER_RELAY, TL_REFER_CARRY_OUT };
enum tl_strangers { TL_STRANGERS_AUTO, TL_STRANGERS_ANSWER, TL_STRANGERS_DROP };
enum tl_srtp_without_tls { TL_SRTP_REFUSE, TL_SRTP_ALLOW };
enum tl_tls_version { TL_TLS_1_2, TL_TLS_1_3 };
enum tl_tls_verify { TL_TLS_VERIFY_REQUIRED, TL_TLS_VERIFY_OFF };

// A port that the dataplane drives.
struct tl_port_config {
    char name[TL_NAME_MAX];
    char device[TL_DEVICE_LEN]; // PCI address ("0000:03:00.0") or vdev string ("net_af_packet0,iface=eth1")
    uint32_t rx_descriptors;    // 64..32768, a power of two
    uint32_t tx_descriptors;    // 64..32768, a power of two
    bool verify_udp_checksum;   // in software where the device does not vouch
};

struct tl_dataplane_config {
    char socket[TL_PATH_LEN];      // where control connects
    char file_prefix[TL_NAME_MAX]; // EAL's name for its runtime folder
    uint32_t main_core;
    uint32_t worker_cores[TL_WORKERS_MAX];
    uint32_t worker_count; // 1..TL_WORKERS_MAX
    enum tl_poll_mode poll;
    bool huge_pages;
    uint32_t memory_mb;    // without huge pages
    uint32_t mbufs;        // packet buffers for all ports
    uint32_t max_sessions; // calls
    uint32_t burst;        // packets, 4..64
    struct tl_port_config ports[TL_PORTS_MAX];
    uint32_t port_count;
};

// A side: the media address and the ports that calls get there.
struct tl_realm_config {
    char name[TL_NAME_MAX];
    uint32_t port;             // index into dataplane.ports
    struct tl_addr address;    // media address that only the dataplane has; port 0
    uint8_t prefix_len;        // 8..32
    struct tl_addr gateway;    // next hop off-link, family 0 = none
    struct tl_addr advertised; // what stands in SDP; port 0; unset: address
    uint16_t rtp_first;        // even, >= 1024
    uint16_t rtp_last;         // odd, > rtp_first
    enum tl_side side;         // of its trunks
};

// What a listener, or a trunk beside its listener, has for TLS. Files are PEM. What is empty at a trunk is its listener's.
struct tl_tls_config {
    char certificate[TL_FILE_LEN]; // ours, with the chain behind it
    char key[TL_FILE_LEN];         // "" = it is in the certificate's file
    char ca[TL_FILE_LEN];         // whom certificates of peers may be from; "" = those that the system trusts
    char ciphers[TL_CIPHERS_LEN]; // of TLS 1.2, OpenSSL's words
    enum tl_tls_version min_version;           // listener
    enum tl_tls_verify verify;                 // trunk: whether the peer has to prove who it is
    char names[TL_TLS_NAMES_MAX][TL_HOST_MAX]; // trunk: the peer's, one of which its certificate has
    uint32_t name_count;
};

// A SIP socket.
struct tl_listener_config {
    char name[TL_NAME_MAX];
    enum tl_transport transport;
    struct tl_addr address;      // with port
    struct tl_addr advertised;   // what peers know it by, with port once it was checked; unset: address
    enum tl_strangers strangers; // never AUTO once it was checked
    struct tl_tls_config tls;
};

// What stands in Via, Contact and SDP where the peer should send: an address of ours, or what a router makes of it (1:1 NAT).
static inline const struct tl_addr *tl_listener_shown(const struct tl_listener_config *listener)
{
    return listener->advertised.family ? &listener->advertised : &listener->address;
}

// Numbers rewritten: the first rule that fits a number counts, and no more.
struct tl_rule {
    char match[TL_PATTERN_LEN];
    struct tl_pattern *pattern; // of match
    char to[TL_TEMPLATE_LEN];
};
struct tl_translation_config {
    char name[TL_NAME_MAX];
    struct tl_rule rules[TL_RULES_MAX];
    uint32_t rule_count;
};

// What a final response of the peer is taken for. The first rule that fits counts.
struct tl_code_rule {
    uint32_t status; // 400..699, 0 = any
    uint32_t cause;  // Q.850, of its Reason; 0 = any, or none
    uint32_t to;     // 400..699
};

// What a trunk does with header lines on their way to its peer, beside the default (common/header_names.h). A pattern is
// a header's name in which '*' stands for any characters.
struct tl_header_rules {
    char pass[TL_HEADER_PATTERNS_MAX][TL_HEADER_PATTERN_LEN]; // lines that the default would not pass
    uint32_t pass_count;
    char remove[TL_HEADER_PATTERNS_MAX][TL_HEADER_PATTERN_LEN]; // lines that do not pass; wins over pass
    uint32_t remove_count;
    struct {
        char name[TL_HEADER_PATTERN_LEN];
        char value[TL_HEADER_VALUE_LEN]; // UTF-8 without control characters
    } add[TL_HEADER_ADDS_MAX]; // in each INVITE that sets a call up, instead of what came by that name
    uint32_t add_count;
};

// What of an attempt leads to the next trunk: final responses 400..599 (a 6xx never does), and the lack of one.
enum {
    TL_FAILOVER_FIRST = 400,
    TL_FAILOVER_LAST = 599,
    TL_FAILOVER_NO_RESPONSE = TL_FAILOVER_LAST + 1, // not even 100 within no_response_ms
    TL_FAILOVER_NO_PROGRESS,                        // nothing above 100 within no_progress_ms
    TL_FAILOVER_TRANSPORT,                          // the INVITE could not be delivered
    TL_FAILOVER_END,
};
struct tl_failover {
    uint8_t bits[(TL_FAILOVER_END - TL_FAILOVER_FIRST + 7) / 8];
};

// Whether a status, or one of TL_FAILOVER_*, is in the set. Any number may be asked for. Any thread.
static inline bool tl_failover_has(const struct tl_failover *set, unsigned what)
{
    unsigned bit = what - TL_FAILOVER_FIRST;
    return what >= TL_FAILOVER_FIRST && what < TL_FAILOVER_END && set->bits[bit / 8] >> bit % 8 & 1;
}

static inline void tl_failover_add(struct tl_failover *set, unsigned what)
{
    unsigned bit = what - TL_FAILOVER_FIRST;
    set->bits[bit / 8] |= (uint8_t)(1u << bit % 8);
}

// A user with a password in a realm of the peer. No quote and no backslash is in either.
struct tl_credentials_config {
    char realm[TL_LOGIN_REALM_LEN];
    char user[TL_LOGIN_USER_LEN];
    char password_file[TL_FILE_LEN];
};

// An address of record that we register at a trunk's peer (RFC 3261 10).
struct tl_registration_config {
    char user[TL_SIP_USER_LEN];         // of the address of record
    char domain[TL_HOST_MAX];           // its host; "": the peer's address
    char registrar[TL_HOST_MAX];        // host of the Request-URI; "": the domain
    char contact_user[TL_SIP_USER_LEN]; // of our Contact; "": user
    char login[TL_LOGIN_USER_LEN];      // whose credentials answer; "": those of the trunk
    uint32_t expires_s;
    bool path; // RFC 3327
};

// An address of a trunk's peer, or a network that requests of it come from.
struct tl_peer_config {
    struct tl_addr address; // with port; of a network 0
    uint8_t prefix_len;     // of a network; of a host all bits of its address
    uint16_t port;          // as in the file, 0: that of the transport
    uint32_t over;          // as in the file: 0: the listener's transport, else enum tl_transport + 1
    uint32_t listener;      // index: requests to it leave there; TL_NO_INDEX: no listener has the transport
    bool send;              // requests go there; false for a network
    uint32_t priority;      // of those with send the lowest comes first
    uint32_t weight;        // share among those of one priority
    char name[TL_HOST_MAX]; // of a host that is looked up; "": `address` is set
};

// Binds a listener to a remote peer. (listener, peer) is unique.
struct tl_trunk_config {
    char name[TL_NAME_MAX];
    uint32_t number;     // 1, 2 ...: who it is, whatever its place in a later reading of the file
    uint32_t listener;   // index
    struct tl_addr peer; // with port; unset: `peers` says who it is
    struct tl_peer_config peers[TL_PEERS_MAX];
    uint32_t peer_count;
    uint32_t realm; // index; where its media is
    enum tl_side side;
    enum tl_srtp_policy srtp;
    enum tl_suite suites[TL_SUITES_MAX]; // in order of preference, for offers and answers
    uint32_t suite_count;
    enum tl_mki_policy mki;
    enum tl_roc roc_on_rekey;
    enum tl_g711 codecs[TL_G711_LAWS]; // that the peer may use, in order of preference
    uint32_t codec_count;
    bool rtcp_mux;   // offered, and taken when offered
    uint8_t dtmf_pt; // payload type of telephone-event in our offers, 96..127
    enum tl_hold_form hold;
    enum tl_sdp_pass sdp_pass[TL_SDP_PASS_COUNT + 1]; // lines of the other side's SDP that the peer gets
    uint32_t sdp_pass_count;
    uint32_t tcp_above_bytes;    // of a request over UDP: a longer one goes by TCP; 0 = never
    uint32_t options_interval_s; // 0 = no keep-alive
    uint32_t options_failures;   // in a row, before the trunk counts as down
    uint32_t no_response_ms;     // of an INVITE without any answer, before the next trunk
    uint32_t no_progress_ms;     // ... with nothing above 100; 0 = never
    struct tl_failover failover;
    struct tl_code_rule codes_in[TL_CODE_RULES_MAX]; // what its refusals are taken for
    uint32_t codes_in_count;
    uint32_t called_in, calling_in;   // translations (index or TL_NO_INDEX) of numbers from the peer ...
    uint32_t called_out, calling_out; // ... and to it
    bool remove_plus;                 // from all numbers to the peer
    bool failover_after_progress;     // ... even behind a provisional above 100
    uint32_t
        last_after_failures; // in a row that lead to the next trunk, before this one is tried last; 0 = never
    uint32_t last_for_s;     // for so long
    enum tl_prack prack;     // 100rel, on this trunk
    bool update;             // we send and take UPDATE
    enum tl_session_timer session_timer; // RFC 4028, on this trunk
    uint32_t session_expires_s; // that we ask for, and the longest that we agree to; at least min_se_s
    uint32_t min_se_s;          // the shortest that we agree to, at least 90
    enum tl_refresher refresher;
    enum tl_forks forks;             // of calls to this trunk: what the caller sees of them
    enum tl_early_media early_media; // of calls to this trunk: which fork's
    uint32_t max_duration_s;         // of a call from its answer on; 0 = none
    uint32_t media_timeout_s; // a leg that sends neither RTP nor RTCP for so long ends the call; 0 = never
    uint32_t media_timeout_held_s;  // ... while it is not to send
    uint32_t media_timeout_early_s; // ... before the call is answered
    enum tl_refer refer;            // what becomes of its REFER
    enum tl_replaces replaces;      // whose dialogs an INVITE of its may replace
    enum tl_redirect redirect;      // what becomes of its 3xx
    uint32_t silence_ms;            // event after so long without media; 0 = never
    uint32_t max_packets_per_s;     // that the peer may send on a leg; 0 = from its and our SDP
    uint32_t burst_ms;              // depth of the buckets that hold it to that
    // limits; 0 = none
    uint32_t max_calls;         // calls with a leg here
    uint32_t max_calls_per_s;   // new ones, from the peer and to it
    uint32_t max_waiting_calls; // calls with a leg here that nobody has answered yet
    uint32_t max_kbit_per_s;    // media of the calls in one direction
    uint32_t reserved_calls;    // of control.max_calls, for calls from the peer
    bool other_transports;      // the peer may come over another transport to the listener's address
    // who we are there
    struct tl_credentials_config credentials[TL_CREDENTIALS_MAX];
    uint32_t credentials_count;
    struct tl_registration_config registrations[TL_REGISTRATIONS_MAX];
    uint32_t registration_count;
    bool register_required;    // calls go there only while one of the registrations holds
    uint32_t register_retry_s; // after the first failure; doubled with each
    uint32_t register_retry_max_s;
    struct tl_tls_config tls;
    // the headers and numbers of messages to the peer
    enum tl_uri_scheme uri_scheme; // of URIs that we address the peer and ourselves by
    bool trusted;                  // RFC 3325: identities from the peer are believed, and it is told all
    char domain[TL_HOST_MAX];      // our name where our address would stand; "" = the address
    bool domain_in_via;            // ... in Via too
    enum tl_connected connected_identity;
    enum tl_host_names host_names;
    enum tl_user_params user_params;
    enum tl_user_phone user_phone;
    enum tl_location location;
    struct tl_header_rules headers;
};

enum tl_order { TL_ORDER_LISTED, TL_ORDER_TURNS, TL_ORDER_WEIGHTS };

// Trunks that stand for one place in routes.
struct tl_group_config {
    char name[TL_NAME_MAX];
    uint32_t trunks[TL_ROUTE_TRUNKS_MAX]; // indices
    uint32_t trunk_count;
    enum tl_order order;
    uint32_t weights[TL_ROUTE_TRUNKS_MAX]; // of each trunk
    uint32_t weight_count;                 // trunk_count or 0
};

// Where a call goes. Of those that fit the one with the lowest priority number counts, of these the longest prefix, of these one
// with `from`, of these one with a pattern, of these the first.
struct tl_route_config {
    char prefix[TL_DIGITS_MAX];
    bool any_from;                                        // no "from": calls from every trunk
    uint32_t from;                                        // else only calls from this trunk
    char called[TL_PATTERN_LEN], calling[TL_PATTERN_LEN]; // "" = any
    struct tl_pattern *called_pattern, *calling_pattern;  // NULL: any
    uint32_t priority;
    uint32_t trunks[TL_ROUTE_TRUNKS_MAX]; // indices, tried in order; those of the group, if it has one
    uint32_t trunk_count;
    uint32_t group;                // index or TL_NO_INDEX
    uint32_t deny;                 // status that refuses the call, 0: it goes to the trunks
    char deny_text[TL_REASON_MAX]; // reason phrase, "" = that of the status
    bool peer_to_peer;             // may lead from a trunk of the side "peer" to one of that side
    bool back_to_origin;           // may lead back to the trunk that the call came from
};

// Who resolves names.
struct tl_dns_config {
    struct tl_addr servers[TL_DNS_SERVERS_MAX]; // with port; none: those of the system
    uint32_t server_count;
    uint32_t timeout_ms; // of a server's first answer
    uint32_t tries;      // of each server
};

struct tl_control_config {
    char socket[TL_PATH_LEN]; // trunklinectl connects here
    char user_agent[64];
    enum tl_srtp_without_tls srtp_without_tls;
    uint32_t t1_ms, t2_ms, t4_ms;
    uint32_t timer_b_ms, timer_f_ms, timer_h_ms; // default 64 * T1
    uint32_t setup_timeout_ms;                   // of a call that nobody answers
    uint32_t max_calls;
    uint32_t reserved_percent; // of max_calls, kept for all trunks evenly
    uint32_t max_transactions;
    uint32_t max_connections;     // accepted and made
    uint32_t message_timeout_ms;  // for a first byte, a whole message, and to take what we wrote; 0 = 64 * T1
    uint32_t idle_timeout_s;      // of a connection; 0 = never
    uint32_t peer_messages_per_s; // from one address of a peer; 0 = no limit
    uint32_t stranger_messages_per_s;  // from one of nobody's
    uint32_t strangers_messages_per_s; // from all of them
    uint32_t ban_strikes;              // messages too many that make a ban
    uint32_t ban_s;                    // 0 = nobody is banned
    uint32_t retry_after_s;            // in our 503
    uint32_t max_hops;                 // nodes of ours that a call may have passed before this one
    char emergency_numbers[TL_EMERGENCY_MAX][TL_DIGITS_MAX];
    uint32_t emergency_count;
    uint32_t connect_timeout_ms;   // of a connection of ours, its TLS handshake included
    uint32_t handshake_timeout_ms; // of a peer's TLS handshake
    uint32_t crlf_interval_s;      // between two pings on a connection of ours; 0 = none
    struct tl_dns_config dns;
};

struct tl_config {
    struct tl_dataplane_config dataplane;
    struct tl_control_config control;
    struct tl_realm_config realms[TL_REALMS_MAX];
    uint32_t realm_count;
    struct tl_listener_config listeners[TL_LISTENERS_MAX];
    uint32_t listener_count;
    struct tl_translation_config translations[TL_TRANSLATIONS_MAX];
    uint32_t translation_count;
    struct tl_trunk_config trunks[TL_TRUNKS_MAX];
    uint32_t trunk_count;
    struct tl_group_config groups[TL_GROUPS_MAX];
    uint32_t group_count;
    struct tl_route_config routes[TL_ROUTES_MAX];
    uint32_t route_count;
};

// What is wrong with a configuration, a line each: "FILE:LINE:COLUMN: PATH: what is wrong; expected what\n". Where nothing
// is wrong, what somebody should look at, with "warning: " behind the path.
struct tl_config_errors {
    char text[8192]; // in the order of the file, as many as fit, the last one whole; printable but for '\n'
    unsigned count;  // all that were found
    unsigned warnings;
};

// Reads and checks the file, for a start as for --check: it needs neither root nor the machine it is meant
// for. On success *out is a new config that the caller frees with tl_config_free(), errors->count is 0 and errors has the
// warnings.
// Returns 0; -EINVAL with errors filled when the content is wrong; another -errno with one error
// ("FILE: why\n") when it cannot be read. Never touches *out on failure. Any thread.
int tl_config_load(const char *file, struct tl_config **out, struct tl_config_errors *errors);

// The same from memory; `name` stands in the errors for the file.
int tl_config_parse(const char *name, const char *text, size_t len, struct tl_config **out,
                    struct tl_config_errors *errors);

void tl_config_free(struct tl_config *config);

// Whether a call that came by the trunk `from` (index) may go to the trunk `to` over that route: not from a peer to a peer
// and not back to where it came from, unless the route says so. Any thread.
bool tl_route_open(const struct tl_config *config, const struct tl_route_config *route, uint32_t from,
                   uint32_t to);

// The i-th address of a trunk's peer: of `peers`, or the one of `peer`. False: there are no more. Any thread.
bool tl_trunk_peer(const struct tl_trunk_config *trunk, uint32_t i, struct tl_peer_config *out);

// The listener with another transport at the address of that one, best at its port too; TL_NO_INDEX: there is none.
uint32_t tl_listener_beside(const struct tl_config *config, uint32_t listener, enum tl_transport transport);

// Whether requests that come to `listener` can be of one of the trunk's peers, or of any of them, by the transport alone.
enum tl_trunk_over {
    TL_OVER_NOT,
    TL_OVER_OWN,   // the peer talks to that listener
    TL_OVER_OTHER, // it may have changed to its transport (other_transports)
};
enum tl_trunk_over tl_peer_over(const struct tl_config *config, const struct tl_trunk_config *trunk,
                                const struct tl_peer_config *peer, uint32_t listener);
enum tl_trunk_over tl_trunk_over(const struct tl_config *config, const struct tl_trunk_config *trunk,
                                 uint32_t listener);

// The first listener with TLS that the trunk's peer may talk to; TL_NO_INDEX: there is none.
uint32_t tl_trunk_tls_listener(const struct tl_config *config, const struct tl_trunk_config *trunk);

// Whether nothing that the trunk's peer says or hears crosses the network in clear text.
bool tl_trunk_is_secure(const struct tl_config *config, const struct tl_trunk_config *trunk);

// ---- another one while it runs

// When a change of an option takes effect after a reload.
enum tl_config_when {
    TL_CONFIG_LIVE = 1,  // at once
    TL_CONFIG_NEW_CALLS, // for calls that begin then
    TL_CONFIG_DATAPLANE, // the dataplane has it with its next start; control does not need it
    TL_CONFIG_RESTART, // not before control is restarted, and the dataplane where it has it, too: no reload takes it
};

// "live", "new calls", "dataplane restart", "restart".
const char *tl_config_when_text(enum tl_config_when when);

enum tl_config_what { TL_CONFIG_CHANGED, TL_CONFIG_ADDED, TL_CONFIG_REMOVED };

struct tl_config_change {
    enum tl_config_what what;
    enum tl_config_when when;
    const char *noun;      // "trunk", "control"
    const char *name;      // of the trunk, ...; "" for the latter
    const char *key;       // of what was changed
    const char *from, *to; // its values, as the file would have them
};

// Tells `fn` what differs: blocks and lists in the order of the documentation, items of a list by name. A profile's changes are those
// of its trunks. The texts are good during the call. 0 or -ENOMEM. Any thread.
int tl_config_diff(const struct tl_config *from, const struct tl_config *to,
                   void (*fn)(void *arg, const struct tl_config_change *change), void *arg);

// tl_config_load() of what is to follow `running` without a restart: a change that needs one is an error at its place.
int tl_config_load_next(const char *file, const struct tl_config *running, struct tl_config **out,
                        struct tl_config_errors *errors);

// The same from memory.
int tl_config_parse_next(const char *name, const char *text, size_t len, const struct tl_config *running,
                         struct tl_config **out, struct tl_config_errors *errors);

// Prints the errors or warnings of a load, and how many more there were than fit. For a daemon\'s start.
void tl_config_print_errors(FILE *out, const char *file, const struct tl_config_errors *errors);

// What --check of both daemons and `trunklinectl config check` do: loads the file, prints "FILE: ok (2 ports,
// ...)" to stdout or the errors to stderr. Returns the exit status, 0 or 1.
int tl_config_check_file(const char *file);

// Writes docs/config.md's reference part, Markdown made from the table that the parser uses.
void tl_config_print_reference(FILE *out);
