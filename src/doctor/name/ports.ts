import { isIP } from 'node:net';
import { servedFingerprint } from '../../certificates/handshake.ts';
import type { Settings } from '../../settings/settings.ts';
import { listenerOn } from '../../system/listeners.ts';
import { type Check, SOON } from '../check.ts';
import { type Context, ownAddresses } from '../context.ts';
import { broken, type Finding, fine, together, warning } from '../finding.ts';
import { httpAnswer } from './http-answer.ts';

const ANSWER_WITHIN = 4_000;

/** What is known of one port that nginx publishes. */
export interface PortFacts {
  readonly port: number;
  readonly setting: 'HTTP_PORT' | 'HTTPS_PORT';
  /** Who publishes it: this project's nginx, or whoever it is by name; `undefined`: nobody. */
  readonly holder: 'nginx' | { readonly other: string } | undefined;
  /** The addresses of this machine where it should answer, and those where it does. */
  readonly wanted: readonly string[];
  readonly answered: readonly string[];
}

export const portsCheck: Check<Context> = {
  name: 'ports',
  group: 'Name',
  within: SOON, // all addresses are asked at the same time
  run: async (context) => {
    const facts = ports(context.settings).map((each) => gather(context, each));
    return together((await Promise.all(facts)).map(judgePort), fine(''));
  },
};

export function judgePort({ port, setting, holder, wanted, answered }: PortFacts): Finding {
  if (holder === undefined) return broken(`nobody listens on port ${port}`, 'docker compose up -d');
  if (holder !== 'nginx')
    return broken(
      `port ${port} is taken by ${holder.other}`,
      `Stop it, or set another ${setting}: npm run init-tls`,
    );
  const silent = wanted.filter((address) => !answered.includes(address));
  if (silent.length === 0) return fine(`${port} on ${wanted.join(', ')}`);
  const told = `port ${port} is silent on ${silent.join(', ')}`;
  const firewall = 'Look into the firewall of this machine: sudo nft list ruleset';
  if (silent.length === wanted.length) return broken(told, `docker compose logs nginx. ${firewall}`);
  const sixes = silent.every((address) => isIP(address) === 6);
  return warning(
    told,
    sixes ? 'Let the engine publish on IPv6, or keep AAAA records away from these.' : firewall,
  );
}

async function gather({ settings, engine }: Context, [setting, port]: Port): Promise<PortFacts> {
  const { bindAddress, project } = settings;
  const container = await engine.containers.publishing(port, bindAddress);
  const program = container === undefined ? await listenerOn(port, bindAddress) : undefined;
  const wanted = addressesOf(bindAddress);
  const asked = wanted.map(async (address) => ({
    address,
    yes: await answers(settings, setting, address, port),
  }));
  const answered = (await Promise.all(asked)).filter(({ yes }) => yes).map(({ address }) => address);
  return { port, setting, holder: holderOf(container, project, program), wanted, answered };
}

function holderOf(
  container: { project: string | undefined; name: string } | undefined,
  project: string,
  program: string | undefined,
): PortFacts['holder'] {
  if (container?.project === project) return 'nginx';
  if (container !== undefined) return { other: `the container ${container.name}` };
  return program === undefined ? undefined : { other: program };
}

type Port = readonly [setting: PortFacts['setting'], port: number];

function ports({ issuer, httpPort, httpsPort }: Settings): Port[] {
  return [['HTTP_PORT', httpPort], ...(issuer === 'none' ? [] : [['HTTPS_PORT', httpsPort] as const])];
}

function addressesOf(bindAddress: string | undefined): readonly string[] {
  if (bindAddress === undefined) return ownAddresses();
  if (bindAddress === '0.0.0.0') return ownAddresses().filter((address) => isIP(address) === 4);
  if (bindAddress === '::') return ownAddresses().filter((address) => isIP(address) === 6);
  return [bindAddress];
}

async function answers(
  { domain }: Settings,
  setting: PortFacts['setting'],
  host: string,
  port: number,
): Promise<boolean> {
  if (setting === 'HTTP_PORT')
    return (await httpAnswer({ host, port }, domain, '/', ANSWER_WITHIN)) !== undefined;
  const shown = await servedFingerprint({ host, port, servername: domain, timeout: ANSWER_WITHIN });
  return shown.kind === 'shown';
}
