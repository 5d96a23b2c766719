import { Failure } from '../errors.ts';
import { diskInWords } from '../low-water.ts';
import type { Settings } from '../settings/settings.ts';
import { registrySilence } from '../stack/answer.ts';
import type { Part } from '../stack/compose.ts';
import { diskState } from '../stack/image-disk.ts';
import { type Done, unchanged } from '../step.ts';
import type { Running } from './plan.ts';

/**
 * Only what is well is upgraded: else nobody could tell afterwards what the upgrade did.
 * @throws Failure `stack-down`, `stack-unwell`, `disk-full`
 */
export async function expectWell(settings: Settings, running: ReadonlyMap<Part, Running>): Promise<Done> {
  if (running.size === 0)
    throw new Failure('stack-down', 'Nothing of the stack runs.', 'Start it with `npm run init-tls`.');
  const needed: readonly Part[] = [
    'registry',
    'nginx',
    ...(settings.auth.by === 'gate' ? (['gate'] as const) : []),
  ];
  const missing = needed.filter((part) => !running.has(part));
  const disk = await diskState(settings);
  if (disk.kind === 'low')
    throw new Failure(
      'disk-full',
      `The disk of the images takes no push, and a push shows in the end that all works: ${diskInWords(disk)}.`,
      'Free space, or keep less free by DISK_RESERVE, then run this again.',
    );
  const silence =
    missing.length > 0 ? `${missing.join(' and ')} do not run` : await registrySilence(settings);
  if (silence === undefined) return unchanged('the registry answers');
  throw new Failure(
    'stack-unwell',
    `The registry is not well before anything is done: ${silence}.`,
    'Fix it first (docker compose ps, docker compose logs), or add --force if an upgrade is to fix it.',
  );
}
