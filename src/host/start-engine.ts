import { spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { Failure } from '../errors.ts';
import type { Report } from '../step.ts';
import { type Clock, eventually } from '../system/clock.ts';
import { lastLines, type Run } from '../system/processes.ts';
import { PATH } from './apt.ts';
import { engineState } from './facts.ts';

const LOG = '/var/log/dockerd.log';
const UP_WITHIN = 60_000;

/** Starts the installed engine and waits until it answers. */
export async function startEngine(
  { run, clock, systemd, dockerd }: { run: Run; clock: Clock; systemd: boolean; dockerd: string },
  report: Report,
): Promise<void> {
  report('starting Docker Engine');
  if (systemd) await run('systemctl', ['enable', '--now', 'docker']);
  else await startDirectly(dockerd);
  const up = await eventually(clock, { within: UP_WITHIN, every: 200 }, async () =>
    (await engineState(undefined)).kind === 'answers' ? true : undefined,
  );
  if (up === true) return;
  throw new Failure(
    'engine-unreachable',
    `Docker Engine does not come up:\n${await recentLog(run, systemd)}`,
    'Fix what its log reports, then run this again.',
  );
}

/** In a session of its own, so that it outlives this command and its terminal. */
async function startDirectly(dockerd: string): Promise<void> {
  const log = await open(LOG, 'a', 0o640);
  try {
    const command = [`PATH=${PATH}`, dockerd];
    spawn('/usr/bin/env', command, { detached: true, stdio: ['ignore', log.fd, log.fd] }).unref();
  } finally {
    await log.close();
  }
}

async function recentLog(run: Run, systemd: boolean): Promise<string> {
  const text = systemd
    ? (await run('journalctl', ['--unit', 'docker', '--lines', '8', '--no-pager', '--output', 'cat'])).stdout
    : await readFile(LOG, 'utf8').catch(() => '');
  return lastLines(text, 8);
}
