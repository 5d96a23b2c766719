import { randomBytes } from 'node:crypto';
import { once, setMaxListeners } from 'node:events';
import { Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';

export interface AttackOn {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
}

export interface Attackers {
  readonly count: number;
  /** Every second attacker guesses the passwords of these; the others try names that nobody has. */
  readonly names: readonly string[];
  /** Each attacker says by X-Forwarded-For that it is somewhere else; else all come from here. */
  readonly spread: boolean;
}

export interface Attack {
  /** How often each status was answered. */
  readonly answers: ReadonlyMap<number, number>;
  /** What became of guesses that were not answered. */
  readonly failed: readonly string[];
  /** At once: what is not answered yet is given up. */
  readonly stop: () => Promise<void>;
}

/** Guesses as fast as it is answered, each attacker on a connection of its own, each time another password. */
export function startAttack(target: AttackOn, { count, names, spread }: Attackers): Attack {
  const answers = new Map<number, number>();
  const failed: string[] = [];
  const stopped = new AbortController();
  setMaxListeners(count, stopped.signal);
  const attack = async (number: number) => {
    const ask = asker(
      target,
      stopped.signal,
      spread ? { 'x-forwarded-for': `198.51.100.${number + 1}` } : {},
    );
    while (!stopped.signal.aborted) {
      const name = (number % 2 === 0 ? names[(number / 2) % names.length] : undefined) ?? nobody();
      try {
        const status = await ask(`${name}:${nobody()}`);
        answers.set(status, (answers.get(status) ?? 0) + 1);
      } catch (error) {
        if (!stopped.signal.aborted) failed.push(String(error));
      }
    }
  };
  const attacking = Promise.all(Array.from({ length: count }, (_, number) => attack(number)));
  return {
    answers,
    failed,
    stop: async () => {
      stopped.abort();
      await attacking;
    },
  };
}

function nobody(): string {
  return randomBytes(9).toString('base64url');
}

function asker(
  { scheme, host, port }: AttackOn,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>>,
) {
  const options = { host, port, path: '/v2/', headers, signal };
  const tls = new TlsAgent({ keepAlive: true, rejectUnauthorized: false });
  const plain = new PlainAgent({ keepAlive: true });
  return async (auth: string): Promise<number> => {
    const asked =
      scheme === 'https'
        ? tlsRequest({ ...options, auth, agent: tls })
        : plainRequest({ ...options, auth, agent: plain });
    asked.end();
    const [answer] = await once(asked, 'response');
    answer.resume();
    await once(answer, 'end');
    return answer.statusCode;
  };
}
