import { BlockList, isIP } from 'node:net';

/** Networks that are not the internet (IANA's special-purpose registries, RFC 6890), metadata services among them. */
const PRIVATE_IPV4: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // carrier-grade NAT, and metadata of some clouds (100.100.100.200)
  ['127.0.0.0', 8],
  ['169.254.0.0', 16], // link-local, metadata of most clouds
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3], // multicast, reserved, broadcast
];
/** The only part of IPv6 that is given out to the internet; everything else is local, multicast or a translation. */
const GLOBAL_IPV6 = ['2000::', 3] as const;
/** Parts of it that are not: they hold an IPv4 address that a gateway would connect to, or are for documents. */
const PRIVATE_IPV6: readonly (readonly [network: string, prefix: number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const privateList = new BlockList();
for (const [network, prefix] of PRIVATE_IPV4) privateList.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of PRIVATE_IPV6) privateList.addSubnet(network, prefix, 'ipv6');
const globalList = new BlockList();
globalList.addSubnet(...GLOBAL_IPV6, 'ipv6');
const mappedList = new BlockList();
mappedList.addSubnet('::ffff:0:0', 96, 'ipv6');

/** True for every IP address that is not on the public internet, and for what is no IP address at all. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return privateList.check(address, 'ipv4');
  if (family !== 6) return true;
  const plain = address.replace(/%.*$/, '');
  // An IPv4 address in IPv6 clothes is what it is: BlockList looks inside.
  if (mappedList.check(plain, 'ipv6')) return privateList.check(plain, 'ipv6');
  return !globalList.check(plain, 'ipv6') || privateList.check(plain, 'ipv6');
}
