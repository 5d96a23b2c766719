import { isIP } from 'node:net';
import { createTransport } from 'nodemailer';
import { systemCode } from '../errors.ts';
import type { MailServer } from '../settings/alert-targets.ts';
import { isPrivateName } from '../settings/names.ts';
import type { Alert } from './alert.ts';
import { type Channel, channelId, undelivered } from './channel.ts';
import { severity, text, title } from './words.ts';

const ANSWER_WITHIN = 10_000;
/** A server may greet at once and think long about a message: spam filters do. */
const SILENCE_WITHIN = 30_000;

/** A channel for each address: one that is refused neither holds the others up nor has them told twice. */
export function emailChannels(server: MailServer, from: string, addresses: readonly string[]): Channel[] {
  return addresses.map((address) => ({
    id: channelId('email', address.toLowerCase()),
    name: address,
    send: (alert) => send(server, from, address, alert),
  }));
}

/** Who alerts come from when nobody is set. An address as domain is written as a literal (RFC 5321 section 4.1.3). */
export function defaultSender(domain: string): string {
  const family = isIP(domain);
  if (family === 0) return `moorage@${domain}`;
  return family === 4 ? `moorage@[${domain}]` : `moorage@[IPv6:${domain}]`;
}

/**
 * TLS is used wherever it is offered. Over a public network a password is never sent without it, and the server has to
 * prove its name. In a private one plain text is allowed, so a certificate that nobody vouches for is better still.
 */
export function transportOptions({ host, port, implicitTls, credentials }: MailServer) {
  const near = isPrivateName(host);
  return {
    host,
    port,
    secure: implicitTls,
    requireTLS: !implicitTls && !near && credentials !== undefined,
    tls: { rejectUnauthorized: implicitTls || !near },
    ...(credentials && { auth: { user: credentials.user, pass: credentials.password.reveal() } }),
    connectionTimeout: ANSWER_WITHIN,
    greetingTimeout: ANSWER_WITHIN,
    dnsTimeout: ANSWER_WITHIN,
    socketTimeout: SILENCE_WITHIN,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

async function send(server: MailServer, from: string, to: string, alert: Alert): Promise<void> {
  const transport = createTransport(transportOptions(server));
  try {
    await transport.sendMail({
      envelope: { from, to },
      from: { name: 'Moorage', address: from },
      to: { name: '', address: to },
      subject: title(alert),
      text: text(alert),
      priority: severity(alert) === 'critical' ? 'high' : 'normal',
      headers: { 'Auto-Submitted': 'auto-generated' }, // RFC 3834: no holiday notices in return
    });
  } catch (error) {
    throw undelivered(
      `${server.host}:${server.port} ${reason(error)}`,
      'Check SMTP_URL and ALERT_EMAIL; it is tried again at the next look.',
    );
  } finally {
    transport.close();
  }
}

/** What the server said, but for what it said to a password: that could be repeated in it. */
function reason(error: unknown): string {
  const code = systemCode(error) ?? 'no code';
  if (code === 'EAUTH' || code === 'ENOAUTH') return `did not accept the user and password (${code})`;
  const said = error instanceof Error && 'response' in error ? String(error.response) : '';
  if (said !== '') return `said: ${said.replace(/\p{Cc}+/gu, ' ').slice(0, 200)}`;
  return code === 'ETIMEDOUT' ? 'did not answer in time' : `can't be used (${detail(error, code)})`;
}

/** Node's own code says more than nodemailer's: a certificate's fault, a refused connection. */
function detail(error: unknown, code: string): string {
  const words = error instanceof Error ? error.message.replace(/\p{Cc}+/gu, ' ').slice(0, 200) : '';
  return words === '' ? code : `${code}: ${words}`;
}
