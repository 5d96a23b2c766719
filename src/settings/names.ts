import { BlockList, isIP } from 'node:net';

/** A label of a host name: letters, digits, hyphens inside, 63 octets at most (RFC 1123 section 2.1). */
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;
const LONGEST_NAME = 253;

/** Why this can't be the name of a registry, or `undefined` when it can: a host name or an IP address. */
export function nameProblem(name: string): string | undefined {
  if (name.includes('%')) return 'has a zone; give an address that clients can use';
  if (isIP(name) !== 0) return undefined;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(name)) return 'is a URL; give the host name alone';
  if (name.includes('/')) return 'has a path; give the host name alone';
  if (/:\d+$/.test(name)) return 'has a port; ports are set by HTTPS_PORT and HTTP_PORT';
  if (name.includes('*')) return 'is a wildcard; name each host';
  if (/[^\p{ASCII}]/u.test(name)) return 'is not ASCII; write it in its xn-- form';
  if (name.length > LONGEST_NAME) return `is longer than ${LONGEST_NAME} characters`;
  if (/^[\d.]+$/.test(name)) return 'is neither a host name nor an IP address';
  return name.split('.').every((label) => LABEL.test(label)) ? undefined : 'is not a host name';
}

/** Special-use names (RFC 6761, 6762, 8375; ICANN's .internal), and those of RFC 6762 appendix G. */
const PRIVATE_SUFFIXES = [
  'localhost',
  'local',
  'internal',
  'test',
  'home.arpa',
  'intranet',
  'private',
  'corp',
  'home',
  'lan',
];

const privateAddresses = new BlockList();
for (const [network, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
] as const) {
  privateAddresses.addSubnet(network, prefix, 'ipv4');
}
privateAddresses.addAddress('::1', 'ipv6');
privateAddresses.addSubnet('fc00::', 7, 'ipv6');
privateAddresses.addSubnet('fe80::', 10, 'ipv6');

/** Whether no public CA issues for this name: a private address, a special-use domain, or a single label. */
export function isPrivateName(name: string): boolean {
  const family = isIP(name);
  if (family !== 0) return privateAddresses.check(name, family === 4 ? 'ipv4' : 'ipv6');
  const lower = name.toLowerCase();
  if (!lower.includes('.')) return true;
  return PRIVATE_SUFFIXES.some((suffix) => lower === suffix || lower.endsWith(`.${suffix}`));
}

/** An IPv6 address as it stands in a URL or a Host header, RFC 3986 section 3.2.2; any other host as it is. */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** The host of a URL, an IPv6 address without its brackets. */
export function unbracketed({ hostname }: Pick<URL, 'hostname'>): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

/** A part of a URL without its percent signs; `undefined` when they stand for nothing. */
export function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
