import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import { servedFingerprint } from '../../certificates/handshake.ts';
import { broken, type Finding, fine, skipped, warning } from '../finding.ts';
import type { Address } from './address.ts';

const CONNECT_WITHIN = 5_000;

/** How a registry is reached from here. */
export interface Way {
  /** To connect to: the name, or the machine's address where the name does not lead there. */
  readonly host: string;
  /** What was tried, and whether somebody answers. */
  readonly tried: readonly Tried[];
  /** Where the name leads to from here; none: nowhere. */
  readonly leads: readonly Tried[];
  /** Why it is not reached by its name, if so. */
  readonly detour: string | undefined;
}

export interface Tried {
  readonly address: string;
  readonly answers: boolean;
}

/** By its name, as clients go. By the machine's address, if one is given, where that leads nowhere or to somebody else. */
export async function findWay(address: Address): Promise<Way> {
  const { name, port, connectTo } = address;
  const leads = await Promise.all((await addressesOf(name)).map((each) => tryAt(each, port)));
  const byName = { host: name, tried: leads, leads, detour: undefined };
  if (connectTo === undefined || leads.some((each) => each.address === connectTo && each.answers))
    return byName;
  const direct = await tryAt(connectTo, port);
  const answered = leads.some(({ answers }) => answers);
  if (!direct.answers && answered) return byName;
  const listed = leads.map((each) => each.address).join(', ');
  const detour =
    leads.length === 0
      ? `${name} leads nowhere from here`
      : !answered
        ? `${name} leads to ${listed}, where nobody answers`
        : (await showTheSame(address, connectTo))
          ? undefined
          : `${name} leads to ${listed}, where another certificate is shown`;
  return detour === undefined ? byName : { host: connectTo, tried: [direct], leads, detour };
}

export function judgeName({ name }: Address, { host, leads, detour }: Way): Finding {
  if (isIP(name) !== 0) return fine('the registry is reached by its address');
  const mend = `Let a record of ${name} in DNS, or a line in /etc/hosts here, lead to that machine.`;
  if (detour !== undefined) return warning(`${detour}; asked at ${host}`, mend);
  if (leads.length === 0) return broken(`${name} leads nowhere from here`, mend);
  return fine(`${name}: ${leads.map(({ address }) => address).join(', ')}`);
}

export function judgePort({ port }: Address, { tried }: Way): Finding {
  const silent = tried.filter(({ answers }) => !answers).map(({ address }) => address);
  const told = `port ${port} is silent on ${silent.join(', ')}`;
  if (tried.length === 0) return skipped('there is no address to ask');
  if (silent.length === 0) return fine(`${port} on ${tried.map(({ address }) => address).join(', ')}`);
  const open = `Open port ${port} in the firewalls on the way, and let the router hand it on to that machine.`;
  if (silent.length === tried.length) return broken(told, open);
  return warning(told, `${open} Or take away the record that leads there: some clients try it first.`);
}

async function addressesOf(name: string): Promise<string[]> {
  const found = await lookup(name, { all: true }).catch(() => []);
  return [...new Set(found.map(({ address }) => address))];
}

async function showTheSame({ name, port }: Address, connectTo: string): Promise<boolean> {
  const shown = await Promise.all(
    [name, connectTo].map((host) =>
      servedFingerprint({ host, port, servername: name, timeout: CONNECT_WITHIN }),
    ),
  );
  const [there, here] = shown.map((each) => (each.kind === 'shown' ? each.fingerprint : undefined));
  return there === here; // neither: there is no TLS to tell them apart by
}

function tryAt(address: string, port: number): Promise<Tried> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const conclude = (answers: boolean) => {
      socket.destroy();
      resolve({ address, answers });
    };
    socket.setTimeout(CONNECT_WITHIN, () => conclude(false));
    socket.once('connect', () => conclude(true));
    socket.once('error', () => conclude(false));
  });
}
