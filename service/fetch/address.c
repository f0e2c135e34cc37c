/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <string.h>

#include "fetch/fetch.h"

struct net4 {
    uint32_t net;
    int bits;
};

struct net6 {
    uint8_t net[16];
    int bits;
};

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))

static const struct net4 special4[] = {
    {IP(0, 0, 0, 0), 8},       /* this network */
    {IP(10, 0, 0, 0), 8},      /* private */
    {IP(100, 64, 0, 0), 10},   /* shared by a carrier's customers */
    {IP(127, 0, 0, 0), 8},     /* loopback */
    {IP(169, 254, 0, 0), 16},  /* link-local, and the metadata services of clouds */
    {IP(172, 16, 0, 0), 12},   /* private */
    {IP(192, 0, 0, 0), 24},    /* protocol assignments */
    {IP(192, 0, 2, 0), 24},    /* documentation */
    {IP(192, 88, 99, 0), 24},  /* 6to4 relays */
    {IP(192, 168, 0, 0), 16},  /* private */
    {IP(198, 18, 0, 0), 15},   /* benchmarking */
    {IP(198, 51, 100, 0), 24}, /* documentation */
    {IP(203, 0, 113, 0), 24},  /* documentation */
    {IP(224, 0, 0, 0), 4},     /* multicast */
    {IP(240, 0, 0, 0), 4},     /* reserved, broadcast */
};

/* Inside 2000::/3, the only part of IPv6 that is given out. */
static const struct net6 special6[] = {
    {{0x20, 0x01, 0x00}, 23},             /* protocol assignments, Teredo and ORCHID among them */
    {{0x20, 0x01, 0x0d, 0xb8}, 32},       /* documentation */
    {{0x20, 0x02}, 16},                   /* 6to4 */
    {{0x26, 0x20, 0x00, 0x4f, 0x80}, 48}, /* AS112 */
    {{0x3f, 0xff}, 20},                   /* documentation */
};

static bool is_public4(uint32_t address)
{
    for (size_t i = 0; i < sizeof special4 / sizeof *special4; i++)
        if ((address ^ special4[i].net) >> (32 - special4[i].bits) == 0)
            return false;
    return true;
}

static bool starts_with(const uint8_t address[16], const uint8_t net[16], int bits)
{
    if (memcmp(address, net, (size_t)bits / 8) != 0)
        return false;
    int rest = bits % 8;
    return !rest || (address[bits / 8] ^ net[bits / 8]) >> (8 - rest) == 0;
}

static uint32_t four_bytes(const uint8_t *b)
{
    return IP(b[0], b[1], b[2], b[3]);
}

static bool is_public6(const uint8_t a[16])
{
    static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t translated[16] = {0x00, 0x64, 0xff, 0x9b}, given[16] = {0x20};
    if (starts_with(a, mapped, 96) || starts_with(a, translated, 96))
        return is_public4(four_bytes(a + 12));
    if (!starts_with(a, given, 3))
        return false;
    for (size_t i = 0; i < sizeof special6 / sizeof *special6; i++)
        if (starts_with(a, special6[i].net, special6[i].bits))
            return false;
    return true;
}

bool fetch_address_is_public(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return is_public4(ntohl(in.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, address, sizeof in);
        return is_public6(in.sin6_addr.s6_addr);
    }
    return false;
}
