import { isIP } from 'node:net';
import { type Problem, WrongInput } from '../errors.ts';
import type { Settings } from '../settings/settings.ts';
import type { Far } from './far.ts';

/**
 * That the other machine has the address that its settings bind to.
 * @throws WrongInput
 */
export async function expectAddress({ host }: Far, settings: Settings): Promise<void> {
  const read = async (path: string) => (await host.run(['cat', path])).stdout;
  const own = localAddresses(await read('/proc/net/fib_trie'), await read('/proc/net/if_inet6'));
  const problems = addressProblems(settings, own, host.name);
  if (problems.length > 0) throw new WrongInput(problems);
}

/** Pure. */
export function addressProblems(
  { bindAddress, domain }: Pick<Settings, 'bindAddress' | 'domain'>,
  own: readonly string[],
  name: string,
): Problem[] {
  const found: Problem[] = [];
  const anywhere = bindAddress === undefined || bindAddress === '0.0.0.0' || bindAddress === '::';
  if (!anywhere && !own.includes(bindAddress))
    found.push({
      input: 'BIND_ADDRESS',
      message: `"${bindAddress}" is no address of ${name}; give another one there: --set BIND_ADDRESS=${own.find((each) => !isLoopback(each)) ?? ''}`,
    });
  if (isIP(domain) !== 0 && !isLoopback(domain) && !own.includes(domain))
    found.push({
      input: 'DOMAIN',
      message: `"${domain}" is an address that ${name} does not have; clients will need another name: --set DOMAIN=NAME`,
    });
  return found;
}

/** Why clients would not get to the other machine though it has what its settings name. Pure. */
export function addressWarnings({
  bindAddress,
  domain,
}: Pick<Settings, 'bindAddress' | 'domain'>): readonly string[] {
  const found: string[] = [];
  if (bindAddress !== undefined && isLoopback(bindAddress))
    found.push(
      `BIND_ADDRESS is ${bindAddress}: only programs on that machine will get to it (--set BIND_ADDRESS=)`,
    );
  if (domain === 'localhost' || domain.endsWith('.localhost') || isLoopback(domain))
    found.push(`${domain} leads every client to itself, not to that machine (--set DOMAIN=NAME)`);
  return found;
}

/**
 * The addresses of a machine, from what its kernel tells without any program (proc(5)).
 * @param trie /proc/net/fib_trie
 * @param inet6 /proc/net/if_inet6
 */
export function localAddresses(trie: string, inet6: string): readonly string[] {
  const four = [...trie.matchAll(/\|-- (\d+\.\d+\.\d+\.\d+)\n\s+\/32 host LOCAL/g)].map(
    ([, each = '']) => each,
  );
  const six = [...inet6.matchAll(/^([0-9a-f]{32})\s/gm)].map(([, hex = '']) => {
    const groups = hex.match(/.{4}/g) ?? [];
    return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1); // RFC 5952
  });
  return [...new Set([...four, ...six])];
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
