import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { certificateOf, failureSince, situation } from '../../test/support/situation.ts';
import type { Alert } from './alert.ts';
import { Alerter } from './alerter.ts';
import { type Channel, undelivered } from './channel.ts';

const DAY = 24 * 3_600_000;
const start = new Date('2027-01-01T00:00:00Z');
const certificate = certificateOf(start, 90 * DAY);
const failing = situation(certificate, failureSince(start));
const well = situation(certificate);

class FakeChannel implements Channel {
  readonly id: string;
  readonly name: string;
  readonly heard: Alert[] = [];
  broken: Error | undefined;

  constructor(name: string) {
    this.id = `fake-${name}`;
    this.name = name;
  }

  async send(alert: Alert): Promise<void> {
    if (this.broken !== undefined) throw this.broken;
    this.heard.push(alert);
  }

  get kinds(): string[] {
    return this.heard.map(({ kind }) => kind);
  }
}

async function setUp() {
  const path = join(await mkdtemp(join(tmpdir(), 'moorage-alerts-')), 'alerts.json');
  const clock = new FakeClock(start.toISOString());
  const [a, b] = [new FakeChannel('a'), new FakeChannel('b')];
  const restarted = (channels: Channel[] = [a, b]) => new Alerter({ path, channels, clock });
  return { path, clock, a, b, restarted };
}

test('every channel is told once, over restarts too, and the log says so', async () => {
  const { a, b, restarted } = await setUp();
  expect(await restarted().look(failing)).toEqual([
    'alert sent to a: r.example: the certificate could not be renewed',
    'alert sent to b: r.example: the certificate could not be renewed',
  ]);
  expect(await restarted().look(failing)).toEqual([]);
  await restarted().look(well);
  expect([a.kinds, b.kinds]).toEqual([
    ['failing', 'recovered'],
    ['failing', 'recovered'],
  ]);
});

test('a channel that could not be reached is tried again at the next look; the other is not told twice', async () => {
  const { a, b, restarted } = await setUp();
  const alerter = restarted();
  a.broken = undelivered('it answered 503', 'It is tried again.');
  expect(await alerter.look(failing)).toContain(
    'alert could not be sent to a: it answered 503. It is tried again.',
  );
  a.broken = undefined;
  await alerter.look(failing);
  expect([a.kinds, b.kinds]).toEqual([['failing'], ['failing']]);
});

test('a failure that was over before it could be told is told by nobody', async () => {
  const { a, restarted } = await setUp();
  const alerter = restarted();
  a.broken = undelivered('no connection', '');
  await alerter.look(failing);
  a.broken = undefined;
  await alerter.look(well);
  expect(a.kinds).toEqual([]);
});

test('a channel that throws what nobody expected stops nothing, and its words stay out of the log', async () => {
  const { a, b, restarted } = await setUp();
  a.broken = new TypeError('https://hooks.example/TOKEN is no URL');
  const lines = await restarted().look(failing);
  expect(lines).toContain('alert could not be sent to a: unexpected TypeError');
  expect(lines.join()).not.toContain('TOKEN');
  expect(b.kinds).toEqual(['failing']);
});

test('a new channel hears how things stand; one that is gone leaves no record', async () => {
  const { path, a, b, restarted } = await setUp();
  await restarted([a]).look(failing);
  await restarted([b]).look(failing);
  expect([a.kinds, b.kinds]).toEqual([['failing'], ['failing']]);
  expect(Object.keys(JSON.parse(await readFile(path, 'utf8')))).toEqual(['fake-b']);
});

test('the record is for its owner alone, and is written only when it changes', async () => {
  const { path, restarted } = await setUp();
  const alerter = restarted();
  await alerter.look(failing);
  const before = await stat(path);
  expect(before.mode & 0o777).toBe(0o600);
  await alerter.look(failing);
  expect((await stat(path)).ino).toBe(before.ino);
});

test.each([
  ['half of it', '{"fake-a":{"fail'],
  ['nothing', ''],
  ['something else', '{"fake-a":{"failing":"yes"}}'],
  ['a list', '[1]'],
])('a record that holds %s stops no alert and repeats none', async (_, content) => {
  const { path, a, restarted } = await setUp();
  await writeFile(path, content);
  const alerter = restarted([a]);
  expect((await alerter.look(failing))[0]).toMatch(/begins anew/);
  expect(await alerter.look(failing)).toEqual([]);
  expect(await restarted([a]).look(failing)).toEqual([]);
  expect(a.kinds).toEqual(['failing']);
});

test('a record that can’t be written stops no alert and repeats none', async () => {
  const { path, clock, a } = await setUp();
  await writeFile(path, '');
  const alerter = new Alerter({ path: join(path, 'alerts.json'), channels: [a], clock });
  expect((await alerter.look(failing)).at(-1)).toMatch(/could not be written/);
  await alerter.look(failing);
  expect(a.kinds).toEqual(['failing']);
});

type Step =
  | { readonly kind: 'wait'; readonly days: number }
  | { readonly kind: 'renew' | 'fail' | 'restart' }
  | { readonly kind: 'break' | 'mend'; readonly channel: 'a' | 'b' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), days: fc.integer({ min: 1, max: 40 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('renew' as const, 'fail' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  fc.record({
    kind: fc.constantFrom('break' as const, 'mend' as const),
    channel: fc.constantFrom('a' as const, 'b' as const),
  }),
);

test('whatever happens, each channel hears each mark of a certificate once, and of failure and recovery in turn', async () => {
  let alerts = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
      const { clock, a, b, restarted } = await setUp();
      let alerter = restarted();
      let issued = 1;
      let current = certificateOf(start, 90 * DAY, 'certificate-1');
      let failure: ReturnType<typeof failureSince> | undefined;
      for (const each of steps) {
        if (each.kind === 'wait') await clock.sleep(each.days * DAY);
        if (each.kind === 'restart') alerter = restarted();
        if (each.kind === 'fail')
          failure = failureSince(failure?.since ?? clock.now(), 'no', (failure?.count ?? 0) + 1);
        if (each.kind === 'break') (each.channel === 'a' ? a : b).broken = undelivered('it answered 500', '');
        if (each.kind === 'mend') (each.channel === 'a' ? a : b).broken = undefined;
        if (each.kind === 'renew') {
          issued += 1;
          current = certificateOf(clock.now(), 90 * DAY, `certificate-${issued}`);
          failure = undefined;
        }
        await alerter.look(situation(current, failure));
      }
      for (const { heard } of [a, b]) {
        alerts += heard.length;
        const marks = heard.flatMap((alert) =>
          alert.kind === 'expiring' ? [`${alert.certificate.fingerprint} ${alert.mark}`] : [],
        );
        expect(new Set(marks).size).toBe(marks.length);
        const others = heard.map(({ kind }) => kind).filter((kind) => kind !== 'expiring');
        expect(others).toEqual(others.map((_, index) => (index % 2 === 0 ? 'failing' : 'recovered')));
      }
      // Nothing is lost either: once all channels work, a look leaves nothing untold.
      for (const channel of [a, b]) channel.broken = undefined;
      await alerter.look(situation(current, failure));
      for (const { kinds } of [a, b]) {
        const last = kinds.filter((kind) => kind !== 'expiring').at(-1) ?? 'recovered';
        expect(last).toBe(failure === undefined ? 'recovered' : 'failing');
      }
      expect(await restarted().look(situation(current, failure))).toEqual([]);
    }),
    { numRuns: 60 },
  );
  expect(alerts).toBeGreaterThan(100);
});
