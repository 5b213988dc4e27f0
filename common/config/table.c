// SPDX-License-Identifier: BSD-3-Clause
// Every option of the configuration file, in the order of the documentation. The parser reads blocks in this
// order too, so what is referred to stands before what refers to it.
#include "common/config/table.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array)     (sizeof(array) / sizeof((array)[0]))
#define FIELD(type, f)   .offset = offsetof(struct type, f), .size = sizeof(((struct type *)0)->f)
#define SECOND(type, f)  .offset2 = offsetof(struct type, f), .size2 = sizeof(((struct type *)0)->f)
#define OWN(array)       .own = (array), .own_count = COUNT(array)
#define REQUIRED         .flags = OPTION_REQUIRED
#define PORT_OR_NOT      .flags = OPTION_PORT_OR_NOT
#define RANGE(low, high) .min = (low), .max = (high)

static const char *const poll_words[] = {"busy", "adaptive", NULL};
static const char *const order_words[] = {"listed", "round-robin", "weighted", NULL};
static const char *const side_words[] = {"peer", "core", "realm", NULL};
static const char *const realm_side_words[] = {"peer", "core", NULL};
static const char *const srtp_words[] = {"off", "optional", "required", NULL};
static const char *const roc_words[] = {"auto", "keep", "reset", NULL};
static const char *const mki_words[] = {"none", "mirror", "always", NULL};
static const char *const hold_words[] = {"sendonly", "inactive", "zero", NULL};
static const char *const sdp_pass_words[] = {
#define X(constant, line, values, otherwise, why) line,
    TL_SDP_PASS(X)
#undef X
        "none",
    NULL};
static const char *const prack_words[] = {"off", "supported", "required", NULL};
static const char *const timer_words[] = {"off", "supported", "required", NULL};
static const char *const refresher_words[] = {"auto", "us", "peer", NULL};
static const char *const forks_words[] = {"one", "separate", NULL};
static const char *const early_words[] = {"last", "first", "p-early-media", NULL};
static const char *const refer_words[] = {"refuse", "relay", "carry_out", NULL};
static const char *const replaces_words[] = {"refuse", "own", "realm", "any", NULL};
static const char *const connected_words[] = {"off", "asserted", "auto", NULL};
static const char *const redirect_words[] = {"refuse", "follow", "relay", NULL};
static const char *const codec_words[] = {"PCMU", "PCMA", NULL};
static const char *const host_names_words[] = {"hide", "keep", NULL};
static const char *const uri_scheme_words[] = {"sip", "sips", NULL};
static const char *const user_params_words[] = {"keep", "drop", NULL};
static const char *const user_phone_words[] = {"keep", "always", "never", NULL};
static const char *const location_words[] = {"remove", "pass", NULL};
static const char *const strangers_words[] = {"auto", "answer", "drop", NULL};
static const char *const without_tls_words[] = {"refuse", "allow", NULL};
static const char *const version_words[] = {"1.2", "1.3", NULL};
static const char *const peer_transport_words[] = {"listener",
#define X(id, name, ...) name,
                                                   TL_TRANSPORTS(X)
#undef X
                                                       NULL};
static const char *const verify_words[] = {"required", "off", NULL};

static const struct option port_options[] = {
    {"name", OPTION_NAME, REQUIRED, FIELD(tl_port_config, name), .doc = "Name that realms refer to."},
    {"device", OPTION_DEVICE, REQUIRED, FIELD(tl_port_config, device),
     .doc =
         "NIC that the dataplane drives: a PCI address for a NIC that belongs to DPDK, else a DPDK vdev string, passed on as it is."},
    {"rx_descriptors", OPTION_NUMBER, FIELD(tl_port_config, rx_descriptors), RANGE(64, 32768),
     .flags = OPTION_POWER_OF_TWO, .unit = "packets", .preset = "4096",
     .doc = "Size of each receive ring. "
            "What the ring holds is what a worker that is kept from running may miss without loss."},
    {"tx_descriptors", OPTION_NUMBER, FIELD(tl_port_config, tx_descriptors), RANGE(64, 32768),
     .flags = OPTION_POWER_OF_TWO, .unit = "packets", .preset = "1024", .doc = "Size of each transmit ring."},
    {"verify_udp_checksum", OPTION_BOOL, FIELD(tl_port_config, verify_udp_checksum), .preset = "false",
     .doc = "Verify UDP checksums in software where the device does not vouch for them. "
            "Leave it off on veth interfaces, whose kernel packets carry unfinished checksums."},
};
static const struct block port_block = {"dataplane.ports[]", "A network port that the dataplane drives.",
                                        sizeof(struct tl_port_config), OWN(port_options),
                                        .when = TL_CONFIG_DATAPLANE};

static const struct option dataplane_options[] = {
    {"socket", OPTION_PATH, FIELD(tl_dataplane_config, socket), .when = TL_CONFIG_RESTART,
     .preset = "\"/run/trunkline/dataplane.sock\"", .doc = "Unix socket where control connects."},
    {"file_prefix", OPTION_NAME, FIELD(tl_dataplane_config, file_prefix), .preset = "\"trunkline\"",
     .doc = "DPDK's name for its run-time files; each dataplane on a machine needs its own."},
    {"main_core", OPTION_NUMBER, FIELD(tl_dataplane_config, main_core), RANGE(0, 127), .preset = "0",
     .doc = "CPU of the manager, which sleeps while there is nothing to do. "
            "With poll busy it cannot be a worker's."},
    {"worker_cores", OPTION_NUMBERS, FIELD(tl_dataplane_config, worker_cores),
     SECOND(tl_dataplane_config, worker_count), RANGE(0, 127), .preset = "[1]",
     .doc = "CPUs of the workers, one worker each. Keep other work off them."},
    {"poll", OPTION_WORD, FIELD(tl_dataplane_config, poll), .words = poll_words, .preset = "\"busy\"",
     .doc = "busy: workers never sleep, for a machine of its own. "
            "adaptive: idle workers sleep for up to 200 µs, for shared machines."},
    {"huge_pages", OPTION_BOOL, FIELD(tl_dataplane_config, huge_pages), .preset = "true",
     .doc = "Packet memory in huge pages, which the operator has reserved. PCI devices need it."},
    {"memory_mb", OPTION_NUMBER, FIELD(tl_dataplane_config, memory_mb), RANGE(64, 1048576), .unit = "MiB",
     .preset = "512",
     .doc =
         "Memory to take when huge_pages is false: 2.5 kB for each of mbufs, 5.2 kB for each of max_sessions and 16 MiB more."},
    {"mbufs", OPTION_NUMBER, FIELD(tl_dataplane_config, mbufs), RANGE(1024, 8388607), .preset = "65535",
     .doc =
         "Packet buffers of all ports of a NUMA node: at least the descriptors of every port times the workers."},
    {"max_sessions", OPTION_NUMBER, FIELD(tl_dataplane_config, max_sessions), RANGE(1, 1000000),
     .preset = "10000", .doc = "Calls that the dataplane keeps at the same time."},
    {"burst", OPTION_NUMBER, FIELD(tl_dataplane_config, burst), RANGE(4, 64), .unit = "packets",
     .preset = "32", .doc = "Packets that a worker handles at a time."},
    {"ports", OPTION_LIST, FIELD(tl_dataplane_config, ports), SECOND(tl_dataplane_config, port_count),
     RANGE(1, TL_PORTS_MAX), REQUIRED, .block = &port_block, .list = LIST_PORTS, .doc = "Network ports."},
};
static const struct block dataplane_block = {"dataplane", "The packet engine, trunkline-dataplane.",
                                             sizeof(struct tl_dataplane_config), OWN(dataplane_options),
                                             .when = TL_CONFIG_DATAPLANE};

static const struct option dns_options[] = {
    {"servers", OPTION_SERVERS, FIELD(tl_dns_config, servers), SECOND(tl_dns_config, server_count),
     .preset = "[]",
     .doc =
         "Name servers, asked one after the other until one answers. []: those of /etc/resolv.conf as it is at the start."},
    {"timeout_ms", OPTION_NUMBER, FIELD(tl_dns_config, timeout_ms), RANGE(100, 30000), .unit = "ms",
     .preset = "1500", .doc = "Time for an answer before the next server is asked; doubled with each try."},
    {"tries", OPTION_NUMBER, FIELD(tl_dns_config, tries), RANGE(1, 10), .preset = "2",
     .doc = "How often each server is asked."},
};
static const struct block dns_block = {
    "control.dns",
    "How names of peers are resolved (trunks[].peers[].address). Answers are kept for their TTL, 5 s at least and a day at most, and asked for again before that is over. "
    "While no server answers they are used for a day more. That there is none is believed for 5 minutes at most.",
    sizeof(struct tl_dns_config), OWN(dns_options), .when = TL_CONFIG_LIVE};

static const struct option control_options[] = {
    {"socket", OPTION_PATH, FIELD(tl_control_config, socket), .preset = "\"/run/trunkline/control.sock\"",
     .doc = "Unix socket where trunklinectl connects."},
    {"user_agent", OPTION_TEXT, FIELD(tl_control_config, user_agent), .when = TL_CONFIG_LIVE,
     .preset = "\"Trunkline\"", .doc = "User-Agent and Server header of our messages."},
    {"srtp_without_tls", OPTION_WORD, FIELD(tl_control_config, srtp_without_tls), .when = TL_CONFIG_NEW_CALLS,
     .words = without_tls_words, .preset = "\"refuse\"",
     .doc =
         "SDES carries SRTP keys in the SIP message, readable to all on its way unless SIP runs over TLS. "
         "refuse: no trunk without TLS may use SRTP. "
         "allow: it may, with a warning at start; for laboratories and for networks that are protected otherwise."},
    {"t1_ms", OPTION_NUMBER, FIELD(tl_control_config, t1_ms), .when = TL_CONFIG_LIVE, RANGE(10, 10000),
     .unit = "ms", .preset = "500",
     .doc = "SIP timer T1, the round-trip estimate that retransmissions start from (RFC 3261 17)."},
    {"t2_ms", OPTION_NUMBER, FIELD(tl_control_config, t2_ms), .when = TL_CONFIG_LIVE, RANGE(10, 60000),
     .unit = "ms", .preset = "4000",
     .doc = "SIP timer T2, the longest time between retransmissions; at least t1_ms."},
    {"t4_ms", OPTION_NUMBER, FIELD(tl_control_config, t4_ms), .when = TL_CONFIG_LIVE, RANGE(10, 60000),
     .unit = "ms", .preset = "5000", .doc = "SIP timer T4, how long a message may stay in the network."},
    {"timer_b_ms", OPTION_NUMBER, FIELD(tl_control_config, timer_b_ms), .when = TL_CONFIG_LIVE,
     RANGE(10, 640000), .unit = "ms", .preset_text = "64 * t1_ms",
     .doc = "SIP timer B: an INVITE without any answer fails."},
    {"timer_f_ms", OPTION_NUMBER, FIELD(tl_control_config, timer_f_ms), .when = TL_CONFIG_LIVE,
     RANGE(10, 640000), .unit = "ms", .preset_text = "64 * t1_ms",
     .doc = "SIP timer F: any other request without a final answer fails."},
    {"timer_h_ms", OPTION_NUMBER, FIELD(tl_control_config, timer_h_ms), .when = TL_CONFIG_LIVE,
     RANGE(10, 640000), .unit = "ms", .preset_text = "64 * t1_ms",
     .doc = "SIP timer H: how long we wait for the ACK of a final answer, a 2xx as well as a refusal."},
    {"setup_timeout_ms", OPTION_NUMBER, FIELD(tl_control_config, setup_timeout_ms),
     .when = TL_CONFIG_NEW_CALLS, RANGE(100, 3600000), .unit = "ms", .preset = "180000",
     .doc = "A call that nobody has answered by then is given up."},
    {"max_calls", OPTION_NUMBER, FIELD(tl_control_config, max_calls), .when = TL_CONFIG_LIVE,
     RANGE(1, 1000000), .preset = "10000", .doc = "Calls at the same time; one more is answered 503."},
    {"reserved_percent", OPTION_NUMBER, FIELD(tl_control_config, reserved_percent), .when = TL_CONFIG_LIVE,
     RANGE(0, 100), .unit = "%", .preset = "25",
     .doc =
         "Part of max_calls that the trunks have to themselves, each as much as every other: calls from one trunk cannot take another's. A trunk's reserved_calls keeps more for it."},
    {"max_transactions", OPTION_NUMBER, FIELD(tl_control_config, max_transactions), .when = TL_CONFIG_LIVE,
     RANGE(16, 10000000), .preset = "100000",
     .doc = "SIP transactions kept at the same time; a request beyond is answered 503."},
    {"max_connections", OPTION_NUMBER, FIELD(tl_control_config, max_connections), RANGE(16, 1000000),
     .preset = "4096",
     .doc =
         "SIP connections at the same time. A quarter is kept for those that we make, an eighth of the rest is all that strangers get; one address of a peer has half of the rest at most."},
    {"message_timeout_ms", OPTION_NUMBER, FIELD(tl_control_config, message_timeout_ms), RANGE(10, 640000),
     .unit = "ms", .preset_text = "64 * t1_ms",
     .doc =
         "How long a connection may take to its first byte, for a message that it began, and to take what we wrote; then it is closed."},
    {"idle_timeout_s", OPTION_NUMBER, FIELD(tl_control_config, idle_timeout_s), RANGE(0, 86400), .unit = "s",
     .preset = "600", .doc = "A connection without a message either way is closed then; 0: never."},
    {"peer_messages_per_s", OPTION_NUMBER, FIELD(tl_control_config, peer_messages_per_s), RANGE(0, 1000000),
     .unit = "messages/s", .preset = "5000",
     .doc =
         "Messages that one address of a peer may send, a fifth of it at once; 0: no limit. A call has 3 or 4 of each side, so this is some 1,200 calls a second. More is dropped unread over UDP and waits over a stream."},
    {"stranger_messages_per_s", OPTION_NUMBER, FIELD(tl_control_config, stranger_messages_per_s),
     RANGE(1, 10000), .unit = "messages/s", .preset = "10",
     .doc = "Messages of an address that is no peer's; more is dropped unread and is a strike."},
    {"strangers_messages_per_s", OPTION_NUMBER, FIELD(tl_control_config, strangers_messages_per_s),
     RANGE(1, 100000), .unit = "messages/s", .preset = "200",
     .doc = "Messages of all such addresses together; more is dropped unread."},
    {"ban_strikes", OPTION_NUMBER, FIELD(tl_control_config, ban_strikes), RANGE(1, 1000000), .preset = "100",
     .doc =
         "Messages too many, none more than 10 s after the one before, that ban such an address. Peers are never banned."},
    {"ban_s", OPTION_NUMBER, FIELD(tl_control_config, ban_s), RANGE(0, 604800), .unit = "s", .preset = "300",
     .doc =
         "How long a ban lasts; 0: nobody is banned. trunklinectl bans shows who is, trunklinectl unban ends one."},
    {"retry_after_s", OPTION_NUMBER, FIELD(tl_control_config, retry_after_s), .when = TL_CONFIG_LIVE,
     RANGE(1, 3600), .unit = "s", .preset = "10", .doc = "Retry-After in our 503 answers."},
    {"max_hops", OPTION_NUMBER, FIELD(tl_control_config, max_hops), .when = TL_CONFIG_LIVE, RANGE(0, 70),
     .preset = "3",
     .doc =
         "Nodes of Trunkline that a call may have passed before this one; one more is answered 483. They count in the header X-Trunkline-Hops, which Max-Forwards does not replace: peers begin it anew."},
    {"emergency_numbers", OPTION_DIGIT_LIST, FIELD(tl_control_config, emergency_numbers),
     .when = TL_CONFIG_LIVE, SECOND(tl_control_config, emergency_count), .preset = "[\"112\", \"911\"]",
     .doc = "Called numbers that pass when limits are reached."},
    {"connect_timeout_ms", OPTION_NUMBER, FIELD(tl_control_config, connect_timeout_ms),
     .when = TL_CONFIG_LIVE, RANGE(10, 60000), .unit = "ms", .preset = "4000",
     .doc =
         "A connection of ours over TCP or TLS that is not there by then, its handshake included, has failed: "
         "a call goes to the route's next trunk."},
    {"handshake_timeout_ms", OPTION_NUMBER, FIELD(tl_control_config, handshake_timeout_ms),
     .when = TL_CONFIG_LIVE, RANGE(10, 60000), .unit = "ms", .preset = "5000",
     .doc = "A peer that connects over TLS and is not through with its handshake by then is closed."},
    {"crlf_interval_s", OPTION_NUMBER, FIELD(tl_control_config, crlf_interval_s), .when = TL_CONFIG_LIVE,
     RANGE(0, 3600), .unit = "s", .preset = "0",
     .doc =
         "A connection that we made and on which nothing was said for so long gets CR LF CR LF (RFC 5626 4.4.1), which keeps it in firewalls; 0: never. Who has answered one and then for 10 s does not is gone: the next request makes a new connection."},
    {"dns", OPTION_BLOCK, FIELD(tl_control_config, dns), .preset = "{}", .block = &dns_block,
     .doc = "Who resolves names of peers; see below."},
};
static const struct block control_block = {"control", "The signalling daemon, trunkline-control.",
                                           sizeof(struct tl_control_config), OWN(control_options),
                                           .when = TL_CONFIG_RESTART};

static const struct option realm_options[] = {
    {"name", OPTION_NAME, REQUIRED, FIELD(tl_realm_config, name), .doc = "Name that trunks refer to."},
    {"port", OPTION_REF, REQUIRED, FIELD(tl_realm_config, port), .list = LIST_PORTS,
     .doc = "Name of the dataplane port whose network this is."},
    {"address", OPTION_SUBNET, REQUIRED, FIELD(tl_realm_config, address), SECOND(tl_realm_config, prefix_len),
     RANGE(8, 32),
     .doc = "Media address and its subnet. "
            "Only the dataplane has this address: do not configure it in the kernel."},
    {"gateway", OPTION_ADDRESS, FIELD(tl_realm_config, gateway), .preset_text = "none",
     .doc = "Next hop for media outside the subnet; without it such media has no route."},
    {"advertised", OPTION_ADDRESS, FIELD(tl_realm_config, advertised), .when = TL_CONFIG_RESTART,
     .preset_text = "address",
     .doc =
         "What stands in SDP, behind a router that translates that address to ours and back (1:1 NAT). It keeps the ports."},
    {"rtp_ports", OPTION_PORTS, FIELD(tl_realm_config, rtp_first), SECOND(tl_realm_config, rtp_last),
     RANGE(1024, 65535), .preset = "[16384, 32767]",
     .doc = "First and last media port. A call takes a pair, RTP on the even port and RTCP on the next."},
    {"side", OPTION_WORD, FIELD(tl_realm_config, side), .when = TL_CONFIG_NEW_CALLS,
     .words = realm_side_words, .preset = "\"peer\"",
     .doc =
         "Whose network it is. core: ours, as the PBX or UC platform. peer: another's, as a carrier. No call goes from a peer to a peer unless a route has peer_to_peer."},
};
static const struct block realm_block = {
    "realms[]", "A side of the gateway: the address and the ports where calls have their media.",
    sizeof(struct tl_realm_config), OWN(realm_options), .when = TL_CONFIG_DATAPLANE};

static const struct option listener_tls_options[] = {
    {"certificate", OPTION_PATH, FIELD(tl_tls_config, certificate), .preset_text = "required with tls",
     .doc =
         "File with our certificate and, behind it, those between it and its CA; PEM. It is read again when it changes."},
    {"key", OPTION_PATH, FIELD(tl_tls_config, key), .preset_text = "the certificate's file",
     .doc =
         "File with its private key, PEM, without a password. Only trunkline-control should be able to read it."},
    {"ca", OPTION_PATH, FIELD(tl_tls_config, ca), .preset_text = "whom the system trusts",
     .doc = "File with the CAs that certificates of peers may be from, PEM."},
    {"ciphers", OPTION_TEXT, FIELD(tl_tls_config, ciphers), .preset_text = "ECDHE with AES-GCM or ChaCha20",
     .doc =
         "Cipher suites of TLS 1.2, as OpenSSL writes them (\"openssl ciphers -v LIST\"). TLS 1.3 always has its own three."},
    {"min_version", OPTION_WORD, FIELD(tl_tls_config, min_version), .words = version_words,
     .preset = "\"1.2\"", .doc = "Oldest version of TLS that is spoken. There is none older than 1.2."},
};
static const struct block listener_tls_block = {
    "listeners[].tls", "What a listener with transport \"tls\" shows to its peers, and whom it believes.",
    sizeof(struct tl_tls_config), OWN(listener_tls_options), .when = TL_CONFIG_RESTART};

static const struct option trunk_tls_options[] = {
    {"names", OPTION_HOSTS, FIELD(tl_tls_config, names), SECOND(tl_tls_config, name_count),
     RANGE(1, TL_TLS_NAMES_MAX), .preset_text = "required with tls",
     .doc =
         "Names that the peer goes by. Its certificate must be for one of them (RFC 5922): by a DNS name, in which \"*\" may stand for the first label, or a sip: URI in its subjectAltName; by its CN only when it has neither. The first one is what we ask for (SNI)."},
    {"verify", OPTION_WORD, FIELD(tl_tls_config, verify), .words = verify_words, .preset = "\"required\"",
     .doc =
         "required: the peer has a certificate from one of the CAs for one of the names, whoever connected. off: it may have any or, when it connected, none; then only its address tells who it is."},
    {"ca", OPTION_PATH, FIELD(tl_tls_config, ca), .preset_text = "the listener's",
     .doc = "File with the CAs that this peer's certificate may be from, PEM."},
    {"certificate", OPTION_PATH, FIELD(tl_tls_config, certificate), .preset_text = "the listener's",
     .doc = "File with the certificate that this peer sees of us, with its chain; PEM."},
    {"key", OPTION_PATH, FIELD(tl_tls_config, key), .preset_text = "the certificate's file",
     .doc = "File with its private key."},
    {"ciphers", OPTION_TEXT, FIELD(tl_tls_config, ciphers), .preset_text = "the listener's",
     .doc = "Cipher suites of TLS 1.2 with this peer."},
};
static const struct block trunk_tls_block = {
    "trunks[].tls", "TLS with this peer, over a listener with transport \"tls\".",
    sizeof(struct tl_tls_config), OWN(trunk_tls_options), .when = TL_CONFIG_LIVE};

static const struct option listener_options[] = {
    {"name", OPTION_NAME, REQUIRED, FIELD(tl_listener_config, name), .doc = "Name that trunks refer to."},
    {"transport", OPTION_WORD, REQUIRED, FIELD(tl_listener_config, transport), .words = tl_transport_words,
     .doc = "Transport of SIP on this socket and from it."},
    {"address", OPTION_TRANSPORT, .flags = OPTION_REQUIRED | OPTION_ANY_ADDRESS,
     FIELD(tl_listener_config, address),
     .doc =
         "Address of an interface of this machine, and port. It also stands in Via and Contact. 0.0.0.0 or [::]: every address of that family, and what peers know it by stands in advertised. A listener has one family: two of them serve both."},
    {"advertised", OPTION_TRANSPORT, PORT_OR_NOT, FIELD(tl_listener_config, advertised),
     .preset_text = "address",
     .doc =
         "What stands in Via, Contact and all else that tells peers where we are, behind a router that translates that address to ours and back (1:1 NAT). Without a port it has that of address."},
    {"strangers", OPTION_WORD, FIELD(tl_listener_config, strangers), .words = strangers_words,
     .preset = "\"auto\"",
     .doc =
         "What who is no trunk's peer gets here. answer: OPTIONS are answered, the rest is refused with 403, as much as stranger_messages_per_s allows. drop: no answer and no connection. auto: answer over UDP, drop over streams."},
    {"tls", OPTION_BLOCK, FIELD(tl_listener_config, tls), .preset = "{}", .block = &listener_tls_block,
     .doc = "Our certificate and whom we believe, for transport \"tls\"; see below."},
};
static const struct block listener_block = {"listeners[]", "A socket for SIP.",
                                            sizeof(struct tl_listener_config), OWN(listener_options),
                                            .when = TL_CONFIG_RESTART};

static const struct option trunk_switches[] = {
    {"srtp", OPTION_WORD, FIELD(tl_trunk_config, srtp), .words = srtp_words, .preset = "\"off\"",
     .doc =
         "off: RTP only, an offer of SRTP is refused with 488. "
         "optional: SRTP when the peer offers it; our own offers are RTP with keys (RTP/AVP with a=crypto), which it may take. "
         "required: SRTP, or the call is refused with 488."},
    {"suites", OPTION_SUITES, FIELD(tl_trunk_config, suites), SECOND(tl_trunk_config, suite_count),
     RANGE(1, TL_SUITES_MAX),
     .preset = "[\"AEAD_AES_128_GCM\", \"AES_CM_128_HMAC_SHA1_80\", \"AEAD_AES_256_GCM\", "
               "\"AES_256_CM_HMAC_SHA1_80\"]",
     .doc =
         "SRTP suites in order of preference, for offers and answers. "
         "The default has those of 128 bits first, which cost less and which most peers know, and none with tags of 32 bits, which a forger meets by chance. "
         "A core of the Lync or Teams kind knows only AES_CM_128_HMAC_SHA1_80; a short list keeps an INVITE over UDP small."},
    {"mki", OPTION_WORD, FIELD(tl_trunk_config, mki), .words = mki_words, .preset = "\"mirror\"",
     .doc = "Whether the SRTP that we send carries a master key identifier (RFC 3711 3.1). "
            "mirror: in an answer where the peer's key has one, with the same value and length. "
            "always: also in our offers, \"|2^31|1:1\", for a core like Lync that expects it in both. "
            "none: never. What we receive has the one that the peer's SDP names, of 1 to 8 bytes."},
    {"roc_on_rekey", OPTION_WORD, FIELD(tl_trunk_config, roc_on_rekey), .words = roc_words,
     .preset = "\"auto\"",
     .doc =
         "What becomes of the rollover counter (RFC 3711 3.3.1) when a side of the trunk changes its SRTP key "
         "in a call that has sent more than 65,535 packets. keep: it goes on, as the RFC has it. reset: it "
         "begins at 0, as Teams and most gateways do it. auto: what we receive is tried both ways until the "
         "first packet is authentic; what we send begins at 0, unless the peer was seen to keep its own."},
    {"codecs", OPTION_WORDS, FIELD(tl_trunk_config, codecs), SECOND(tl_trunk_config, codec_count),
     .words = codec_words, .preset = "[\"PCMA\", \"PCMU\"]",
     .doc =
         "G.711 laws that the peer is offered and may choose, in order of preference; A-law is PCMA. "
         "What the other side of the call has as well comes first, so that laws are only converted where the sides have none in common."},
    {"rtcp_mux", OPTION_BOOL, FIELD(tl_trunk_config, rtcp_mux), .preset = "false",
     .doc = "Offer RTCP on the RTP port and take it when it is offered (RFC 5761)."},
    {"dtmf_pt", OPTION_NUMBER, FIELD(tl_trunk_config, dtmf_pt), RANGE(96, 127), .preset = "101",
     .doc = "Payload type of telephone-event in our offers."},
    {"hold", OPTION_WORD, FIELD(tl_trunk_config, hold), .words = hold_words, .preset = "\"sendonly\"",
     .doc =
         "How the peer is put on hold when the other side holds the call. sendonly: a=sendonly where the other side goes on sending (music), a=inactive where it does not. inactive: always a=inactive, the one way of a Lync Mediation Server. zero: as sendonly, and the address in c= is 0.0.0.0, for peers of the days of RFC 2543. Every form is taken from the peer, port 0 in a re-INVITE too."},
    {"sdp_pass", OPTION_WORDS, FIELD(tl_trunk_config, sdp_pass), SECOND(tl_trunk_config, sdp_pass_count),
     .words = sdp_pass_words,
     .preset =
         "[\"ptime\", \"maxptime\", \"silenceSupp\", \"ecan\", \"content\", \"lang\", \"hlang-send\", \"hlang-recv\", \"b=AS\", \"b=TIAS\", \"b=RS\", \"b=RR\"]",
     .doc =
         "Lines of the other side's SDP that the peer gets, if their values are harmless; docs/sdp.md says what each is. Nothing else of the other network's SDP reaches it. none: not one."},
    {"tcp_above_bytes", OPTION_NUMBER, FIELD(tl_trunk_config, tcp_above_bytes), RANGE(0, 65535),
     .unit = "bytes", .preset = "1300",
     .doc = "A request over UDP that is longer leaves by TCP (RFC 3261 18.1.1), "
            "from the listener with transport tcp at the address of this trunk's; 0: never. "
            "Where there is no such listener, or the peer takes no connection, it leaves by UDP; "
            "that the peer took none is kept in mind for 5 minutes."},
    {"options_interval_s", OPTION_NUMBER, FIELD(tl_trunk_config, options_interval_s), .when = TL_CONFIG_LIVE,
     RANGE(0, 86400), .unit = "s", .preset = "30",
     .doc = "How often OPTIONS asks whether the peer is there; 0: never, the trunk counts as up."},
    {"options_failures", OPTION_NUMBER, FIELD(tl_trunk_config, options_failures), .when = TL_CONFIG_LIVE,
     RANGE(1, 100), .preset = "2",
     .doc = "OPTIONS without an answer in a row that make the trunk count as down."},
    {"no_response_ms", OPTION_NUMBER, FIELD(tl_trunk_config, no_response_ms), RANGE(10, 640000), .unit = "ms",
     .preset = "5000",
     .doc = "An INVITE without any answer by then, not even 100, goes to the route's next trunk."},
    {"no_progress_ms", OPTION_NUMBER, FIELD(tl_trunk_config, no_progress_ms), RANGE(0, 640000), .unit = "ms",
     .preset = "10000",
     .doc =
         "An INVITE without an answer above 100 by then goes to the route's next trunk; 0: never. A call on its last trunk waits on."},
    {"failover", OPTION_FAILOVER, FIELD(tl_trunk_config, failover),
     .preset = "[408, 503, 504, \"no-response\", \"no-progress\", \"transport\"]",
     .doc =
         "What leads from this trunk to the route's next one: final responses from 400 to 599, and no-response (no_response_ms), no-progress (no_progress_ms) and transport (nobody listens there, or the connection breaks). Any other answer is the caller's, so is a 6xx."},
    {"failover_after_progress", OPTION_BOOL, FIELD(tl_trunk_config, failover_after_progress),
     .preset = "false",
     .doc =
         "Go to the next trunk also when the peer has sent a provisional response above 100, as when it rang. Not once the caller was given an answer in SDP."},
    {"last_after_failures", OPTION_NUMBER, FIELD(tl_trunk_config, last_after_failures), RANGE(0, 1000),
     .preset = "3",
     .doc =
         "Calls in a row that led to the next trunk, or would have if there had been one, after which this one is tried last for last_for_s, even if it answers OPTIONS; 0: never. A call that it takes ends that."},
    {"last_for_s", OPTION_NUMBER, FIELD(tl_trunk_config, last_for_s), RANGE(1, 3600), .unit = "s",
     .preset = "60", .doc = "How long a trunk is tried last after last_after_failures."},
    {"codes_in", OPTION_CODE_RULES, FIELD(tl_trunk_config, codes_in), SECOND(tl_trunk_config, codes_in_count),
     .preset = "[]",
     .doc =
         "What the peer's refusals are taken for, before failover looks at them: the first rule counts whose status (left out: any) and Q.850 cause of the Reason header (left out: any, or none) fit. Where none does, docs/causes.md says what the caller hears."},
    {"called_in", OPTION_REF, FIELD(tl_trunk_config, called_in), .list = LIST_TRANSLATIONS,
     .preset_text = "none", .doc = "Translation of called numbers that come from the peer, to E.164."},
    {"calling_in", OPTION_REF, FIELD(tl_trunk_config, calling_in), .list = LIST_TRANSLATIONS,
     .preset_text = "none",
     .doc =
         "The same of calling numbers: From, P-Asserted-Identity and the other identities (docs/headers.md)."},
    {"called_out", OPTION_REF, FIELD(tl_trunk_config, called_out), .list = LIST_TRANSLATIONS,
     .preset_text = "none", .doc = "Translation of called numbers that go to the peer, from E.164."},
    {"calling_out", OPTION_REF, FIELD(tl_trunk_config, calling_out), .list = LIST_TRANSLATIONS,
     .preset_text = "none", .doc = "The same of calling numbers and identities."},
    {"remove_plus", OPTION_BOOL, FIELD(tl_trunk_config, remove_plus), .preset = "false",
     .doc = "The plus before a number is left out in all that goes to the peer."},
    {"prack", OPTION_WORD, FIELD(tl_trunk_config, prack), .words = prack_words, .preset = "\"supported\"",
     .doc =
         "Reliable provisional responses (100rel, RFC 3262), each side of a call on its own terms. off: never; who requires them is refused with 420. supported: with a peer that supports them. required: our INVITEs require them, and a caller without is refused with 421."},
    {"update", OPTION_BOOL, FIELD(tl_trunk_config, update), .preset = "true",
     .doc =
         "UPDATE (RFC 3311): we allow it, and send it to a peer that allows it. false: a change of a call goes by re-INVITE."},
    {"session_timer", OPTION_WORD, FIELD(tl_trunk_config, session_timer), .words = timer_words,
     .preset = "\"supported\"",
     .doc = "Session timers (RFC 4028), each side of a call on its own terms. "
            "off: never; who requires them is refused with 420. "
            "supported: where the peer asks for one; our INVITE names no Session-Expires. "
            "required: our INVITEs and answers name one; with a peer that has none we refresh by ourselves."},
    {"session_expires_s", OPTION_NUMBER, FIELD(tl_trunk_config, session_expires_s), RANGE(90, 86400),
     .unit = "s", .preset = "1800",
     .doc =
         "Session interval that we ask for, and the longest that we agree to; at least min_se_s. A refresh goes out after half of it; without one the call ends a third of it, at most 32 s, before its end."},
    {"min_se_s", OPTION_NUMBER, FIELD(tl_trunk_config, min_se_s), RANGE(90, 86400), .unit = "s",
     .preset = "90", .doc = "Shortest session interval that we agree to; less is refused with 422."},
    {"refresher", OPTION_WORD, FIELD(tl_trunk_config, refresher), .words = refresher_words,
     .preset = "\"auto\"",
     .doc = "Who refreshes the session where the peer leaves it open. "
            "auto: in a call from the peer the peer, if it can; in a call to the peer whom it chooses. "
            "us: we do. peer: the peer, if it can."},
    {"forks", OPTION_WORD, FIELD(tl_trunk_config, forks), .words = forks_words, .preset = "\"one\"",
     .doc =
         "What the caller sees when a call to this trunk rings at several places. one: one dialog, whose answer stays what it was; media is converted to it. separate: a dialog for each, with a To tag and an answer of its own (RFC 3261 13.2.2.4)."},
    {"early_media", OPTION_WORD,
     FIELD(tl_trunk_config, early_media), .words = early_words, .preset = "\"last\"", .doc = "Whose early media the caller of a call to this trunk hears when several places send some. last: of the one that answered last. first: of the first one. p-early-media: as last, but not of those that say inactive or recvonly in P-Early-Media (RFC 5009)."},
    {"max_duration_s", OPTION_NUMBER, FIELD(tl_trunk_config, max_duration_s), RANGE(0, 604800), .unit = "s",
     .preset = "0",
     .doc =
         "A call is ended so long after its answer; the shorter value of its two trunks counts. 0: never."},
    {"media_timeout_s", OPTION_NUMBER, FIELD(tl_trunk_config, media_timeout_s), RANGE(0, 86400), .unit = "s",
     .preset = "300",
     .doc =
         "A call whose leg on this trunk sends neither RTP nor RTCP for so long is ended on both sides; 0: never. Set 0 or a long time for gateways that send nothing in silence."},
    {"media_timeout_held_s", OPTION_NUMBER, FIELD(tl_trunk_config, media_timeout_held_s), RANGE(0, 86400),
     .unit = "s", .preset = "0", .doc = "The same while the leg is not to send, on hold for one."},
    {"media_timeout_early_s", OPTION_NUMBER, FIELD(tl_trunk_config, media_timeout_early_s), RANGE(0, 86400),
     .unit = "s", .preset = "0",
     .doc = "The same before the call is answered, from the moment that the leg is to send early media."},
    {"refer", OPTION_WORD, FIELD(tl_trunk_config, refer), .words = refer_words, .preset = "\"refuse\"",
     .doc =
         "A REFER of the peer inside a call (RFC 3515). refuse: 405, and our Allow does not name it, so that a peer that can transfers by a call of its own. relay: the other side gets it, with our address in Refer-To, and calls the target over us, where its trunk's routes lead; the peer gets its NOTIFYs; a Refer-To with Replaces or other headers is declined with 603. carry_out: the other side sees nothing of it; we call the target as the other side's trunk (or, where no route of that leads there, the peer's own) would, put it in the peer's place and tell the peer by NOTIFY what became of it; where Refer-To replaces another call that the peer has with us, the two others of both calls are joined."},
    {"register_required", OPTION_BOOL, FIELD(tl_trunk_config, register_required), .when = TL_CONFIG_LIVE,
     .preset = "true",
     .doc =
         "Whether calls go to a trunk with register only while one of its registrations holds. false: always."},
    {"register_retry_s", OPTION_NUMBER, FIELD(tl_trunk_config, register_retry_s), .when = TL_CONFIG_LIVE,
     RANGE(1, 3600), .unit = "s", .preset = "30",
     .doc =
         "Pause after a REGISTER that failed. It doubles with each further failure up to register_retry_max_s, and is shortened at random by up to a half, so that many do not come at once (RFC 5626 4.5). Retry-After of the registrar wins where it is longer."},
    {"register_retry_max_s", OPTION_NUMBER, FIELD(tl_trunk_config, register_retry_max_s),
     .when = TL_CONFIG_LIVE, RANGE(1, 86400), .unit = "s", .preset = "1800",
     .doc =
         "The longest such pause, and the first one where the registrar refuses us (403, 404, a wrong password)."},
    {"replaces", OPTION_WORD, FIELD(tl_trunk_config, replaces), .words = replaces_words,
     .preset = "\"refuse\"",
     .doc =
         "An INVITE of the peer with Replaces (RFC 3891), by which it takes over a call that one of its nodes has, or that rings there. refuse: Supported does not name it, and a Replaces that is not required is none. own: it may replace dialogs of this trunk. realm: also those of other trunks in its realm that have not refuse here. any: those in other realms, too."},
    {"redirect", OPTION_WORD, FIELD(tl_trunk_config, redirect), .words = redirect_words, .preset = "\"refuse\"", .doc = "A 3xx of the peer to a call. refuse: the caller hears 480. follow: the call goes where the Contacts say, best first, as far as a route of the caller's trunk leads to their numbers; at most 5 numbers a call, none twice. relay: the caller gets it, with our address in the Contacts."},
    {"silence_ms", OPTION_NUMBER, FIELD(tl_trunk_config, silence_ms), RANGE(0, 3600000), .unit = "ms",
     .preset = "0", .doc = "Report a leg that sends no media for so long; 0: never."},
    {"max_packets_per_s", OPTION_NUMBER, FIELD(tl_trunk_config, max_packets_per_s), RANGE(0, 100000),
     .unit = "packets/s", .preset = "0",
     .doc =
         "Media packets that a leg may send us; more is dropped as over_rate, so that one call cannot take what others need. "
         "0: from the smallest ptime in the SDP of both sides, at least what packets of 10 ms need, and a quarter more."},
    {"burst_ms", OPTION_NUMBER, FIELD(tl_trunk_config, burst_ms), RANGE(100, 10000), .unit = "ms",
     .preset = "1000", .doc = "How much of that rate may come at once, as after a stall of the network."},
    // limits
    {"max_calls", OPTION_NUMBER, FIELD(tl_trunk_config, max_calls), .when = TL_CONFIG_LIVE, RANGE(0, 1000000),
     .preset = "0",
     .doc =
         "Calls at the same time from the peer and to it; 0: no limit of its own. One more from it is answered 503 with Retry-After and Reason; one more to it goes to the route's next trunk."},
    {"max_calls_per_s", OPTION_NUMBER, FIELD(tl_trunk_config, max_calls_per_s), .when = TL_CONFIG_LIVE,
     RANGE(0, 100000), .unit = "calls/s", .preset = "0",
     .doc =
         "New calls a second from the peer and to it, as many at once as in a second; 0: no limit of its own."},
    {"max_waiting_calls", OPTION_NUMBER, FIELD(tl_trunk_config, max_waiting_calls), .when = TL_CONFIG_LIVE,
     RANGE(0, 1000000), .preset = "0",
     .doc = "Calls from the peer and to it that nobody has answered yet; 0: no limit of its own."},
    {"max_kbit_per_s", OPTION_NUMBER, FIELD(tl_trunk_config, max_kbit_per_s), .when = TL_CONFIG_LIVE,
     RANGE(0, 100000000), .unit = "kbit/s", .preset = "0",
     .doc =
         "Bandwidth of the media of its calls in one direction, IP headers included: 80 kbit/s for a call with packets of 20 ms, 84 with SRTP; 0: no limit of its own."},
    {"reserved_calls", OPTION_NUMBER, FIELD(tl_trunk_config, reserved_calls), .when = TL_CONFIG_LIVE,
     RANGE(0, 1000000), .preset = "0",
     .doc =
         "Calls from the peer that have room in control.max_calls whatever calls from other trunks take; at least its part of control.reserved_percent."},
    {"other_transports", OPTION_BOOL, FIELD(tl_trunk_config, other_transports), .preset = "true",
     .doc =
         "Requests of the peer are the trunk's also when they come over another transport to the address of its listener, as from a peer that changes from UDP to TCP for long messages. "
         "Over TLS only where tls has names or verify off; in place of TLS never."},
    {"tls", OPTION_BLOCK, FIELD(tl_trunk_config, tls), .preset = "{}", .block = &trunk_tls_block,
     .doc =
         "Who the peer is over TLS, and what it sees of us; see below. A trunk's object replaces that of its profile."},
    // headers and numbers
    {"uri_scheme", OPTION_WORD, FIELD(tl_trunk_config, uri_scheme), .words = uri_scheme_words,
     .preset = "\"sip\"",
     .doc =
         "Scheme of the URIs that address the peer, and of our Contact and From there. sips: in all that begins with us, calls, OPTIONS and REGISTER; only over TLS, and without transport=tls (RFC 5630). A call that comes as sips: goes on as sips: to either kind of trunk, and only over TLS."},
    {"trusted", OPTION_BOOL, FIELD(tl_trunk_config, trusted), .preset = "true",
     .doc =
         "Whether the peer belongs to the networks that believe each other's identities (RFC 3325). "
         "From one that does not, P-Asserted-Identity is dropped; to one that does not, what the caller's Privacy hides is removed and, with Privacy: user, From is made anonymous (RFC 3323, RFC 5379)."},
    {"domain", OPTION_HOST, FIELD(tl_trunk_config, domain), .preset_text = "the listener's address",
     .doc = "Our name for the peer: the host in From, Contact and the identities that it is sent."},
    {"domain_in_via", OPTION_BOOL, FIELD(tl_trunk_config, domain_in_via), .preset = "false",
     .doc =
         "domain stands in Via, too, for a peer that takes no address there, like Teams Direct Routing. The peer answers where it got the request from."},
    {"connected_identity", OPTION_WORD, FIELD(tl_trunk_config, connected_identity), .words = connected_words,
     .preset = "\"auto\"",
     .doc =
         "Whether the peer is told whom it talks to after a transfer or Replaces. asserted: by P-Asserted-Identity in the re-INVITE or UPDATE with the new media, as `trusted` and Privacy let it pass (RFC 5876). auto: also by From, where the peer supports from-change (RFC 4916). off: no."},
    {"host_names", OPTION_WORD, FIELD(tl_trunk_config, host_names), .words = host_names_words,
     .preset = "\"hide\"",
     .doc =
         "Names of hosts in the identities that pass to the peer (P-Asserted-Identity, Diversion, History-Info and the like). "
         "hide: ours stands there. keep: they stay as they came. "
         "Addresses of the other network never stay."},
    {"user_params", OPTION_WORD, FIELD(tl_trunk_config, user_params), .words = user_params_words,
     .preset = "\"keep\"",
     .doc =
         "Parameters of a number, as in +15550100;ext=7;phone-context=example.com;rn=+15550999;npdi;tgrp=a. "
         "keep: the peer gets them. drop: it gets the number alone."},
    {"user_phone", OPTION_WORD, FIELD(tl_trunk_config, user_phone), .words = user_phone_words,
     .preset = "\"keep\"",
     .doc = "The parameter user=phone of a SIP URI with a number. "
            "keep: where it came or the URI was a tel: one. always: with every number. never: with none."},
    {"location", OPTION_WORD, FIELD(tl_trunk_config, location), .words = location_words,
     .preset = "\"remove\"",
     .doc =
         "The caller's location, as for emergency calls (RFC 6442): the headers Geolocation, Geolocation-Routing and Geolocation-Error, and the body part that they name. "
         "remove: the peer gets nothing of it. pass: it does."},
    {"headers", OPTION_HEADERS, FIELD(tl_trunk_config, headers), .preset = "{}",
     .doc =
         "What passes to the peer beside the default, which docs/headers.md tells: pass, names of more headers; remove, names of headers that do not pass, which wins; add, lines for each INVITE that sets a call up. "
         "'*' in a name stands for any characters, as in X-*."},
};

static const struct option credentials_options[] = {
    {"realm", OPTION_TEXT, REQUIRED, FIELD(tl_credentials_config, realm),
     .doc =
         "Realm that the peer names when it wants us to log in, letter by letter. No other realm gets an answer."},
    {"user", OPTION_TEXT, REQUIRED, FIELD(tl_credentials_config, user), .doc = "User name in that realm."},
    {"password_file", OPTION_PATH, REQUIRED, FIELD(tl_credentials_config, password_file),
     .doc =
         "File whose first line is the password. It has to belong to the user of trunkline-control or to root, and to be closed to its group and to others (chmod 600)."},
};
static const struct block credentials_block = {
    "trunks[].credentials[]",
    "Who we are to the trunk's peer when it challenges a request of ours with 401 or 407 (RFC 3261 22): digest with SHA-512-256, SHA-256 or MD5, the strongest that it offers. "
    "Only what goes to this trunk is answered with them. Of two for one realm (several users) the first is the trunk's, the others serve registrations that name them as login.",
    sizeof(struct tl_credentials_config), OWN(credentials_options), .when = TL_CONFIG_LIVE};

static const struct option registration_options[] = {
    {"user", OPTION_TEXT, REQUIRED, FIELD(tl_registration_config, user),
     .doc = "User part of the address of record, often the account's main number."},
    {"domain", OPTION_HOST, FIELD(tl_registration_config, domain), .preset_text = "the peer's address",
     .doc = "Host of the address of record."},
    {"registrar", OPTION_HOST, FIELD(tl_registration_config, registrar), .preset_text = "the domain",
     .doc = "Host in the Request-URI of REGISTER. REGISTER goes to the trunk's peer whatever stands here."},
    {"contact_user", OPTION_TEXT, FIELD(tl_registration_config, contact_user), .preset_text = "user",
     .doc = "User part of the Contact, to which the peer sends calls."},
    {"login", OPTION_TEXT, FIELD(tl_registration_config, login), .preset_text = "the trunk's credentials",
     .doc = "User of the credentials that answer for this registration, where the trunk has several."},
    {"expires_s", OPTION_NUMBER, FIELD(tl_registration_config, expires_s), RANGE(30, 604800), .unit = "s",
     .preset = "3600",
     .doc =
         "Time that we ask for. The registrar decides: it may shorten it, or ask for more with 423, which it gets. We register again well before it is over."},
    {"path", OPTION_BOOL, FIELD(tl_registration_config, path), .preset = "false",
     .doc = "Say that proxies on the way may add themselves (Supported: path, RFC 3327)."},
};
static const struct block registration_block = {
    "trunks[].register[]",
    "An address of record that we register at the trunk's peer (RFC 3261 10), refresh, and take back when trunkline-control ends. "
    "What the registrar returns in Service-Route (RFC 3608) stands as Route in our INVITEs; they go to the trunk's peer all the same.",
    sizeof(struct tl_registration_config), OWN(registration_options), .when = TL_CONFIG_LIVE};

static const struct option peer_options[] = {
    {"address", OPTION_PEER, REQUIRED, FIELD(tl_peer_config, address), SECOND(tl_peer_config, prefix_len),
     .doc =
         "Name or address of a host, or a network that requests come from: 203.0.113.0/28. A name is resolved as RFC 3263 says: with port its addresses; else with a transport SRV of that; else NAPTR, SRV, addresses. What it resolves to belongs to the trunk, requests from there too. Of a host's requests no port matters, unless two trunks share the address."},
    {"port", OPTION_NUMBER, FIELD(tl_peer_config, port), RANGE(1, UINT16_MAX),
     .preset_text = "5060, with tls 5061; of a name what SRV says",
     .doc = "SIP port of a host. A network has none."},
    {"transport", OPTION_WORD, FIELD(tl_peer_config, over), .words = peer_transport_words,
     .preset = "\"listener\"",
     .doc =
         "Transport to this address. listener: that of the trunk's listener. Another one needs a listener with it at the same address as the trunk's."},
    {"send", OPTION_BOOL, FIELD(tl_peer_config, send), .preset = "true",
     .doc = "Requests of ours go there. false: it only sends us some, as every network does."},
    {"priority", OPTION_NUMBER, FIELD(tl_peer_config, priority), RANGE(0, 65535), .preset = "0",
     .doc = "Of the peers with send those with the lowest number come first."},
    {"weight", OPTION_NUMBER, FIELD(tl_peer_config, weight), RANGE(0, 65535), .preset = "1",
     .doc =
         "Share of the requests among peers of one priority (RFC 2782); 0: hardly any, where others have more."},
};
static const struct block peer_block = {
    "trunks[].peers[]",
    "An address of the trunk's peer. Requests from any of them are the trunk's. An address that belongs to networks of several trunks belongs to the smallest one. "
    "A request of ours goes to one with send: to those that answer before those that do not, then by priority and weight. "
    "A call that gets no answer there, or 503, or no connection, tries the trunk's next one before the route's next trunk.",
    sizeof(struct tl_peer_config), OWN(peer_options), .when = TL_CONFIG_NEW_CALLS};

static const struct option trunk_options[] = {
    {"name", OPTION_NAME, REQUIRED, FIELD(tl_trunk_config, name), .doc = "Name that routes refer to."},
    {"listener", OPTION_REF, REQUIRED, FIELD(tl_trunk_config, listener), .list = LIST_LISTENERS,
     .doc = "Name of the listener that the peer talks to."},
    {"peer", OPTION_TRANSPORT, FIELD(tl_trunk_config, peer), .preset_text = "see peers",
     .doc =
         "Address and SIP port of the peer. A request from an address that no trunk names is refused. A trunk has either peer or peers."},
    {"peers", OPTION_LIST, FIELD(tl_trunk_config, peers), SECOND(tl_trunk_config, peer_count),
     RANGE(1, TL_PEERS_MAX), .preset_text = "see peer", .block = &peer_block, .list = LIST_PEERS,
     .doc = "Addresses of a peer that has several, and networks that its requests come from."},
    {"realm", OPTION_REF, REQUIRED, FIELD(tl_trunk_config, realm), .list = LIST_REALMS,
     .doc = "Name of the realm where the trunk's calls have their media."},
    {"side", OPTION_WORD, FIELD(tl_trunk_config, side), .words = side_words, .preset = "\"realm\"",
     .doc = "As a realm's side, for this trunk alone; realm: that of its realm."},
    {"credentials", OPTION_LIST, FIELD(tl_trunk_config, credentials), .when = TL_CONFIG_LIVE,
     SECOND(tl_trunk_config, credentials_count), RANGE(1, TL_CREDENTIALS_MAX), .preset_text = "none",
     .block = &credentials_block, .list = LIST_CREDENTIALS,
     .doc = "Users and passwords for a peer that wants us to log in."},
    {"register", OPTION_LIST, FIELD(tl_trunk_config, registrations), .when = TL_CONFIG_LIVE,
     SECOND(tl_trunk_config, registration_count), RANGE(1, TL_REGISTRATIONS_MAX), .preset_text = "none",
     .block = &registration_block, .list = LIST_REGISTRATIONS,
     .doc = "Addresses of record that we register at the peer."},
    {"profile", OPTION_PROFILE, .list = LIST_PROFILES, .preset_text = "none",
     .doc = "Name of a profile whose switches hold for this trunk, unless it sets them itself."},
};
static const struct block trunk_block = {
    "trunks[]",
    "Binds a listener to a remote peer. "
    "No two trunks have the same listener and the same peer or network; several trunks to one gateway differ in the listener or in the peer's port. "
    "Their requests are told apart by the source port (UDP), else by the port in the topmost Via.",
    sizeof(struct tl_trunk_config),
    OWN(trunk_options),
    trunk_switches,
    COUNT(trunk_switches),
    .when = TL_CONFIG_NEW_CALLS};

static const struct option profile_options[] = {
    {"name", OPTION_NAME, REQUIRED, FIELD(tl_trunk_config, name), .doc = "Name that trunks refer to."},
};
static const struct block profile_block = {
    "profiles[]",
    "Switches for a kind of peer, shared by its trunks. Only the switches that it names are taken over.",
    sizeof(struct tl_trunk_config),
    OWN(profile_options),
    trunk_switches,
    COUNT(trunk_switches),
    .when = TL_CONFIG_NEW_CALLS};

static const struct option translation_options[] = {
    {"name", OPTION_NAME, REQUIRED, FIELD(tl_translation_config, name), .doc = "Name that trunks refer to."},
    {"rules", OPTION_RULES, REQUIRED, FIELD(tl_translation_config, rules),
     SECOND(tl_translation_config, rule_count),
     .doc =
         "The first rule whose match fits the number counts: to stands for what match fits, with $1 to $9 for its groups. "
         "A number that none fits stays."},
};
static const struct block translation_block = {
    "translations[]", "Rules that rewrite numbers, between the form of a peer and E.164.",
    sizeof(struct tl_translation_config), OWN(translation_options), .when = TL_CONFIG_NEW_CALLS};

static const struct option group_options[] = {
    {"name", OPTION_NAME, REQUIRED, FIELD(tl_group_config, name), .doc = "Name that routes refer to."},
    {"trunks", OPTION_REFS, REQUIRED, FIELD(tl_group_config, trunks), SECOND(tl_group_config, trunk_count),
     RANGE(1, TL_ROUTE_TRUNKS_MAX), .list = LIST_TRUNKS, .doc = "Names of its trunks."},
    {"order", OPTION_WORD, FIELD(tl_group_config, order), .words = order_words, .preset = "\"listed\"",
     .doc =
         "Which trunk a call begins with. listed: always the first. round-robin: each in turn. weighted: each as often as its weight says. "
         "The others follow in the order of the list. Turns pass over trunks that are down, fail calls or rest."},
    {"weights", OPTION_NUMBERS, FIELD(tl_group_config, weights), SECOND(tl_group_config, weight_count),
     RANGE(1, 1000), .flags = OPTION_REPEATED, .preset_text = "1 each",
     .doc = "Weights of the trunks, one for each, in their order; with order weighted only."},
};
static const struct block group_block = {"route_groups[]", "Trunks that share the calls of a route.",
                                         sizeof(struct tl_group_config), OWN(group_options),
                                         .when = TL_CONFIG_NEW_CALLS};

static const struct option route_options[] = {
    {"prefix", OPTION_DIGITS, .flags = OPTION_KEY, FIELD(tl_route_config, prefix), .preset_text = "none",
     .doc =
         "Beginning of the called number, behind the translation called_in of the trunk that it came by. "
         "The longest prefix that fits wins; \"\" fits every number. A route has prefix, called, calling or several of them."},
    {"from", OPTION_REF, .flags = OPTION_KEY, FIELD(tl_route_config, from), SECOND(tl_route_config, any_from),
     .list = LIST_TRUNKS, .preset_text = "any trunk",
     .doc = "Name of the trunk whose calls this route is for."},
    {"called", OPTION_PATTERN, .flags = OPTION_KEY, FIELD(tl_route_config, called),
     SECOND(tl_route_config, called_pattern), .preset_text = "any",
     .doc = "What the called number looks like, or a user that is no number."},
    {"calling", OPTION_PATTERN, .flags = OPTION_KEY, FIELD(tl_route_config, calling),
     SECOND(tl_route_config, calling_pattern), .preset_text = "any",
     .doc =
         "What the calling number looks like, behind calling_in; \"anonymous\" and the like as they came."},
    {"priority", OPTION_NUMBER, .flags = OPTION_KEY, FIELD(tl_route_config, priority), RANGE(0, 1000),
     .preset = "100", .doc = "Of the routes that fit a call those with the lowest number come first."},
    {"trunks", OPTION_REFS, FIELD(tl_route_config, trunks), SECOND(tl_route_config, trunk_count),
     RANGE(1, TL_ROUTE_TRUNKS_MAX), .list = LIST_TRUNKS, .preset_text = "those of group",
     .doc =
         "Names of the trunks to try, in this order. "
         "The next is tried after what the trunk's failover names. "
         "Trunks that are down or fail calls (last_after_failures) come behind the others; one that sent Retry-After with 503 rests so long, 300 s at most. "
         "Those that are closed to a call by their side or because it came from there are left out. "
         "A route has trunks, group or deny."},
    {"group", OPTION_REF, FIELD(tl_route_config, group), .list = LIST_GROUPS, .preset_text = "none",
     .doc = "Name of a route group whose trunks are tried."},
    {"deny", OPTION_NUMBER, FIELD(tl_route_config, deny), RANGE(400, 699), .preset_text = "none",
     .doc = "The call is refused with this status."},
    {"deny_text", OPTION_TEXT, FIELD(tl_route_config, deny_text), .preset_text = "that of the status",
     .doc = "Reason phrase of that answer."},
    {"peer_to_peer", OPTION_BOOL, FIELD(tl_route_config, peer_to_peer), .preset = "false",
     .doc =
         "Let calls from a trunk of the side peer go on to trunks of that side: we pay for what another's callers dial. The check names such routes."},
    {"back_to_origin", OPTION_BOOL, FIELD(tl_route_config, back_to_origin), .preset = "false",
     .doc =
         "Let calls go back to the trunk that they came from; for one of the side peer peer_to_peer is needed as well."},
};
static const struct block route_block = {
    "routes[]",
    "Where a call goes. Of the routes that fit it the one with the lowest priority counts, of these the longest prefix, "
    "of these one with from, of these one with a pattern, of these the first. docs/routing.md has examples.",
    sizeof(struct tl_route_config), OWN(route_options), .when = TL_CONFIG_NEW_CALLS};

static const struct option top_options[] = {
    {"dataplane", OPTION_BLOCK, REQUIRED, FIELD(config_root, config.dataplane), .block = &dataplane_block,
     .doc = "The packet engine."},
    {"control", OPTION_BLOCK, FIELD(config_root, config.control), .preset = "{}", .block = &control_block,
     .doc = "The signalling daemon."},
    {"realms", OPTION_LIST, REQUIRED, FIELD(config_root, config.realms), .when = TL_CONFIG_RESTART,
     SECOND(config_root, config.realm_count), RANGE(1, TL_REALMS_MAX), .block = &realm_block,
     .list = LIST_REALMS, .doc = "Media addresses."},
    {"listeners", OPTION_LIST, FIELD(config_root, config.listeners), .when = TL_CONFIG_RESTART,
     SECOND(config_root, config.listener_count), RANGE(0, TL_LISTENERS_MAX), .preset = "[]",
     .block = &listener_block, .list = LIST_LISTENERS, .doc = "SIP sockets."},
    {"translations", OPTION_LIST, FIELD(config_root, config.translations),
     SECOND(config_root, config.translation_count), RANGE(0, TL_TRANSLATIONS_MAX), .preset = "[]",
     .block = &translation_block, .list = LIST_TRANSLATIONS, .doc = "Rules for numbers."},
    {"profiles", OPTION_LIST, FIELD(config_root, profiles), SECOND(config_root, profile_count),
     RANGE(0, TL_PROFILES_MAX), .preset = "[]", .block = &profile_block, .list = LIST_PROFILES,
     .doc = "Kinds of peer."},
    {"trunks", OPTION_LIST, FIELD(config_root, config.trunks), SECOND(config_root, config.trunk_count),
     RANGE(0, TL_TRUNKS_MAX), .preset = "[]", .block = &trunk_block, .list = LIST_TRUNKS, .doc = "Peers."},
    {"route_groups", OPTION_LIST, FIELD(config_root, config.groups), SECOND(config_root, config.group_count),
     RANGE(0, TL_GROUPS_MAX), .preset = "[]", .block = &group_block, .list = LIST_GROUPS,
     .doc = "Trunks that share calls."},
    {"routes", OPTION_LIST, FIELD(config_root, config.routes), SECOND(config_root, config.route_count),
     RANGE(0, TL_ROUTES_MAX), .preset = "[]", .block = &route_block, .list = LIST_ROUTES,
     .doc = "Called numbers to trunks."},
};
const struct block config_top = {"The file", "One object.", sizeof(struct config_root), OWN(top_options),
                                 .when = TL_CONFIG_NEW_CALLS};

#define LIST(path, noun, array, number)                                                                      \
    {                                                                                                        \
        path, noun, offsetof(struct config_root, array), sizeof(((struct config_root *)0)->array[0]),        \
            offsetof(struct config_root, number)                                                             \
    }
const struct list_place config_lists[LIST_COUNT] = {
    [LIST_PORTS] = LIST("dataplane.ports", "port", config.dataplane.ports, config.dataplane.port_count),
    [LIST_REALMS] = LIST("realms", "realm", config.realms, config.realm_count),
    [LIST_LISTENERS] = LIST("listeners", "listener", config.listeners, config.listener_count),
    [LIST_PROFILES] = LIST("profiles", "profile", profiles, profile_count),
    [LIST_TRANSLATIONS] = LIST("translations", "translation", config.translations, config.translation_count),
    [LIST_GROUPS] = LIST("route_groups", "route group", config.groups, config.group_count),
    [LIST_TRUNKS] = LIST("trunks", "trunk", config.trunks, config.trunk_count),
    [LIST_ROUTES] = LIST("routes", "route", config.routes, config.route_count),
};
static_assert(offsetof(struct tl_port_config, name) == 0 && offsetof(struct tl_realm_config, name) == 0 &&
                  offsetof(struct tl_listener_config, name) == 0 &&
                  offsetof(struct tl_trunk_config, name) == 0 &&
                  offsetof(struct tl_translation_config, name) == 0 &&
                  offsetof(struct tl_group_config, name) == 0,
              "the name comes first in what is referred to by name");
static_assert(COUNT(port_options) <= BLOCK_OPTIONS_MAX && COUNT(dataplane_options) <= BLOCK_OPTIONS_MAX &&
                  COUNT(control_options) <= BLOCK_OPTIONS_MAX && COUNT(realm_options) <= BLOCK_OPTIONS_MAX &&
                  COUNT(listener_options) <= BLOCK_OPTIONS_MAX &&
                  COUNT(trunk_options) + COUNT(trunk_switches) <= BLOCK_OPTIONS_MAX &&
                  COUNT(route_options) <= BLOCK_OPTIONS_MAX && COUNT(top_options) <= BLOCK_OPTIONS_MAX,
              "the parser's arrays hold every block");
