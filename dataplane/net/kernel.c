// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/net/kernel.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/net/eal.h"

static bool forwards(const char *interface)
{
    char path[96];
    snprintf(path, sizeof path, "/proc/sys/net/ipv4/conf/%s/forwarding", interface);
    FILE *f = fopen(path, "re");
    int c = f ? fgetc(f) : '0';
    if (f)
        fclose(f);
    return c == '1';
}

// Name of the interface that has the address, or NULL.
static const char *owner_of(const struct ifaddrs *list, const struct tl_addr *addr)
{
    for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
        if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET &&
            memcmp(&((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr, addr->ip, 4) == 0)
            return i->ifa_name;
    }
    return NULL;
}

unsigned kernel_warnings(const struct tl_config *config, void (*say)(const char *sentence))
{
    const struct tl_dataplane_config *d = &config->dataplane;
    struct ifaddrs *list = NULL;
    char line[256], name[IFNAMSIZ], ip[INET_ADDRSTRLEN];
    unsigned said = 0;
    if (getifaddrs(&list) != 0)
        list = NULL;
    for (uint32_t i = 0; i < d->port_count; i++) {
        if (!eal_is_af_packet(&d->ports[i]) || !eal_interface_of(&d->ports[i], name))
            continue;
        if (forwards(name)) {
            snprintf(
                line, sizeof line,
                "warning: port %s: the kernel forwards on %s and will answer media with redirects: sysctl -w "
                "net.ipv4.conf.%s.forwarding=0",
                d->ports[i].name, name, name);
            say(line);
            said++;
        }
        for (uint32_t r = 0; r < config->realm_count; r++) {
            const struct tl_realm_config *realm = &config->realms[r];
            const char *owner = realm->port == i ? owner_of(list, &realm->address) : NULL;
            if (!owner)
                continue;
            inet_ntop(AF_INET, realm->address.ip, ip, sizeof ip);
            snprintf(
                line, sizeof line,
                "warning: realm %s: the kernel has the media address %s too and will answer media with port "
                "unreachable: ip addr del %s dev %s",
                realm->name, ip, ip, owner);
            say(line);
            said++;
        }
    }
    freeifaddrs(list);
    return said;
}
