import { readdir, readFile } from 'node:fs/promises';
import { execa } from 'execa';

/** What the processes of one kind in a container hold, together. */
export interface Resources {
  /** Resident, in MB, without what is shared on purpose: nginx's cache of TLS sessions fills up to its 10 MB. */
  readonly memory: number;
  /** Open file descriptors. */
  readonly files: number;
  readonly processes: number;
}

/** Looks at the processes of a container whose command line fits. The engine has to be on this machine. */
export async function resourcesOf(container: string, command: RegExp): Promise<Resources> {
  const pids = await pidsOf(container, command);
  const each = await Promise.all(pids.map(ofProcess));
  const total = (of: (one: { memory: number; files: number }) => number) =>
    each.reduce((sum, one) => sum + of(one), 0);
  return {
    memory: total(({ memory }) => memory),
    files: total(({ files }) => files),
    processes: each.length,
  };
}

/** Seconds of a core that the processes of a container whose command line fits have used so far. */
export async function cpuSecondsOf(container: string, command: RegExp): Promise<number> {
  const each = await Promise.all((await pidsOf(container, command)).map(cpuSeconds));
  return each.reduce((sum, one) => sum + one, 0);
}

/** What processes have used so far. */
export interface Used {
  /** Seconds of a core. */
  readonly cpu: number;
  /**
   * Bytes that they made the kernel write to a disk, counted when a page becomes dirty (proc_pid_io(5)): a file that is
   * deleted before the kernel comes to it counts like any other.
   */
  readonly written: number;
}

/** @throws with EACCES for anybody but root, and with ENOENT when one of them has ended */
export async function usedBy(pids: readonly string[]): Promise<Used> {
  const cpu = await Promise.all(pids.map(cpuSeconds));
  const written = await Promise.all(pids.map(bytesWritten));
  const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
  return { cpu: sum(cpu), written: sum(written) };
}

/** The processes of a container whose command line fits. */
export async function pidsOf(container: string, command: RegExp): Promise<string[]> {
  const { stdout } = await execa('docker', ['top', container, '-eo', 'pid,args']);
  return stdout
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(.*)$/.exec(line))
    .filter((match) => match !== null && command.test(match[2] ?? ''))
    .map((match) => match?.[1] ?? '');
}

/** proc_pid_stat(5): fields 14 and 15, in hundredths of a second; the second may have blanks and ends with `)`. */
async function cpuSeconds(pid: string): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const [user = Number.NaN, system = Number.NaN] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (user + system) / 100;
}

/** proc_pid_status(5): in KiB. */
async function ofProcess(pid: string): Promise<{ memory: number; files: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kib = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN);
  const memory = ((kib('RssAnon') + kib('RssFile')) * 1024) / 1e6;
  return { memory, files: (await readdir(`/proc/${pid}/fd`)).length };
}

async function bytesWritten(pid: string): Promise<number> {
  const io = await readFile(`/proc/${pid}/io`, 'utf8');
  return Number(/^write_bytes: (\d+)/m.exec(io)?.[1] ?? Number.NaN);
}
