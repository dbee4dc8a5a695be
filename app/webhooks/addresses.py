"""Which IP addresses lie outside: on the public internet, whatever they are wrapped in.

After the IANA special-purpose address registries (RFC 6890). Python's `is_global` alone calls outside what embeds an
inside IPv4 address, multicast and, depending on its version, several reserved blocks.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

#: blocks whose addresses stand for an IPv4 address, and how many bits lie below it
WRAPPERS = (
    (IPv6Network("::ffff:0:0/96"), 0),  # IPv4-mapped
    (IPv6Network("::ffff:0:0:0/96"), 0),  # IPv4-translated
    (IPv6Network("::/96"), 0),  # IPv4-compatible; also :: and ::1
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (IPv6Network("2002::/16"), 80),  # 6to4
)
#: the only block of IPv6 that is given out for the internet
GLOBAL_UNICAST = IPv6Network("2000::/3")
#: within what Python may call global
RESERVED = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments
    IPv4Network("192.88.99.0/24"),  # 6to4 relays
    IPv6Network("2001::/23"),  # protocol assignments, Teredo among them
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("3fff::/20"),  # documentation
)
#: the middle of an ISATAP address, whatever network it is in; the second lowest bit of the first octet may be set
ISATAP, ISATAP_MASK = 0x0000_5EFE, 0xFDFF_FFFF


def is_outside(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether a connection to this address leaves the hub's own networks."""
    if isinstance(address, IPv6Address):
        for block, below in WRAPPERS:
            if address in block:
                return is_outside(IPv4Address(int(address) >> below & 0xFFFF_FFFF))
        if address not in GLOBAL_UNICAST or int(address) >> 32 & ISATAP_MASK == ISATAP:
            return False
    reserved = any(address.version == block.version and address in block for block in RESERVED)
    return address.is_global and not address.is_multicast and not reserved
