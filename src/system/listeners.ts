import { readdir, readFile, readlink } from 'node:fs/promises';

const LISTENING = '0A';

/**
 * The program that listens on a TCP port of this machine, from /proc (proc_net(5)): its name and process id, or
 * `unknown` when it belongs to somebody else; `undefined` when nobody listens.
 */
export async function listenerOn(port: number): Promise<string | undefined> {
  const inodes = new Set([
    ...(await sockets('/proc/net/tcp', port)),
    ...(await sockets('/proc/net/tcp6', port)),
  ]);
  if (inodes.size === 0) return undefined;
  return (await ownerOf(inodes)) ?? 'unknown';
}

async function sockets(table: string, port: number): Promise<string[]> {
  const lines = (await readFile(table, 'utf8').catch(() => '')).split('\n').slice(1);
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === LISTENING && local?.endsWith(`:${wanted}`))
    .map((fields) => fields[9] ?? '');
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
