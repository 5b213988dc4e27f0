# SPDX-License-Identifier: BSD-3-Clause
# Damages packets on their way, for tests of who verifies them. To be sourced.
# shellcheck shell=bash

# tamper NAMESPACE INTERFACE FIRST LAST DIR: flips a bit in the payload of about one media packet in 32 that comes in there for
# the UDP ports FIRST to LAST. DIR is a folder to work in. Fails where there is no BPF.
tamper() {
    cat >"$5/tamper.c" <<-C
	#include <linux/bpf.h>
	#include <linux/pkt_cls.h>
	#include <bpf/bpf_endian.h>
	#include <bpf/bpf_helpers.h>
	SEC("tc") int tamper(struct __sk_buff *skb)
	{
	    __u8 protocol = 0, byte = 0;
	    __u16 port = 0, none = 0;
	    if (bpf_skb_load_bytes(skb, 14 + 9, &protocol, 1) || protocol != 17 || skb->len < 200 ||
	        bpf_skb_load_bytes(skb, 14 + 20 + 2, &port, 2))
	        return TC_ACT_OK;
	    port = bpf_ntohs(port);
	    if (port < $3 || port > $4 || bpf_get_prandom_u32() % 32 != 0)
	        return TC_ACT_OK;
	    bpf_skb_load_bytes(skb, 150, &byte, 1);
	    byte ^= 4;
	    bpf_skb_store_bytes(skb, 150, &byte, 1, 0);
	    bpf_skb_store_bytes(skb, 14 + 20 + 6, &none, 2, 0); // no UDP checksum: it must reach the program
	    return TC_ACT_OK;
	}
	char _license[] SEC("license") = "GPL";
	C
    clang -O2 -g -target bpf -I"/usr/include/$(uname -m)-linux-gnu" -c "$5/tamper.c" -o "$5/tamper.o" || return 1
    tc -n "$1" qdisc add dev "$2" clsact && tc -n "$1" filter add dev "$2" ingress bpf da obj "$5/tamper.o" sec tc
}
