import type { RequestListener } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { certificateOf, failureSince, situation } from '../../test/support/situation.ts';
import { startWebServer } from '../../test/support/web-server.ts';
import { Secret } from '../secret.ts';
import { parseAlertUrl, type WebhookTarget } from '../settings/alert-targets.ts';
import { type Alert, dueAlerts } from './alert.ts';
import { webhookChannel } from './webhook.ts';

const DAY = 24 * 3_600_000;
const start = new Date('2027-01-01T00:00:00Z');
const certificate = certificateOf(start, 90 * DAY);
const at = (day: number) => new Date(start.getTime() + day * DAY);

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function serve(answer: RequestListener = (_, response) => response.end('ok')) {
  const server = await startWebServer(answer);
  stops.push(server.stop);
  return server;
}

function target(text: string): WebhookTarget {
  const parsed = parseAlertUrl(text);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

function alert(kind: Alert['kind'], day = 61, message = 'a < b & c'): Alert {
  const failure = kind === 'recovered' ? undefined : failureSince(at(60), message, 2);
  const alerts = dueAlerts(situation(certificate, failure), at(day), { failing: kind === 'recovered' });
  const found = alerts.find((each) => each.kind === kind);
  if (found === undefined) throw new Error(`no alert ${kind}`);
  return found;
}

test('a plain webhook gets facts for programs and words for people', async () => {
  const { host, received } = await serve();
  await webhookChannel(target(`http://${host}/hooks/TOKEN?x=1`)).send(alert('expiring'));
  const [{ method, path, headers, body } = { method: '', path: '', headers: {}, body: '{}' }] = received;
  expect([method, path, headers['content-type']]).toEqual(['POST', '/hooks/TOKEN?x=1', 'application/json']);
  expect(headers.authorization).toBeUndefined();
  expect(JSON.parse(body)).toEqual({
    event: 'expiring',
    severity: 'warning',
    domain: 'r.example',
    title: 'r.example: the certificate expires in 29 days',
    message: expect.stringContaining('a < b & c'),
    text: expect.stringMatching(/^r\.example: the certificate expires in 29 days\n\nThe certificate of/),
    at: '2027-03-03T00:00:00.000Z',
    expires: '2027-04-01T00:00:00.000Z',
    mark: 'third',
    failures: 2,
    nextAttempt: '2027-03-02T00:01:00.000Z',
    disk: null,
  });
});

test('a recovery tells programs that there are no failures', async () => {
  const { host, received } = await serve();
  await webhookChannel(target(`http://${host}/`)).send(alert('recovered'));
  expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({
    event: 'recovered',
    severity: 'info',
    mark: null,
    failures: 0,
    nextAttempt: null,
  });
});

test('Slack gets its text alone, and nothing in it is markup of Slack’s', async () => {
  const { host, received } = await serve();
  const url = new Secret(`http://${host}/services/T0/B0/TOKEN`);
  const slack = webhookChannel({ kind: 'slack', url, host: 'hooks.slack.com', authorization: undefined });
  await slack.send(alert('failing', 61, '<!channel> & <https://evil.example|click>'));
  const body = JSON.parse(received[0]?.body ?? '');
  expect(Object.keys(body)).toEqual(['text']);
  expect(body.text).toMatch(/^\*r\.example: the certificate could not be renewed\*\n/);
  expect(body.text).toContain('&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;');
});

test.each([
  ['recovered', 61, 3, 'white_check_mark'],
  ['failing', 61, 4, 'warning'],
  ['expiring', 61, 4, 'warning'],
  ['expiring', 89, 5, 'rotating_light'],
] as const)('ntfy gets %s on day %d at its root, with the priority %d', async (kind, day, priority, tag) => {
  const { host, received } = await serve();
  await webhookChannel(target(`ntfy+http://${host}/my-topic`)).send(alert(kind, day));
  expect(received[0]?.path).toBe('/');
  expect(JSON.parse(received[0]?.body ?? '')).toEqual({
    topic: 'my-topic',
    title: expect.stringMatching(/^r\.example: /),
    message: expect.stringContaining('r.example'),
    priority,
    tags: [tag],
  });
});

test('user and password go in a header', async () => {
  const { host, received } = await serve();
  await webhookChannel(target(`http://me:pass@${host}/`)).send(alert('failing'));
  await webhookChannel(target(`ntfy+http://:tk_1@${host}/topic`)).send(alert('failing'));
  expect(received.map(({ headers }) => headers.authorization)).toEqual(['Basic bWU6cGFzcw==', 'Bearer tk_1']);
});

test.each([
  [400, 'it answered 400'],
  [404, 'it answered 404'],
  [429, 'it answered 429'],
  [500, 'it answered 500'],
])('an answer of %d is no delivery, and neither token nor answer is repeated', async (status, message) => {
  const { host } = await serve((_, response) => response.writeHead(status).end('TOKEN is wrong'));
  const sent = webhookChannel(target(`http://me:TOKEN@${host}/TOKEN?TOKEN`)).send(alert('failing'));
  await expect(sent).rejects.toMatchObject({ code: 'alert-undelivered', message });
});

test.each([301, 302, 303, 307, 308])('a redirect (%d) is followed nowhere', async (status) => {
  const elsewhere = await serve();
  const { host } = await serve((_, response) =>
    response.writeHead(status, { location: `http://${elsewhere.host}/` }).end(),
  );
  const sent = webhookChannel(target(`http://${host}/`)).send(alert('failing'));
  await expect(sent).rejects.toMatchObject({ message: `it answered with a redirect (${status})` });
  expect(elsewhere.received).toEqual([]);
});

test('a server that is gone, one that hangs up and one that is silent are told apart; the URL is not told', async () => {
  const gone = await serve();
  await stops.pop()?.();
  const channel = webhookChannel(target(`http://${gone.host}/TOKEN`));
  await expect(channel.send(alert('failing'))).rejects.toMatchObject({
    message: 'no connection (ECONNREFUSED)',
  });

  const rude = await serve((request) => request.socket.destroy());
  const hungUp = await webhookChannel(target(`http://${rude.host}/TOKEN`))
    .send(alert('failing'))
    .catch((error) => error.message);
  expect(hungUp).toMatch(/^no connection/);
  expect(hungUp).not.toContain('TOKEN');

  const silent = await serve(() => undefined);
  await expect(
    webhookChannel(target(`http://${silent.host}/TOKEN`), 50).send(alert('failing')),
  ).rejects.toMatchObject({ message: 'it did not answer within 0.05 seconds' });
});

test('a channel is known by its target, without giving it away', () => {
  const one = webhookChannel(target('https://hooks.slack.com/services/TOKEN'));
  expect(one.id).toBe(webhookChannel(target('https://hooks.slack.com/services/TOKEN')).id);
  expect(one.id).not.toBe(webhookChannel(target('https://hooks.slack.com/services/OTHER')).id);
  expect(webhookChannel(target('https://ntfy.sh/a')).id).not.toBe(
    webhookChannel(target('https://ntfy.sh/b')).id,
  );
  expect(JSON.stringify(one)).not.toContain('TOKEN');
  expect(one.name).toBe('hooks.slack.com');
});
