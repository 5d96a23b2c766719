import { randomUUID } from 'node:crypto';
import { link, readFile, readlink, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure, systemCode } from '../errors.ts';
import type { Clock } from './clock.ts';
import { ensureDirectory, readIfExists } from './files.ts';

const HEARTBEAT = 5_000;
/** A holder that this process cannot look up (it is in another container) counts as dead after six missed beats. */
const STALE = 30_000;
const BEAT_MARGIN = 1_000;
const TAKEOVER_PAUSE = 20;
const TURN_PAUSE = 100;

/** Of a lock file that can't be read: it counts until it has missed its beats. */
const NOBODY: Holder = {
  token: '',
  what: 'Something',
  pid: 0,
  since: 'an unknown time',
  began: undefined,
  processes: '',
};

interface Holder {
  readonly token: string;
  readonly what: string;
  readonly pid: number;
  readonly since: string;
  /** When that process began, as the kernel counts it: a number is given again after a process has ended. */
  readonly began: string | undefined;
  /** Names the set of processes in which `pid` means something: this boot of this machine, this PID namespace. */
  readonly processes: string;
}

/**
 * Runs `work` while this process alone holds the lock file `path`. Works between a host and its containers: the
 * holder touches the file every 5 s. A holder that was killed is noticed at once where its process can be looked
 * up, and after 30 s elsewhere.
 *
 * @throws Failure `locked`, naming who holds it and since when.
 */
export async function withLock<T>(
  path: string,
  what: string,
  clock: Clock,
  work: () => Promise<T>,
): Promise<T> {
  await ensureDirectory(dirname(path));
  const token = await acquire(path, what, clock);
  const heartbeat = setInterval(() => {
    const now = clock.now();
    utimes(path, now, now).catch(() => undefined);
  }, HEARTBEAT);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await release(path, token);
  }
}

interface Turn {
  readonly path: string;
  readonly what: string;
  readonly clock: Clock;
  /** Milliseconds. */
  readonly patience: number;
  readonly onWait?: (who: string) => void;
}

/** Like `withLock`, but waits for whoever holds it, `patience` milliseconds at the most. `onWait` hears who that is. */
export async function withLockInTurn<T>(
  { path, what, clock, patience, onWait = () => undefined }: Turn,
  work: () => Promise<T>,
): Promise<T> {
  const deadline = clock.now().getTime() + patience;
  for (;;) {
    try {
      return await withLock(path, what, clock, work);
    } catch (error) {
      const busy = error instanceof Failure && error.code === 'locked';
      if (!busy || clock.now().getTime() >= deadline) throw error;
      onWait(`waiting: ${error.message}`);
      await clock.sleep(TURN_PAUSE);
    }
  }
}

/** Who holds the lock file `path`, in words; `undefined`: nobody, or somebody who is dead. */
export async function whoHolds(path: string, clock: Clock): Promise<string | undefined> {
  const holder = await readHolder(path);
  return holder === undefined || (await abandoned(path, holder, clock)) ? undefined : held(holder).message;
}

async function acquire(path: string, what: string, clock: Clock): Promise<string> {
  const token = randomUUID();
  const holder: Holder = {
    token,
    what,
    pid: process.pid,
    began: (await processFacts(process.pid))?.began,
    since: clock.now().toISOString(),
    processes: await processSpace(),
  };
  const candidate = `${path}.${token}`;
  try {
    await writeFile(candidate, JSON.stringify(holder), { mode: 0o600 });
    for (;;) {
      if (await linked(candidate, path)) return token;
      const other = await readHolder(path);
      if (other === undefined) continue; // released in this moment
      if (!(await abandoned(path, other, clock))) throw held(other);
      await clearAway(path, other, clock);
    }
  } finally {
    await rm(candidate, { force: true });
  }
}

/** link(2) is atomic and refuses an existing name: the lock file is there with its whole content or not at all. */
async function linked(candidate: string, path: string): Promise<boolean> {
  try {
    await link(candidate, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function abandoned(path: string, holder: Holder, clock: Clock): Promise<boolean> {
  if (holder.processes === (await processSpace())) {
    const process = await processFacts(holder.pid);
    // Whoever lives holds it, however long ago the last beat was: clocks jump, machines sleep.
    if (holder.began !== undefined) return process?.began !== holder.began || process.ended;
    if (!alive(holder.pid)) return true;
  }
  const facts = await stat(path).catch(() => undefined);
  if (facts === undefined) return true;
  // Old by the clock, or far ahead of it: that may be the clock's fault. Whoever lives beats once more.
  if (Math.abs(clock.now().getTime() - facts.mtimeMs) <= STALE) return false;
  await clock.sleep(HEARTBEAT + BEAT_MARGIN);
  const again = await stat(path).catch(() => undefined);
  return again === undefined || again.mtimeMs === facts.mtimeMs;
}

/**
 * Takes the abandoned file away, if it is still the one that was looked at: done under a lock of its own, else two
 * that found the same dead holder could take away each other's new lock.
 */
async function clearAway(path: string, expected: Holder, clock: Clock): Promise<void> {
  const guard = `${path}.takeover`;
  const token = await acquire(guard, expected.what, clock).catch((error) => {
    if (error instanceof Failure) return undefined; // somebody else is at it
    throw error;
  });
  if (token === undefined) return clock.sleep(TAKEOVER_PAUSE);
  try {
    const holder = await readHolder(path);
    if (holder?.token === expected.token) await rm(path, { force: true });
  } finally {
    await release(guard, token);
  }
}

async function release(path: string, token: string): Promise<void> {
  const holder = await readHolder(path);
  if (holder?.token === token) await rm(path, { force: true });
}

async function readHolder(path: string): Promise<Holder | undefined> {
  const text = await readIfExists(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return NOBODY; // a machine that lost power may keep the name and lose the content
  }
}

async function processSpace(): Promise<string> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => 'unknown');
  const namespace = await readlink('/proc/self/ns/pid').catch(() => 'unknown');
  return `${boot.trim()} ${namespace}`;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

interface ProcessFacts {
  /** Clock ticks from the boot to its start. */
  readonly began: string;
  /** Dead, but not yet waited for: where nobody reaps orphans, as in a container without an init, that lasts. */
  readonly ended: boolean;
}

/** From /proc/PID/stat, see proc_pid_stat(5); `undefined` without such a process, or without /proc. */
async function processFacts(pid: number): Promise<ProcessFacts | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = /^\d+ \(.*\) (.*)$/s.exec(stat)?.[1]?.split(' ');
  const [state, began] = [fields?.[0], fields?.[19]];
  return state === undefined || began === undefined ? undefined : { began, ended: /[ZX]/.test(state) };
}

function held(holder: Holder): Failure {
  return new Failure(
    'locked',
    `${holder.what} is running (process ${holder.pid}, since ${holder.since}).`,
    'Wait until it has finished, then run this again.',
  );
}
