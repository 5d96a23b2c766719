import type { Standing } from '../certificates/keeper.ts';
import { Ledger } from '../certificates/ledger.ts';
import { renewalMetrics } from '../certificates/metrics.ts';
import { unfinishedCommands } from '../journal.ts';
import type { Settings } from '../settings/settings.ts';
import { writeMetrics } from '../system/metrics-file.ts';
import type { App } from './app.ts';

/** Leaves for the exporter what the daemon has seen at its last look. */
export async function writeRenewalMetrics(
  { paths, clock }: Pick<App, 'paths' | 'clock'>,
  { issuer }: Pick<Settings, 'issuer'>,
  standing: Standing,
): Promise<void> {
  const [ledger, found] = await Promise.all([
    new Ledger(paths.ledger, clock).read(),
    unfinishedCommands(paths.journals, clock),
  ]);
  const begun = found.map(({ command, reached: at }) => ({ command, at }));
  await writeMetrics(paths.metrics, 'renewer', await renewalMetrics({ ...standing, issuer, ledger, begun }));
}
