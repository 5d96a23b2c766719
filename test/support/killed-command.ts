import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { systemClock } from '../../src/system/clock.ts';
import { type Checkout, startOf } from './checkout.ts';

export interface Command {
  /** `npm run NAME`, and its journal. */
  readonly name: string;
  readonly args: readonly string[];
}

/** The step that the journal says is being done; `undefined` without a journal. */
function stepInJournal({ root }: Checkout, { name }: Command): string | undefined {
  try {
    return JSON.parse(readFileSync(join(root, `var/journal/${name}.json`), 'utf8')).step;
  } catch {
    return undefined; // not begun, or just ended
  }
}

/** Runs a command, and ends it by a signal as soon as its journal names the step. Whether it came to that. */
export async function killAt(
  checkout: Checkout,
  command: Command,
  step: string,
  signal: NodeJS.Signals = 'SIGKILL',
): Promise<boolean> {
  const script = startOf(command.name, ...command.args);
  const child = execa('node', script, {
    cwd: checkout.root,
    env: checkout.env,
    reject: false,
    stdin: 'ignore',
  });
  const ended = child.then(() => true);
  for (;;) {
    const over = await Promise.race([ended, systemClock.sleep(1).then(() => false)]);
    if (stepInJournal(checkout, command) === step) break;
    if (over) return false;
  }
  child.kill(signal);
  await ended;
  return stepInJournal(checkout, command) !== undefined;
}
