import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { moment } from '../../certificates/words.ts';
import { type Entry, Journal } from '../../journal.ts';
import { type Check, SOON } from '../check.ts';
import type { Context } from '../context.ts';
import { type Finding, fine, together, warning } from '../finding.ts';

export const interruptedCheck: Check<Context> = {
  name: 'interrupted',
  group: 'Stack',
  within: SOON,
  run: async ({ paths, clock }) => {
    const names = await readdir(paths.journals).catch(() => []);
    const entries = names
      .filter((name) => /^[a-z-]+\.json$/.test(name))
      .map(async (name) => {
        const entry = await new Journal(join(paths.journals, name), clock).interrupted();
        return entry === undefined ? [] : [judgeEntry(name.replace('.json', ''), entry)];
      });
    return together((await Promise.all(entries)).flat(), fine('no command was cut off'));
  },
};

/** A command that is at work now has such an entry, too. */
export function judgeEntry(command: string, { since, step }: Pick<Entry, 'since' | 'step'>): Finding {
  const at = step === '' ? '' : `, at "${step}"`;
  return warning(
    `npm run ${command} began ${moment(since)} and has not ended${at}`,
    `Unless it is at work now, run it again, and it goes on from there: npm run ${command}`,
  );
}
