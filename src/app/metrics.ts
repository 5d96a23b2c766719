import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Standing } from '../certificates/keeper.ts';
import { Ledger } from '../certificates/ledger.ts';
import { renewalMetrics } from '../certificates/metrics.ts';
import type { Settings } from '../settings/settings.ts';
import { writeMetrics } from '../system/metrics-file.ts';
import type { App } from './app.ts';

const JOURNAL = /^([a-z][a-z-]{0,30})\.json$/;

/** Leaves for the exporter what the daemon has seen at its last look. */
export async function writeRenewalMetrics(
  { paths, clock }: Pick<App, 'paths' | 'clock'>,
  { issuer }: Pick<Settings, 'issuer'>,
  standing: Standing,
): Promise<void> {
  const [ledger, begun] = await Promise.all([
    new Ledger(paths.ledger, clock).read(),
    unfinished(paths.journals),
  ]);
  await writeMetrics(paths.metrics, 'renewer', await renewalMetrics({ ...standing, issuer, ledger, begun }));
}

/** Commands that have begun and not ended: each has a file here meanwhile, which it writes anew at each step. */
async function unfinished(journals: string): Promise<{ command: string; at: Date }[]> {
  const names = await readdir(journals).catch(() => []);
  const commands = names.map((name) => JOURNAL.exec(name)?.[1]).filter((name) => name !== undefined);
  const found = await Promise.all(
    commands.map(async (command) => {
      const facts = await stat(join(journals, `${command}.json`)).catch(() => undefined);
      return facts?.isFile() !== true ? [] : [{ command, at: facts.mtime }];
    }),
  );
  return found.flat();
}
