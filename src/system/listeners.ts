import { readdir, readFile, readlink } from 'node:fs/promises';

const LISTENING = '0A';

/**
 * The program that listens on a TCP port of this machine, from /proc (proc_net(5)): its name and process id, or
 * `unknown` when it belongs to somebody else; `undefined` when nobody does. Only listeners that would be in the way of
 * `address` count; `undefined` is every address.
 */
export async function listenerOn(port: number, address: string | undefined): Promise<string | undefined> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((table) => sockets(table, port)));
  const inTheWay = tables.flat().filter(({ local }) => overlap(local, address));
  if (inTheWay.length === 0) return undefined;
  return (await ownerOf(new Set(inTheWay.map(({ inode }) => inode)))) ?? 'unknown';
}

/** Whether two listeners on the same port would meet: on the same address, or one of them on all. */
export function overlap(one: string | undefined, other: string | undefined): boolean {
  return isWildcard(one) || isWildcard(other) || one === other;
}

function isWildcard(address: string | undefined): boolean {
  return address === undefined || address === '0.0.0.0' || address === '::';
}

interface Socket {
  readonly local: string | undefined;
  readonly inode: string;
}

async function sockets(table: string, port: number): Promise<Socket[]> {
  const lines = (await readFile(table, 'utf8').catch(() => '')).split('\n').slice(1);
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === LISTENING && local?.endsWith(`:${wanted}`))
    .map((fields) => ({ local: addressOf(fields[1] ?? ''), inode: fields[9] ?? '' }));
}

/** `0100007F:0050` is 127.0.0.1; other IPv6 addresses than `::` are told apart from IPv4 ones only. */
function addressOf(local: string): string {
  const [hex = ''] = local.split(':');
  if (/^0+$/.test(hex)) return '0.0.0.0';
  if (hex.length !== 8) return `[${hex}]`;
  return (hex.match(/../g) ?? [])
    .reverse()
    .map((byte) => Number.parseInt(byte, 16))
    .join('.');
}

async function ownerOf(inodes: ReadonlySet<string>): Promise<string | undefined> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const pid of processes) {
    for (const descriptor of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode === undefined || !inodes.has(inode)) continue;
      const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'unknown');
      return `${name.trim()} (process ${pid})`;
    }
  }
  return undefined;
}
