import { readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { backupMetrics } from '../../src/backup/metrics.ts';
import { renewalMetrics } from '../../src/certificates/metrics.ts';
import { collect } from '../../src/exporter/collect.ts';
import { GateMetrics } from '../../src/gate/metrics.ts';
import { paths } from '../../src/paths.ts';
import { systemClock } from '../../src/system/clock.ts';
import { documentedMetrics } from '../support/documented-metrics.ts';

const read = (file: string) => readFileSync(join(paths().root, file), 'utf8');
const page = read('docs/monitoring.md');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
const rules: readonly Rule[] = parse(read('monitoring/rules.yml')).groups.flatMap(
  (group: { rules: Rule[] }) => group.rules,
);

async function exported(): Promise<readonly string[]> {
  const nothing = await mkdtemp(join(tmpdir(), 'nothing-'));
  const folders = { stack: nothing, state: nothing };
  const texts = await Promise.all([
    new GateMetrics().text({ throttled: { origins: 0, names: 0 }, space: undefined, rulesInForce: true }),
    renewalMetrics({
      certificate: undefined,
      failure: undefined,
      plain: false,
      issuer: 'local',
      ledger: [],
      begun: [],
    }),
    backupMetrics(new Date(0)),
    collect({ folders, running: [], shake: undefined, clock: systemClock }),
  ]);
  const typed = [...texts.join('\n').matchAll(/^# TYPE (\S+) /gm)].map(([, name = '']) => name);
  const told = [...read('registry/config/health.sh').matchAll(/tell (\w+) /g)].map(([, name = '']) => name);
  return [...typed, ...told];
}

test('docs/monitoring.md has every metric of our own, and none that there is not', async () => {
  expect([...(await documentedMetrics())].sort()).toEqual([...new Set(await exported())].sort());
});

test('rules are about metrics that there are', async () => {
  const known = await exported();
  for (const { alert, expr } of rules)
    for (const [metric] of expr.matchAll(/\bmoorage_\w+/g)) expect(known, alert).toContain(metric);
});

test('docs/monitoring.md has every alert, and each says how bad it is, what is wrong and what to do', () => {
  const told = [...page.matchAll(/^\| `(Moorage\w+)`/gm)].map(([, name]) => name);
  expect(told).toEqual(rules.map(({ alert }) => alert));
  for (const { labels, annotations } of rules) {
    expect(['warning', 'critical']).toContain(labels.severity);
    expect(annotations).toEqual({ summary: expect.any(String), description: expect.any(String) });
  }
});

test('each alert has series for which it fires, and others for which it does not', () => {
  type Expected = { expr: string; exp_samples: unknown[] };
  const tests: { promql_expr_test: Expected[] }[] = parse(read('monitoring/rules.test.yml')).tests;
  const expected = tests.flatMap(({ promql_expr_test }) => promql_expr_test);
  for (const { alert } of rules) {
    const about = expected.filter(({ expr }) => expr.includes(`alertname="${alert}"`));
    expect(new Set(about.map(({ exp_samples }) => exp_samples.length > 0)), alert).toEqual(
      new Set([true, false]),
    );
  }
});
