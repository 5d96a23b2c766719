import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, expect, test } from 'vitest';
import { certificateOf, failureSince, situation } from '../../test/support/situation.ts';
import { makeLeaf } from '../certificates/x509.ts';
import { Secret } from '../secret.ts';
import { type MailServer, parseSmtpUrl } from '../settings/alert-targets.ts';
import { type Alert, dueAlerts } from './alert.ts';
import { defaultSender, emailChannels, transportOptions } from './email.ts';

const start = new Date('2027-01-01T00:00:00Z');
const certificate = certificateOf(start, 90 * 24 * 3_600_000);
const FROM = 'moorage@r.example';

const servers: SMTPServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise<void>((done) => server.close(done));
});

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly secure: boolean;
  /** `false` without authentication. */
  readonly user: string | false | undefined;
  readonly content: string;
}

/** A real SMTP server on loopback; its certificate for STARTTLS is signed by nobody. */
async function serve(options: SMTPServerOptions = {}) {
  const mails: Mail[] = [];
  const { privateKey: key, certificate: cert } = await makeLeaf(['127.0.0.1'], new Date(), 1);
  const server = new SMTPServer({
    key,
    cert,
    authOptional: true,
    onAuth: ({ username, password }, _, done) =>
      password === 'right' ? done(null, { user: username }) : done(new Error(`no ${password}`)),
    onRcptTo: ({ address }, _, done) =>
      address.startsWith('nobody@')
        ? done(Object.assign(new Error('5.1.1 no such user'), { responseCode: 550 }))
        : done(),
    onData: async (stream, session, done) => {
      let content = '';
      for await (const chunk of stream) content += chunk;
      const { mailFrom, rcptTo } = session.envelope;
      const from = mailFrom === false ? '' : mailFrom.address;
      mails.push({
        from,
        to: rcptTo.map(({ address }) => address),
        secure: session.secure,
        user: session.user,
        content,
      });
      done();
    },
    ...options,
  });
  server.on('error', () => undefined); // clients that hang up
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  return { mails, port };
}

function mailServer(url: string): MailServer {
  const parsed = parseSmtpUrl(url);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

function send(url: string, alert: Alert, ...to: string[]): Promise<PromiseSettledResult<void>[]> {
  const channels = emailChannels(mailServer(url), FROM, to.length === 0 ? ['ops@r.example'] : to);
  return Promise.allSettled(channels.map((channel) => channel.send(alert)));
}

function alertOf(day: number, message = 'the CA said no', domain = 'r.example'): Alert {
  const now = new Date(start.getTime() + day * 24 * 3_600_000);
  const alert = dueAlerts({ ...situation(certificate, failureSince(start, message)), domain }, now, {
    failing: day > 1,
  })[0];
  if (alert === undefined) throw new Error('no alert');
  return alert;
}

test('a mail is plain text from Moorage to the person, encrypted where that is offered', async () => {
  const { port, mails } = await serve();
  expect(await send(`smtp://127.0.0.1:${port}`, alertOf(61))).toEqual([
    { status: 'fulfilled', value: undefined },
  ]);
  expect(mails).toMatchObject([{ from: FROM, to: ['ops@r.example'], secure: true, user: false }]);
  const content = mails[0]?.content ?? '';
  expect(content).toMatch(/^From: Moorage <moorage@r\.example>\r$/m);
  expect(content).toMatch(/^To: ops@r\.example\r$/m);
  expect(content).toMatch(/^Subject: r\.example: the certificate expires in 29 days\r$/m);
  expect(content).toMatch(/^Auto-Submitted: auto-generated\r$/m);
  expect(content).toMatch(/^Content-Type: text\/plain; charset=utf-8\r$/m);
  expect(content).toContain('npm run renew');
  expect(content).not.toMatch(/^Importance/m);
});

test('in a private network a server without TLS will do, with a password too', async () => {
  const { port, mails } = await serve({ disabledCommands: ['STARTTLS'], allowInsecureAuth: true });
  await send(`smtp://me:right@127.0.0.1:${port}`, alertOf(89));
  expect(mails).toMatchObject([{ secure: false, user: 'me' }]);
  expect(mails[0]?.content).toMatch(/^Importance: High\r$/m);
});

test('a wrong password is told without being repeated, though the server repeats it', async () => {
  const { port, mails } = await serve();
  const [result] = await send(`smtp://me:hunter2@127.0.0.1:${port}`, alertOf(61));
  expect(result).toMatchObject({
    status: 'rejected',
    reason: {
      code: 'alert-undelivered',
      message: `127.0.0.1:${port} did not accept the user and password (EAUTH)`,
    },
  });
  expect(mails).toEqual([]);
});

test('an address that is refused keeps nothing from the others', async () => {
  const { port, mails } = await serve();
  const results = await send(`smtp://127.0.0.1:${port}`, alertOf(61), 'nobody@r.example', 'ops@r.example');
  expect(results).toMatchObject([
    { status: 'rejected', reason: { message: `127.0.0.1:${port} said: 550 5.1.1 no such user` } },
    { status: 'fulfilled' },
  ]);
  expect(mails.map(({ to }) => to)).toEqual([['ops@r.example']]);
});

test('smtps is refused when nobody vouches for the server', async () => {
  const { port, mails } = await serve({ secure: true });
  const [result] = await send(`smtps://me:right@127.0.0.1:${port}`, alertOf(61));
  expect(result).toMatchObject({
    status: 'rejected',
    reason: { message: expect.stringMatching(/can't be used \(.*self.signed/) },
  });
  expect(mails).toEqual([]);
});

test('a server that is gone is told by its address', async () => {
  const { port } = await serve();
  const server = servers.pop();
  await new Promise<void>((done) => server?.close(done));
  const [result] = await send(`smtp://me:hunter2@127.0.0.1:${port}`, alertOf(61));
  expect(result).toMatchObject({
    status: 'rejected',
    reason: { message: expect.stringMatching(`^127.0.0.1:${port} can't be used \\(.*ECONNREFUSED`) },
  });
});

test('nothing in an alert becomes a header or an address', async () => {
  const { port, mails } = await serve();
  const evil = 'x\r\nBcc: evil@evil.example\r\n\r\n.\r\nMAIL FROM:<evil@evil.example>';
  await send(`smtp://127.0.0.1:${port}`, alertOf(0, evil, `r.example\r\nBcc: evil@evil.example`));
  expect(mails).toHaveLength(1);
  expect(mails[0]?.to).toEqual(['ops@r.example']);
  const [headers = ''] = (mails[0]?.content ?? '').split('\r\n\r\n');
  expect(headers).not.toMatch(/^Bcc/m);
});

test.each([
  ['smtps://me:pw@mail.example.com', { secure: true, requireTLS: false }, true],
  ['smtp://me:pw@mail.example.com', { secure: false, requireTLS: true }, true],
  ['smtp://mail.example.com:25', { secure: false, requireTLS: false }, true],
  ['smtp://me:pw@mail.lan', { secure: false, requireTLS: false }, false],
  ['smtps://me:pw@mail.lan', { secure: true, requireTLS: false }, true],
])('%s: TLS as it has to be for a password on that way', (url, expected, rejectUnauthorized) => {
  expect(transportOptions(mailServer(url))).toMatchObject({ ...expected, tls: { rejectUnauthorized } });
});

test.each([
  ['r.example', 'moorage@r.example'],
  ['localhost', 'moorage@localhost'],
  ['10.0.0.1', 'moorage@[10.0.0.1]'],
  ['fd00::1', 'moorage@[IPv6:fd00::1]'],
])('without ALERT_FROM the sender for %s is %s', (domain, sender) => {
  expect(defaultSender(domain)).toBe(sender);
});

test('each address is a channel of its own, in whatever case it is written', () => {
  const server = {
    host: 'mail',
    port: 25,
    implicitTls: false,
    credentials: { user: 'u', password: new Secret('p') },
  };
  const ids = emailChannels(server, FROM, ['a@r.example', 'b@r.example', 'A@r.example']).map(({ id }) => id);
  expect(ids[0]).toBe(ids[2]);
  expect(ids[0]).not.toBe(ids[1]);
});
