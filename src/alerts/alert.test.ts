import fc from 'fast-check';
import { expect, test } from 'vitest';
import { certificateOf, failureSince, situation } from '../../test/support/situation.ts';
import { type Alert, afterTelling, type CertificateFacts, dueAlerts, type Told } from './alert.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const start = new Date('2027-01-01T00:00:00Z');
const nothing: Told = { failing: false };
const after = (milliseconds: number) => new Date(start.getTime() + milliseconds);

function tell(told: Told, alert: Alert | undefined): Told {
  return alert === undefined ? told : afterTelling(told, alert);
}

/** What is told of a certificate, and when, by somebody who looks `looks` times in its life and after it. */
function history(certificate: CertificateFacts, looks = 10_000): [mark: string, hoursLeft: number][] {
  const lifetime = certificate.notAfter.getTime() - start.getTime();
  const heard: [string, number][] = [];
  let told = nothing;
  for (let look = 0; look <= looks * 1.1; look += 1) {
    const now = after((lifetime * look) / looks);
    for (const alert of dueAlerts(situation(certificate), now, told)) {
      if (alert.kind !== 'expiring') throw new Error(alert.kind);
      heard.push([alert.mark, (certificate.notAfter.getTime() - now.getTime()) / HOUR]);
      told = afterTelling(told, alert);
    }
  }
  return heard;
}

test.each<[string, number, [string, number][]]>([
  [
    '90 days',
    90 * DAY,
    [
      ['third', 30 * 24],
      ['sixth', 15 * 24],
      ['last-48h', 48],
    ],
  ],
  [
    '45 days',
    45 * DAY,
    [
      ['third', 15 * 24],
      ['sixth', 7.5 * 24],
      ['last-48h', 48],
    ],
  ],
  [
    '160 hours',
    160 * HOUR,
    [
      ['third', 160 / 3],
      ['sixth', 160 / 6],
    ],
  ],
  [
    '60 seconds',
    60_000,
    [
      ['third', 1 / 180],
      ['sixth', 1 / 360],
    ],
  ],
  [
    'exactly twelve days, where 48 hours are a sixth',
    288 * HOUR,
    [
      ['third', 96],
      ['sixth', 48],
    ],
  ],
])('a certificate for %s that nobody renews is told of at its marks, each once', (_, lifetime, expected) => {
  const heard = history(certificateOf(start, lifetime));
  expect(heard.map(([mark]) => mark)).toEqual(expected.map(([mark]) => mark));
  for (const [index, [, hours]] of expected.entries()) {
    const late = hours - (heard[index]?.[1] ?? 0);
    expect(late).toBeGreaterThanOrEqual(-1e-9);
    expect(late).toBeLessThanOrEqual(1.5);
  }
});

test.each([
  ['60 seconds', 60_000],
  ['100 hours', 100 * HOUR],
  ['160 hours', 160 * HOUR],
  ['90 days', 90 * DAY],
])('a certificate for %s is no news until its renewal has had its chance', (_, lifetime) => {
  const certificate = certificateOf(start, lifetime);
  for (const at of [
    start,
    certificate.renewalDue,
    new Date(certificate.renewalDue.getTime() + lifetime / 1e4),
  ]) {
    expect(dueAlerts(situation(certificate), at, nothing)).toEqual([]);
  }
});

test('a renewal that is planned late shifts the first mark, and hides no alarm', () => {
  const planned = (day: number) => ({ ...certificateOf(start, 90 * DAY), renewalDue: after(day * DAY) });
  expect(history(planned(70)).map(([mark]) => mark)).toEqual(['third', 'sixth', 'last-48h']);
  expect(history(planned(70))[0]?.[1]).toBeLessThan(20 * 24);
  expect(history(planned(500)).map(([mark]) => mark)).toEqual(['sixth', 'last-48h']);
});

test('after a long sleep only the most urgent mark is told', () => {
  const certificate = certificateOf(start, 90 * DAY);
  const [alert, ...more] = dueAlerts(situation(certificate), after(89 * DAY), nothing);
  expect(alert).toMatchObject({ kind: 'expiring', mark: 'last-48h' });
  expect(more).toEqual([]);
  const told = tell(nothing, alert);
  expect(dueAlerts(situation(certificate), after(61 * DAY), told)).toEqual([]); // the clock was set back
  expect(dueAlerts(situation(certificate), after(100 * DAY), told)).toEqual([]);
});

test('another certificate has marks of its own', () => {
  const told: Told = { certificate: { fingerprint: 'AA', mark: 'last-48h' }, failing: false };
  const next = situation(certificateOf(start, 90 * DAY, 'BB'));
  expect(dueAlerts(next, after(61 * DAY), told)).toMatchObject([{ kind: 'expiring', mark: 'third' }]);
});

test('failures are told when they begin and when they end, not in between', () => {
  const failing = situation(certificateOf(start, 90 * DAY), failureSince(start));
  const [first, ...more] = dueAlerts(failing, start, nothing);
  expect(first?.kind).toBe('failing');
  expect(more).toEqual([]);
  const told = tell(nothing, first);
  expect(dueAlerts(failing, start, told)).toEqual([]);
  const [second] = dueAlerts(situation(certificateOf(start, 90 * DAY)), start, told);
  expect(second?.kind).toBe('recovered');
  expect(dueAlerts(situation(), start, tell(told, second))).toEqual([]);
});

test('who was told of no failure is told of no recovery', () => {
  expect(dueAlerts(situation(), start, nothing)).toEqual([]);
});

test('a failure without any certificate is told; marks need one', () => {
  const alerts = dueAlerts(situation(undefined, failureSince(start)), start, nothing);
  expect(alerts.map(({ kind }) => kind)).toEqual(['failing']);
});

test('whatever the lifetime, the plan and the time of looking: marks only come nearer to the end', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1000, max: 400 * DAY }),
      fc.double({ min: 0, max: 2, noNaN: true }),
      fc.array(fc.double({ min: 0, max: 1.5, noNaN: true }), { maxLength: 30 }),
      (lifetime, planned, looks) => {
        const certificate = { ...certificateOf(start, lifetime), renewalDue: after(lifetime * planned) };
        let told = nothing;
        const heard: string[] = [];
        for (const look of looks) {
          const alerts = dueAlerts(situation(certificate), after(lifetime * look), told);
          expect(alerts.length).toBeLessThanOrEqual(1);
          for (const alert of alerts) {
            heard.push(alert.kind === 'expiring' ? alert.mark : alert.kind);
            told = afterTelling(told, alert);
            expect(look).toBeGreaterThanOrEqual(0.66);
          }
        }
        const order = ['third', 'sixth', 'last-48h'];
        expect(heard).toEqual(order.filter((mark) => heard.includes(mark)));
        if (looks.some((look) => look >= 1)) expect(heard.length).toBeGreaterThan(0);
      },
    ),
  );
});
