import { inspect } from 'node:util';
import { ensureCertificate } from '../../src/certificates/renewal.ts';
import { killItself } from './kill-points.ts';
import { type Place, renewalAt } from './renewal-parts.ts';
import { ShiftedClock } from './shifted-clock.ts';

/** What a process of its own is told, as JSON in its first argument. */
export interface Task {
  readonly place: Place;
  /** After how many changes of the file system it ends itself; without, it runs until somebody else ends it. */
  readonly kill?: number;
}

async function run({ place, kill }: Task): Promise<void> {
  if (kill !== undefined) await killItself(kill);
  const parts = renewalAt(place, { clock: new ShiftedClock() });
  await ensureCertificate(parts, { force: false }, () => undefined);
}

run(JSON.parse(process.argv[2] ?? '')).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${inspect(error)}\n`);
    process.exit(1);
  },
);
