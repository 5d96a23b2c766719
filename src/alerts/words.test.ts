import { expect, test } from 'vitest';
import { certificateOf, failureSince, situation } from '../../test/support/situation.ts';
import { type Alert, dueAlerts, type Situation } from './alert.ts';
import { severity, text, title } from './words.ts';

const DAY = 24 * 3_600_000;
const start = new Date('2027-01-01T00:00:00Z');
const certificate = certificateOf(start, 90 * DAY);
const at = (day: number) => new Date(start.getTime() + day * DAY);

function only(kind: Alert['kind'], now: Date, of: Situation, failing = false): Alert {
  const alert = dueAlerts(of, now, { failing }).find((each) => each.kind === kind);
  if (alert === undefined) throw new Error(`no alert ${kind}`);
  return alert;
}

test('a certificate that runs out: until when, since when, why, and what to do', () => {
  const alert = only(
    'expiring',
    at(61),
    situation(certificate, failureSince(at(60), 'port 80 is closed', 4)),
  );
  expect(title(alert)).toBe('r.example: the certificate expires in 29 days');
  expect(text(alert)).toBe(
    [
      'The certificate of r.example is valid until 2027-04-01 00:00 UTC. Its renewal was due on 2027-03-02 00:00 UTC and has not succeeded.',
      '4 attempts in a row have failed, the first at 2027-03-02 00:00 UTC. The last one said:',
      'port 80 is closed',
      'The next attempt is at 2027-03-02 00:01 UTC.',
      'What to do, in the folder of Moorage:\n  npm run renew                  tries at once, and says what is wrong\n  cat var/ledger.jsonl           shows what was tried and when',
    ].join('\n\n'),
  );
});

test.each([
  [60.1, 'expires in 29 days', 'warning'],
  [88.5, 'expires in 36 hours', 'critical'],
  [89.95, 'expires in 72 minutes', 'critical'],
  [89.9999, 'expires in 9 seconds', 'critical'],
  [90, 'has expired', 'critical'],
  [95, 'has expired', 'critical'],
])('on day %d of 90 it %s, and that is %s', (day, words, urgency) => {
  const alert = only('expiring', at(day), situation(certificate));
  expect(title(alert)).toContain(words);
  expect(severity(alert)).toBe(urgency);
});

test('a failure says that Moorage goes on by itself and how long there is time', () => {
  const alert = only('failing', at(60), situation(certificate, failureSince(at(60))));
  expect(title(alert)).toBe('r.example: the certificate could not be renewed');
  expect(text(alert)).toContain(
    'One attempt has failed, at 2027-03-02 00:00 UTC. The last one said:\n\nthe CA said no',
  );
  expect(text(alert)).toContain('is valid until 2027-04-01 00:00 UTC. Moorage goes on trying by itself');
  expect(text(alert)).toContain('npm run renew');
});

test('a failure without a certificate says so', () => {
  const alert = only('failing', start, situation(undefined, failureSince(start)));
  expect(text(alert)).toContain('There is no certificate yet that clients could trust.');
});

test('a recovery asks for nothing', () => {
  const alert = only('recovered', start, situation(certificate), true);
  expect(title(alert)).toBe('r.example: renewing the certificate works again');
  expect(text(alert)).toMatch(/valid until 2027-04-01 00:00 UTC\. Nothing is to be done\.$/);
  expect(severity(alert)).toBe('info');
});

test('what the CA said is cut to a readable length and keeps no control characters but line breaks', () => {
  const message = `a\u001b[31mred\r\nsecond line\u0000${'x'.repeat(5000)}`;
  const words = text(only('failing', start, situation(certificate, failureSince(start, message))));
  expect(words).toContain('a [31mred\nsecond line x');
  expect(words.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  expect(words.length).toBeLessThan(2000);
});

test('a title is one line', () => {
  const alert = only('failing', start, {
    ...situation(certificate, failureSince(start)),
    domain: 'r\r\n\tx',
  });
  expect(title(alert)).toBe('r x: the certificate could not be renewed');
});
