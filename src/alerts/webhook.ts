import { systemCode, unreachable } from '../errors.ts';
import type { WebhookTarget } from '../settings/alert-targets.ts';
import type { Alert } from './alert.ts';
import { type Channel, channelId, undelivered } from './channel.ts';
import { severity, text, title } from './words.ts';

/** Chat services answer within a second; the daemon's next look must not wait for a dead one. */
const ANSWER_WITHIN = 10_000;

/** Posts alerts as JSON, in the shape that the target understands. Of its URL nothing but the host is ever told. */
export function webhookChannel(target: WebhookTarget, timeout = ANSWER_WITHIN): Channel {
  const topic = target.kind === 'ntfy' ? target.topic.reveal() : '';
  return {
    id: channelId(target.kind, target.url.reveal(), topic),
    name: target.host,
    send: (alert) => post(target, body(target, alert), timeout),
  };
}

async function post(target: WebhookTarget, content: object, timeout: number): Promise<void> {
  const authorization = target.authorization?.reveal();
  let response: Response;
  try {
    response = await fetch(target.url.reveal(), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'moorage',
        ...(authorization === undefined ? {} : { authorization }),
      },
      body: JSON.stringify(content),
      // A redirect may turn the POST into a GET, which is answered and delivers nothing; and it may lead off TLS.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeout),
    });
    await response.body?.cancel();
  } catch (error) {
    throw undelivered(reason(error, timeout), 'It is tried again at the next look.');
  }
  if (response.ok) return;
  if (response.status >= 300 && response.status < 400) {
    throw undelivered(
      `it answered with a redirect (${response.status})`,
      'Set ALERT_URL to where it leads: alerts follow none.',
    );
  }
  throw undelivered(`it answered ${response.status}`, 'Check ALERT_URL; it is tried again at the next look.');
}

/** The code alone: a message could hold the URL. */
function reason(error: unknown, timeout: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return `it did not answer within ${timeout / 1000} seconds`;
  }
  const code = error instanceof Error ? systemCode(error.cause) : undefined;
  return code === undefined ? 'no connection' : `no connection (${code})`;
}

function body(target: WebhookTarget, alert: Alert): object {
  switch (target.kind) {
    case 'slack':
      return slack(alert);
    case 'ntfy':
      return ntfy(target.topic.reveal(), alert);
    case 'json':
      return json(alert);
    default:
      return unreachable(target);
  }
}

/** https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks; these three characters are its markup. */
function slack(alert: Alert): object {
  const escaped = (plain: string) =>
    plain.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return { text: `*${escaped(title(alert))}*\n${escaped(text(alert))}` };
}

const NTFY_LOOK = {
  info: { priority: 3, tags: ['white_check_mark'] },
  warning: { priority: 4, tags: ['warning'] },
  critical: { priority: 5, tags: ['rotating_light'] },
};

/** https://docs.ntfy.sh/publish/#publish-as-json */
function ntfy(topic: string, alert: Alert): object {
  return { topic, title: title(alert), message: text(alert), ...NTFY_LOOK[severity(alert)] };
}

/** Facts for programs, words for people; of all this Mattermost takes `text` and leaves the rest. */
function json(alert: Alert): object {
  return {
    event: alert.kind,
    severity: severity(alert),
    domain: alert.domain,
    title: title(alert),
    message: text(alert),
    text: `${title(alert)}\n\n${text(alert)}`,
    at: alert.at.toISOString(),
    expires: alert.certificate?.notAfter.toISOString() ?? null,
    mark: alert.kind === 'expiring' ? alert.mark : null,
    failures: alert.failure?.count ?? 0,
    nextAttempt: alert.failure?.nextAttempt.toISOString() ?? null,
    disk: 'disk' in alert ? alert.disk : null,
  };
}
