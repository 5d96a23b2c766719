import { connect, type Socket } from 'node:net';
import { Failure, messageOf, systemCode } from '../errors.ts';
import type { RedisServer } from '../settings/storage.ts';

const ANSWER_WITHIN = 5_000;

/**
 * Logs in as the registry will, and pings.
 * @throws Failure `redis-no-host`, `redis-silent`, `redis-login`, `redis-database`, `redis-unwell`
 */
export async function pingRedis(server: RedisServer): Promise<void> {
  const where = `Redis at ${server.host}:${server.port}`;
  const commands = [...login(server), ['SELECT', String(server.database)], ['PING']];
  let replies: readonly string[];
  try {
    replies = await converse(server, commands);
  } catch (error) {
    const gone = ['ENOTFOUND', 'EAI_AGAIN'].includes(systemCode(error) ?? '');
    throw new Failure(
      gone ? 'redis-no-host' : 'redis-silent',
      gone
        ? `There is no host ${server.host}, which REDIS_URL names.`
        : `${where} does not answer: ${messageOf(error)}.`,
      'Start it, let it listen on that address, or fix REDIS_URL. `REDIS_URL=stack` has Moorage start one.',
      { cause: error },
    );
  }
  const wrong = replies.find((reply) => !reply.startsWith('+'));
  if (wrong !== undefined) throw refused(where, server, wrong.replace(/^-/, ''));
}

export function login({ user, password }: RedisServer): string[][] {
  if (password === undefined) return [];
  return [['AUTH', ...(user === undefined ? [] : [user]), password.reveal()]];
}

/** Sends all commands at once and reads one line for each: RESP2, simple strings and errors (redis.io/docs/reference/protocol-spec). */
function converse({ host, port }: RedisServer, commands: readonly string[][]): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    let said = '';
    const socket: Socket = connect({ host, port }, () => socket.write(commands.map(encoded).join('')));
    const late = setTimeout(() => socket.destroy(new Error('no answer within 5 s')), ANSWER_WITHIN);
    socket.setEncoding('utf8');
    socket.once('error', reject);
    socket.once('close', () => {
      clearTimeout(late);
      reject(new Error('the connection was closed'));
    });
    socket.on('data', (chunk: string) => {
      said += chunk;
      const lines = said.split('\r\n').slice(0, -1);
      const refusal = lines.findIndex((line) => line.startsWith('-'));
      if (lines.length < commands.length && refusal < 0) return;
      resolve(lines);
      socket.destroy();
    });
  });
}

export function encoded(command: readonly string[]): string {
  const words = command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${command.length}\r\n${words.join('')}`;
}

function refused(where: string, { database }: RedisServer, said: string): Failure {
  const login = 'Fix the user and the password in REDIS_URL, redis://:password@host, then run this again.';
  if (/^NOAUTH/.test(said)) return new Failure('redis-login', `${where} wants a password.`, login);
  if (/^WRONGPASS|invalid (username|password)|^ERR AUTH|Client sent AUTH/i.test(said))
    return new Failure('redis-login', `${where} refuses the login of REDIS_URL: ${said}.`, login);
  if (/DB index/i.test(said))
    return new Failure(
      'redis-database',
      `${where} has no database ${database}.`,
      'End REDIS_URL with the number of one that it has, like /0, then run this again.',
    );
  if (/^DENIED/.test(said))
    return new Failure(
      'redis-login',
      `${where} is in protected mode: it talks to its own machine alone.`,
      'Give it a password (requirepass) and put that into REDIS_URL, then run this again.',
    );
  return new Failure(
    'redis-unwell',
    `${where} answered: ${said}.`,
    'Look into its log, then run this again.',
  );
}
