import { inspect } from 'node:util';
import { ensureCertificate, tend } from '../../src/certificates/renewal.ts';
import { systemClock } from '../../src/system/clock.ts';
import { killItself } from './kill-points.ts';
import { type Place, renewalAt } from './renewal-parts.ts';
import { ShiftedClock } from './shifted-clock.ts';

/** What a process of its own is told, as JSON in its first argument. */
export interface Task {
  readonly place: Place;
  /** After how many changes of the file system it ends itself; without, it runs until somebody else ends it. */
  readonly kill?: number;
  /** As the daemon does it, not as a person's command. */
  readonly daemon?: boolean;
  /** On a clock that waits for nothing. */
  readonly hurried?: boolean;
}

const silent = () => undefined;

async function run({ place, kill, daemon, hurried }: Task): Promise<void> {
  if (kill !== undefined) await killItself(kill);
  const parts = renewalAt(place, { clock: hurried ? new ShiftedClock() : systemClock });
  if (daemon) await tend(parts, silent);
  else await ensureCertificate(parts, { force: false }, silent);
}

run(JSON.parse(process.argv[2] ?? '')).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${inspect(error)}\n`);
    process.exit(1);
  },
);
