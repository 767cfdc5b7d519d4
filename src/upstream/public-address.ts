import { BlockList, isIP } from 'node:net';

/**
 * IPv4 that is nobody's on the public internet: private, loopback, link-local, shared by carriers, for documentation and
 * tests, multicast, reserved (IANA IPv4 Special-Purpose Address Registry).
 */
const CLOSED_V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/**
 * Global unicast. Outside of it lie loopback, IPv4-mapped, NAT64, unique-local, link-local and multicast addresses, behind some
 * of which an IPv4 address hides that would have to be looked at too.
 */
const OPEN_V6 = ['2000::', 3] as const;

/** Within it: protocols such as Teredo, 6to4, documentation (IANA IPv6 Special-Purpose Address Registry). */
const CLOSED_V6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

/** Makes the question whether an address is one of the public internet; what is no address is none. */
export function publicAddresses(): (address: string) => boolean {
  const closed = new BlockList();
  for (const [net, prefix] of CLOSED_V4) closed.addSubnet(net, prefix, 'ipv4');
  for (const [net, prefix] of CLOSED_V6) closed.addSubnet(net, prefix, 'ipv6');
  const open = new BlockList();
  open.addSubnet(...OPEN_V6, 'ipv6');
  return (address) => {
    if (isIP(address) === 4) return !closed.check(address, 'ipv4');
    if (isIP(address) !== 6 || address.includes('%')) return false;
    return open.check(address, 'ipv6') && !closed.check(address, 'ipv6');
  };
}
