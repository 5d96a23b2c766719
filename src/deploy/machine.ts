import { readFile } from 'node:fs/promises';
import { Failure } from '../errors.ts';
import type { RemoteHost } from '../remote/host.ts';
import type { Clock } from '../system/clock.ts';
import { lastLines, saidBy } from '../system/processes.ts';
import { COPIED, OF_PACKAGES } from './contents.ts';
import { understood } from './machine-answer.ts';
import type { MachineFacts } from './machine-facts.ts';

/** Stands in the folder while the project is copied: by it a copy that was broken off is known as ours. */
export const COPY_MARKER = '.moorage-copy';

/** docker asks a daemon that hangs for 20 seconds, four times. */
const ANSWERS_WITHIN = 120_000;

/**
 * Looks at a machine, in one go and changing nothing.
 * @param folder absolute path
 * @throws Failure `machine-unreadable`, and those of `RemoteHost.run`
 */
export async function gatherMachine(
  host: RemoteHost,
  clock: Clock,
  { folder, ports }: { folder: string; ports: { http: number; https: number } },
): Promise<MachineFacts> {
  const script = await readFile(new URL('machine.sh', import.meta.url), 'utf8');
  const words = [
    'sh',
    '-s',
    '--',
    folder,
    String(ports.http),
    String(ports.https),
    ...COPIED,
    ...OF_PACKAGES,
  ];
  const asked = clock.now().getTime();
  const { exitCode, stdout, stderr } = await host.run(words, { input: script, timeout: ANSWERS_WITHIN });
  const answered = clock.now().getTime();
  const facts = exitCode === 0 ? understood(stdout, { folder, asked, answered }) : undefined;
  if (facts !== undefined) return facts;
  const last = lastLines(saidBy({ stderr, stdout }));
  throw new Failure(
    'machine-unreadable',
    `What ${host.name} tells of itself can’t be understood: it ended with ${exitCode}: ${last.slice(0, 200)}`,
    `Run this again. If it stays so, see that its shell works: ssh ${host.name} 'uname -a; df /'`,
  );
}
