# SPDX-License-Identifier: BSD-3-Clause
# Every Debian 12 package that Trunkline needs, in one place. Sourced by tools/setup.sh.
# shellcheck shell=bash disable=SC2034

# to build both daemons, the tools and the unit tests
packages_build=(
    build-essential meson ninja-build pkg-config ca-certificates git
    libdpdk-dev libipsec-mb-dev libosip2-dev libjansson-dev libevent-dev libssl-dev libpcre2-dev libc-ares-dev
    libcunit1-dev libsrtp2-dev libre-dev
)

# to run the demo: namespaces, the emulated parties, the summary
packages_demo=(iproute2 iptables ethtool procps jq util-linux)

# to run every test: peers that are not our code, sanitisers, checks
packages_test=(
    clang-format clang clang-tidy cppcheck libclang-rt-14-dev libbpf-dev sip-tester baresip-core kamailio kamailio-tls-modules bind9 iputils-ping netcat-openbsd valgrind
    # tools/bench.sh: its report, and whom --peers measures. rtpengine is not started, but Debian enables its service for
    # the next boot, as it does Kamailio's: `systemctl disable rtpengine-daemon kamailio` where that is not wanted
    python3 rtpengine-daemon dpdk-dev
)
