import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Run } from '../system/processes.ts';

/** Interfaces that engines make for their containers: what is on them is on the others as well, and they come and go. */
export const OF_ENGINES = /^(docker|br-|veth|cni|podman|virbr|flannel|cali)/;
/** IFA_F_TEMPORARY of linux/if_addr.h: an address for some hours (RFC 8981). */
const TEMPORARY = 0x01;
const GLOBAL = '00';
/** Docker's first network where nothing else is configured. */
const FIRST_NETWORK = '172.17.0.0/16';

/** The addresses under which others reach this machine and that last. */
export async function lastingAddresses(): Promise<readonly string[]> {
  const four = Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses
      .filter(({ family, internal }) => family === 'IPv4' && !internal && !OF_ENGINES.test(name))
      .map(({ address }) => address)
      .filter((address) => !address.startsWith('169.254.')),
  );
  const six = lastingSix(await readFile('/proc/net/if_inet6', 'utf8').catch(() => ''));
  return [...new Set([...four, ...six])];
}

/** Lines of /proc/net/if_inet6: address, index, prefix, scope, flags (all hexadecimal), interface. */
export function lastingSix(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [hex = '', , , scope, flags = '', name = ''] = line.trim().split(/\s+/);
    const lasts = scope === GLOBAL && (Number.parseInt(flags, 16) & TEMPORARY) === 0;
    if (!lasts || OF_ENGINES.test(name) || hex.length !== 32) return [];
    const address = (hex.match(/.{4}/g) ?? []).join(':');
    return isIP(address) === 6 ? [new URL(`http://[${address}]`).hostname.slice(1, -1)] : [];
  });
}

/** The networks of Docker's own bridge; what it usually is where no engine answers. */
export async function engineNetworks(run: Run): Promise<readonly string[]> {
  const format = '{{range .IPAM.Config}}{{.Subnet}} {{end}}';
  const { stdout } = await run('docker', ['network', 'inspect', 'bridge', '--format', format]);
  const found = stdout.split(/\s+/).filter((each) => /^[0-9a-f.:]+\/\d+$/.test(each));
  return found.length > 0 ? found : [FIRST_NETWORK];
}
