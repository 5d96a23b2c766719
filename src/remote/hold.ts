import { readFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { Failure } from '../errors.ts';
import type { Clock } from '../system/clock.ts';
import { type Finished, lastLines } from '../system/processes.ts';
import { Feed } from './feed.ts';
import type { RemoteHost } from './host.ts';

interface Terms {
  /** Folder there. */
  readonly locks: string;
  /** Seconds that whoever is just letting go is waited for. */
  readonly patience: number;
  /** Seconds without a beat after which nobody is there any more. */
  readonly silence: number;
}

const TERMS: Terms = {
  locks: '/run', // root's alone, and empty after a boot
  patience: 10, // who was killed, or cut off, lets go within one or two
  silence: 90, // longer than ssh here takes to give a connection up: whoever holds it knows first
};
const BEAT = 15_000;
/** EX_TEMPFAIL of sysexits.h, in hold.sh. */
const TAKEN = 75;

interface Hold {
  readonly clock: Clock;
  /** The command that wants it, for whoever finds it taken: `npm run deploy`. */
  readonly command: string;
  readonly terms?: Terms;
}

/**
 * Keeps others away from a folder of that machine for as long as the connection stands: one process there holds a lock,
 * and lets go when its standard input ends or falls silent. It need not exist yet.
 * @returns the same machine; what is run there after the lock was lost is refused, and closing it lets go
 * @throws Failure `folder-taken` with who holds it and since when, `folder-not-held`, and those of `RemoteHost`
 */
export async function hold(
  host: RemoteHost,
  folder: string,
  { clock, command, terms: { locks, patience, silence } = TERMS }: Hold,
): Promise<RemoteHost> {
  const script = await readFile(new URL('hold.sh', import.meta.url), 'utf8');
  const who = `${command} by ${myself()}@${hostname()}`;
  const words = ['sh', '-c', script, 'moorage-hold', folder, who, String(patience), String(silence), locks];
  const feed = new Feed();
  let begun: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const session = host.run(words, { feed, onLine: (line) => line === 'held' && begun() });
  const refused = session.then((finished) => Promise.reject(refusal(host, folder, finished)));
  await Promise.race([held, refused]);

  let lost: Error | undefined;
  const watched = session.then(
    () => {
      lost = gone(host, folder);
    },
    (error: Error) => {
      lost = error;
    },
  );
  const over = new AbortController();
  void beat(feed, clock, over.signal);
  const expectHeld = () => {
    if (lost !== undefined) throw lost;
  };
  return {
    name: host.name,
    address: host.address,
    run: async (...given) => {
      expectHeld();
      return host.run(...given);
    },
    rsync: async (...given) => {
      expectHeld();
      return host.rsync(...given);
    },
    close: async () => {
      over.abort();
      feed.end();
      await watched;
      await host.close();
    },
  };
}

async function beat(feed: Feed, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    feed.write('.');
    await clock.sleep(BEAT, signal).catch(() => undefined);
  }
}

function myself(): string {
  try {
    return userInfo().username;
  } catch {
    return 'somebody'; // a user without a name, as in a container
  }
}

function refusal({ name }: RemoteHost, folder: string, { exitCode, stdout, stderr }: Finished): Failure {
  if (exitCode === TAKEN) {
    const who = stdout.trim().split('\n')[0] || 'somebody';
    return new Failure(
      'folder-taken',
      `${folder} on ${name} is being worked on: ${who}`,
      'Wait until that has ended, then run this again. If its connection is dead, it gives way within two minutes.',
    );
  }
  return new Failure(
    'folder-not-held',
    `Others can’t be kept away from ${folder} on ${name}: ${lastLines(stderr) || `it ended with ${exitCode}`}`,
    'It needs flock (util-linux) there, and room in /run. Fix that, then run this again.',
  );
}

function gone({ name }: RemoteHost, folder: string): Failure {
  return new Failure(
    'connection-lost',
    `The connection to ${name} was silent for so long that ${folder} there is free for others again.`,
    'Run this again: what was begun is then finished.',
  );
}
