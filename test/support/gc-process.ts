import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Step } from '../../src/collection/parts.ts';
import { systemClock } from '../../src/system/clock.ts';
import type { Checkout } from './checkout.ts';

/** The step that the journal says is being done; `undefined` without a journal. */
function stepInJournal({ root }: Checkout): string | undefined {
  try {
    return JSON.parse(readFileSync(join(root, 'var/journal/gc.json'), 'utf8')).step;
  } catch {
    return undefined; // not begun, or just ended
  }
}

/** Runs `npm run gc`, and ends it by a signal as soon as its journal names the step. Whether it came to that. */
export async function killGcAt(
  checkout: Checkout,
  step: Step,
  signal: NodeJS.Signals = 'SIGKILL',
): Promise<boolean> {
  const child = execa('node', ['--import', './scripts/setup.mjs', 'scripts/gc.ts'], {
    cwd: checkout.root,
    env: checkout.env,
    reject: false,
    stdin: 'ignore',
  });
  const ended = child.then(() => true);
  for (;;) {
    const over = await Promise.race([ended, systemClock.sleep(1).then(() => false)]);
    if (stepInJournal(checkout) === step) break;
    if (over) return false;
  }
  child.kill(signal);
  await ended;
  return stepInJournal(checkout) !== undefined;
}
