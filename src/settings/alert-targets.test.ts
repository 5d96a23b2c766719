import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAddresses, parseAlertUrl, parseSmtpUrl } from './alert-targets.ts';

/** The target with its secrets in the open: a comparison would not see them. */
function target(text: string) {
  const parsed = parseAlertUrl(text);
  if (typeof parsed === 'string') return parsed;
  return {
    ...parsed,
    url: parsed.url.reveal(),
    authorization: parsed.authorization?.reveal(),
    ...(parsed.kind === 'ntfy' && { topic: parsed.topic.reveal() }),
  };
}

test.each([
  ['https://hooks.slack.com/services/T0/B0/xyz', 'slack', 'hooks.slack.com'],
  ['https://discord.com/api/webhooks/1/xyz/slack', 'slack', 'discord.com'],
  ['https://discord.com/api/webhooks/1/xyz', 'json', 'discord.com'],
  ['https://chat.example/hooks/xyz', 'json', 'chat.example'],
  ['https://example.com:8443/', 'json', 'example.com:8443'],
  ['http://127.0.0.1:9000/hook', 'json', '127.0.0.1:9000'],
  ['http://[::1]:9000/hook', 'json', '[::1]:9000'],
  ['http://[fd00::1]/hook', 'json', '[fd00::1]'],
  ['http://192.168.1.5/hook', 'json', '192.168.1.5'],
  ['http://nas.lan/hook', 'json', 'nas.lan'],
  ['http://localhost/hook', 'json', 'localhost'],
])('%s is a webhook of the kind %s', (text, kind, host) => {
  expect(target(text)).toEqual({ kind, host, url: text, authorization: undefined });
});

test.each([
  ['https://ntfy.sh/my-topic', 'https://ntfy.sh/'],
  ['https://ntfy.sh/my-topic/', 'https://ntfy.sh/'],
  ['ntfy+https://ntfy.example:8443/my-topic', 'https://ntfy.example:8443/'],
  ['ntfy+http://nas.lan/my-topic', 'http://nas.lan/'],
  ['ntfy+https://ntfy.example/my-topic?auth=QmVhcmVy', 'https://ntfy.example/?auth=QmVhcmVy'],
])('%s is a topic of an ntfy server', (text, url) => {
  expect(target(text)).toMatchObject({ kind: 'ntfy', url, topic: 'my-topic', host: new URL(url).host });
});

test.each([
  ['https://me:p%40ss@hook.example/x', `Basic ${Buffer.from('me:p@ss').toString('base64')}`],
  ['https://:tk_token@hook.example/x', 'Bearer tk_token'],
])('what stands before the @ becomes a header and leaves the URL', (text, authorization) => {
  expect(target(text)).toMatchObject({ url: 'https://hook.example/x', authorization });
});

test.each([
  ['hooks.slack.com/services/SECRET', 'https://'],
  ['ftp://example.com/SECRET', 'https://'],
  ['http://example.com/SECRET', 'private'],
  ['http://8.8.8.8/SECRET', 'private'],
  ['ntfy+http://ntfy.sh/SECRET', 'private'],
  ['https://ntfy.sh/', 'topic'],
  ['https://ntfy.sh/SECRET/more', 'topic'],
  ['ntfy+https://host.example/SECRET!', 'topic'],
  ['https://u:SECRET%zz@example.com/', '%25'],
  ['https://:SECRET%0a@example.com/', 'token'],
])('as ALERT_URL %s is refused without being repeated', (text, reason) => {
  expect(target(text)).toEqual(expect.stringContaining(reason));
  expect(target(text)).not.toContain('SECRET');
});

test.each([
  ['smtps://host.example', 'host.example', 465, true],
  ['smtp://HOST.example', 'host.example', 587, false],
  ['smtp://host.example:25/', 'host.example', 25, false],
  ['smtp://[fd00::1]:25', 'fd00::1', 25, false],
  ['smtp://mail', 'mail', 587, false],
])('%s is a mail server', (text, host, port, implicitTls) => {
  expect(parseSmtpUrl(text)).toEqual({ host, port, implicitTls, credentials: undefined });
});

test('user and password of a mail server are decoded', () => {
  const server = parseSmtpUrl('smtps://me%40example.com:p%3Ass%25@host.example');
  if (typeof server === 'string') throw new Error(server);
  expect(server.credentials?.user).toBe('me@example.com');
  expect(server.credentials?.password.reveal()).toBe('p:ss%');
  expect(JSON.stringify(server)).not.toContain('p:ss%');
});

test.each([
  ['host.example:587', 'smtps://'],
  ['https://host.example', 'smtps://'],
  ['smtp://', 'smtps://'],
  ['smtps://me:SECRET#x@host.example', '%23'],
  ['smtps://me:SECRET%zz@host.example', '%25'],
  ['smtps://me@host.example', 'both'],
  ['smtps://:SECRET@host.example', 'both'],
  ['smtps://host.example/SECRET', 'end with'],
  ['smtps://host.example?pool=SECRET', 'end with'],
  ['smtp://ho_st', 'host name'],
])('as SMTP_URL %s is refused without being repeated', (text, reason) => {
  expect(parseSmtpUrl(text)).toEqual(expect.stringContaining(reason));
  expect(parseSmtpUrl(text)).not.toContain('SECRET');
});

test('addresses are separated by commas, and each counts once', () => {
  expect(parseAddresses('a@b.example, c+d@e.example,a@b.example')).toEqual(['a@b.example', 'c+d@e.example']);
  expect(parseAddresses('root@mailhost')).toEqual(['root@mailhost']);
});

test.each([
  'nobody',
  'a@b@c.example',
  'a@',
  '@b.example',
  'a@b.example,',
  'a b@c.example',
  '<a@b.example>',
  '"a"@b.example',
  'a@b.example\r\nBcc: x@y.example',
  'a@b.example>\r\nRCPT TO:<x@y.example',
  'ä@b.example',
  'a@10.0.0.1',
  'a@b.example;c@d.example',
])('%j is no list of addresses', (text) => {
  expect(parseAddresses(text)).toEqual(expect.stringContaining('is not an e-mail address'));
});

test('whatever is written, the answer is a value or a reason, and an address never breaks a line', () => {
  fc.assert(
    fc.property(fc.oneof(fc.webUrl({ withQueryParameters: true }), fc.string({ unit: 'binary' })), (text) => {
      parseAlertUrl(text);
      parseSmtpUrl(text.replace(/^https?/, 'smtp'));
    }),
  );
  fc.assert(
    fc.property(
      fc.string(),
      fc.constantFrom('\r', '\n', '\0', ' ', ',', '<', '>'),
      fc.string(),
      (a, bad, b) => {
        const parsed = parseAddresses(`${a}${bad}${b}@x.example`);
        if (typeof parsed !== 'string') for (const each of parsed) expect(each).toMatch(/^[\x21-\x7e]+$/);
      },
    ),
  );
});
