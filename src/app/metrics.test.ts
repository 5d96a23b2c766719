import { mkdir, mkdtemp, readFile, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { Ledger } from '../certificates/ledger.ts';
import { Journal } from '../journal.ts';
import { paths } from '../paths.ts';
import { writeRenewalMetrics } from './metrics.ts';

const clock = new FakeClock('2026-01-01T00:00:00Z');

test('the daemon leaves what it has seen, and which command has not come to its end', async () => {
  const places = paths(await mkdtemp(join(tmpdir(), 'metrics-')));
  await new Ledger(places.ledger, clock).add({ event: 'served', names: ['a.example'] });
  const gc = join(places.journals, 'gc.json');
  await new Journal(gc, clock).begin();
  await utimes(gc, 1_700_000_000, 1_700_000_000);
  await mkdir(join(places.journals, 'folder.json'));
  await writeFile(join(places.journals, '.gc.json.0f'), '');
  const standing = { certificate: undefined, failure: undefined, plain: false };
  await writeRenewalMetrics({ paths: places, clock }, { issuer: 'local' }, standing);
  const lines = (await readFile(join(places.metrics, 'renewer.prom'), 'utf8')).split('\n');
  const commands = lines.filter((line) => line.startsWith('moorage_command_'));
  expect(commands).toEqual(['moorage_command_unfinished_timestamp_seconds{command="gc"} 1700000000']);
  expect(lines).toContain('moorage_renewal_last_success_timestamp_seconds 1767225600');
});
