import { isIP } from 'node:net';

/** BEHIND_PROXY=true: this machine and the private networks around it. nginx/entrypoint.d/18-names.envsh has the same list. */
const NEARBY = [
  '127.0.0.0/8',
  '::1',
  '10.0.0.0/8', // RFC 1918, and so on
  '172.16.0.0/12',
  '192.168.0.0/16',
  'fc00::/7', // RFC 4193
  '169.254.0.0/16', // RFC 3927
  'fe80::/10', // RFC 4291 section 2.5.6
];

const LONGEST_PREFIX: Readonly<Record<number, number>> = { 4: 32, 6: 128 };

/**
 * The proxies whose word about the client is believed: addresses and networks (`192.0.2.0/24`), each once, or what is
 * wrong with the text.
 */
export function parseTrustedProxies(text: string): readonly string[] | string {
  if (text === 'false') return [];
  if (text === 'true') return NEARBY;
  const hops = text.split(',').map((each) => each.trim());
  const wrong = hops.map((hop) => [hop, problem(hop)] as const).find(([, why]) => why !== undefined);
  return wrong === undefined ? [...new Set(hops)] : `has "${wrong[0]}", which ${wrong[1]}`;
}

function problem(hop: string): string | undefined {
  const [address = '', prefix, ...more] = hop.split('/');
  const family = address.includes('%') ? 0 : isIP(address);
  if (family === 0 || more.length > 0) return 'is neither an address nor a network; or say true or false';
  if (prefix === undefined) return undefined;
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > (LONGEST_PREFIX[family] ?? 0)) return 'is no network';
  return Number(prefix) === 0 ? 'is everybody: any client could give itself any address' : undefined;
}
