import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import type { Checkout } from './checkout.ts';

export type Part = 'nginx' | 'registry' | 'gate' | 'renewer';

interface Run {
  readonly id: string;
  /** Of the container's first process, in this machine's numbers. */
  readonly pid: number;
  readonly startedAt: string;
  readonly running: boolean;
}

/** The container of a part as it runs now. */
export async function runOf(checkout: Checkout, part: Part): Promise<Run> {
  const { stdout } = await checkout.compose('ps', '--all', '-q', part);
  const id = stdout.trim();
  const format = '{{.State.Pid}} {{.State.StartedAt}} {{.State.Running}}';
  const inspected = await execa('docker', ['inspect', '-f', format, id]);
  const [pid, startedAt = '', running] = inspected.stdout.trim().split(' ');
  return { id, pid: Number(pid), startedAt, running: running === 'true' };
}

/** `kill -9` of the program itself, below the small init where there is one. The engine takes it for a crash. */
export async function killHard(checkout: Checkout, part: Part): Promise<Run> {
  const run = await runOf(checkout, part);
  const [child] = await childrenOf(run.pid);
  process.kill(part === 'nginx' ? run.pid : (child ?? run.pid), 'SIGKILL');
  return run;
}

/** The program and all that it has started. */
export async function processesOf(checkout: Checkout, part: Part): Promise<readonly number[]> {
  const found = [(await runOf(checkout, part)).pid];
  for (const pid of found) found.push(...(await childrenOf(pid)));
  return found;
}

/** The most memory that each process ever had, together, in bytes (proc(5), VmHWM). */
export async function peakMemory(pids: readonly number[]): Promise<number> {
  let sum = 0;
  for (const pid of pids) {
    const [, kilobytes = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(await proc(pid, 'status')) ?? [];
    sum += Number(kilobytes) * 1024;
  }
  return sum;
}

/** Bytes that they have sent to a disk (proc(5), io). */
export async function writtenToDisk(pids: readonly number[]): Promise<number> {
  let sum = 0;
  for (const pid of pids) {
    const [, bytes = '0'] = /^write_bytes: (\d+)$/m.exec(await proc(pid, 'io')) ?? [];
    sum += Number(bytes);
  }
  return sum;
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const children = await proc(pid, `task/${pid}/children`);
  return children.trim().split(' ').filter(Boolean).map(Number);
}

/** A process may have ended meanwhile. */
function proc(pid: number, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}
