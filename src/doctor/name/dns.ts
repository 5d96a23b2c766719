import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { servedFingerprint } from '../../certificates/handshake.ts';
import { systemCode } from '../../errors.ts';
import { isPrivateName } from '../../settings/names.ts';
import { certificateNames } from '../../settings/settings.ts';
import { type Check, SOON } from '../check.ts';
import { type Context, ownAddresses } from '../context.ts';
import { broken, type Finding, fine, together, unknown, warning } from '../finding.ts';

/** Seconds for a handshake with an address that may be nobody's. */
const HANDSHAKE_WITHIN = 4_000;

/** Where a record leads, seen from here. */
export interface Lead {
  readonly address: string;
  readonly own: boolean;
  /** Who shows a certificate there: us, somebody else, or nobody. */
  readonly answer: 'ours' | 'other' | 'silent';
}

export const dnsCheck: Check<Context> = {
  name: 'dns',
  group: 'Name',
  within: SOON, // a resolver gives up after 5 s, and is asked twice
  run: async (context) => {
    const hosts = certificateNames(context.settings).filter((name) => isIP(name) === 0);
    const findings = hosts.map((name) =>
      isPrivateName(name) ? privateName(name) : publicName(context, name),
    );
    return together(await Promise.all(findings), fine('the registry is reached by its address'));
  },
};

/** Known to whom it may concern, by a DNS of their own or by /etc/hosts. */
async function privateName(name: string): Promise<Finding> {
  const found = await lookup(name, { all: true }).catch(() => []);
  if (found.length > 0) return fine(`${name}: ${found.map(({ address }) => address).join(', ')}`);
  return warning(
    `${name} is unknown to this machine; clients may know it by a DNS of their own`,
    `If docker is used here, too: echo "127.0.0.1 ${name}" | sudo tee -a /etc/hosts`,
  );
}

async function publicName(context: Context, name: string): Promise<Finding> {
  const resolver = new Resolver({ timeout: 3_000, tries: 2 });
  const [four, six] = await Promise.all([found(resolver.resolve4(name)), found(resolver.resolve6(name))]);
  if (four === undefined && six === undefined) return unknown(`${name}: no name server answers`);
  const own = ownAddresses();
  const leads = [...(four ?? []), ...(six ?? [])].map((address) => leadOf(context, name, address, own));
  const proxied = context.settings.trustedProxies.length > 0;
  return judgeRecords(name, await Promise.all(leads), own, proxied);
}

async function leadOf(
  { settings, renewal }: Context,
  servername: string,
  address: string,
  own: readonly string[],
): Promise<Lead> {
  const target = { host: address, port: settings.httpsPort, servername, timeout: HANDSHAKE_WITHIN };
  const shown = await servedFingerprint(target);
  const current = await renewal.store.current();
  const ours = current.kind === 'present' ? current.generation.certificate.fingerprint : undefined;
  const answer = shown.kind === 'failed' ? 'silent' : shown.fingerprint === ours ? 'ours' : 'other';
  return { address, own: own.includes(address), answer };
}

/**
 * Whether the records of a public name lead here. Behind NAT the machine does not know its own public address; then what
 * answers there counts, and where nobody does nothing is known.
 * @param proxied somebody of ours stands in front, and has the name's addresses
 */
export function judgeRecords(
  name: string,
  leads: readonly Lead[],
  own: readonly string[],
  proxied: boolean,
): Finding {
  if (leads.length === 0)
    return broken(`${name} has neither an A nor an AAAA record`, 'Make one that leads to this machine.');
  if (proxied) return fine(`${name}: ${listed(leads)}, of the proxy in front (BEHIND_PROXY)`);
  return together(
    leads.map((lead) => judgeLead(name, lead, own)),
    fine(''),
  );
}

function judgeLead(name: string, { address, own: isOwn, answer }: Lead, own: readonly string[]): Finding {
  const six = isIP(address) === 6;
  const kind = six ? 'AAAA' : 'A';
  if (isOwn || answer === 'ours') return fine(`${name}: ${address}`);
  const record = `${name}: ${address} (${kind})`;
  const mend = `Let the ${kind} record of ${name} lead to this machine${six ? ', or remove it: clients and CAs prefer it' : ''}.`;
  if (answer === 'other')
    return broken(`${record} is somebody else: another certificate is shown there`, mend);
  const publicly = own.filter((each) => isIP(each) === isIP(address) && !isPrivateName(each));
  // IPv6 knows no NAT worth the name: what is not on an interface is not here.
  if (publicly.length > 0 || six)
    return broken(`${record} is none of this machine’s addresses, and nobody answers there`, mend);
  return unknown(
    `${record} may lead here: this machine is behind NAT, and can't reach itself by that address`,
    `From another network: curl -k https://${name}/v2/`,
  );
}

function listed(leads: readonly Lead[]): string {
  return leads.map(({ address }) => address).join(', ');
}

/** `undefined`: nobody answered. */
async function found(question: Promise<string[]>): Promise<string[] | undefined> {
  try {
    return await question;
  } catch (error) {
    return ['ENOTFOUND', 'ENODATA'].includes(systemCode(error) ?? '') ? [] : undefined;
  }
}
