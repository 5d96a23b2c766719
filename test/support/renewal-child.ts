import { inspect } from 'node:util';
import { ensureCertificate, tend } from '../../src/certificates/renewal.ts';
import { systemClock } from '../../src/system/clock.ts';
import { fullDiskFrom, killAfterChange } from './file-changes.ts';
import { type Place, renewalAt } from './renewal-parts.ts';
import { ShiftedClock } from './shifted-clock.ts';

/** What a process of its own is told, as JSON in its first argument. */
export interface Task {
  readonly place: Place;
  /** After how many changes of the file system it ends itself; without, it runs until somebody else ends it. */
  readonly kill?: number;
  /** At which of its writes the disk is full. */
  readonly full?: number;
  /** As the daemon does it, not as a person's command. */
  readonly daemon?: boolean;
  /** On a clock that waits for nothing. */
  readonly hurried?: boolean;
}

const silent = () => undefined;

async function run({ place, kill, full, daemon, hurried }: Task): Promise<void> {
  if (kill !== undefined) await killAfterChange(kill);
  if (full !== undefined) await fullDiskFrom(full);
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
