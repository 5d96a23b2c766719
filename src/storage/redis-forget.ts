import { connect, type Socket } from 'node:net';
import { Failure, messageOf } from '../errors.ts';
import type { RedisServer } from '../settings/storage.ts';
import { encoded, login } from './redis.ts';

const ANSWER_WITHIN = 10_000;
/** What distribution keeps there (registry/storage/cache/redis). The database may be shared: nothing else is touched. */
const KEYS = ['blobs::sha*:*', 'repository::*::blobs*'];
const AT_ONCE = '500';

type Reply = string | number | null | readonly Reply[];

/**
 * Takes away what a registry remembers of its blobs in a Redis.
 * @returns how many keys that were
 * @throws Failure `redis-silent`
 */
export async function forgetInRedis(server: RedisServer): Promise<number> {
  let forgotten = 0;
  const conversation = new Conversation(server);
  try {
    for (const command of [...login(server), ['SELECT', String(server.database)]])
      await conversation.say(command);
    for (const pattern of KEYS) {
      let cursor = '0';
      do {
        const reply = await conversation.say(['SCAN', cursor, 'MATCH', pattern, 'COUNT', AT_ONCE]);
        const [next, found] = Array.isArray(reply) ? reply : [];
        const keys = Array.isArray(found) ? found.filter((key) => typeof key === 'string') : [];
        if (keys.length > 0) await conversation.say(['DEL', ...keys]);
        forgotten += keys.length;
        cursor = typeof next === 'string' ? next : '0';
      } while (cursor !== '0');
    }
    return forgotten;
  } catch (error) {
    throw new Failure(
      'redis-silent',
      `What Redis at ${server.host}:${server.port} remembers of blobs could not be taken away: ${messageOf(error)}.`,
      'No image was touched. Fix Redis or REDIS_URL, then run this again.',
      { cause: error },
    );
  } finally {
    conversation.close();
  }
}

/** One command after the other (RESP2, redis.io/docs/latest/develop/reference/protocol-spec). */
class Conversation {
  readonly #socket: Socket;
  readonly #chunks: AsyncIterator<Buffer>;
  #unread = Buffer.alloc(0);

  constructor({ host, port }: RedisServer) {
    this.#socket = connect({ host, port });
    this.#socket.setTimeout(ANSWER_WITHIN, () => this.#socket.destroy(new Error('no answer within 10 s')));
    this.#chunks = this.#socket.iterator();
  }

  async say(command: readonly string[]): Promise<Reply> {
    this.#socket.write(encoded(command));
    return this.#reply();
  }

  close(): void {
    this.#socket.destroy();
  }

  async #reply(): Promise<Reply> {
    const line = (await this.#read(await this.#lineLength())).toString();
    const [kind, rest] = [line[0], line.slice(1, -2)];
    switch (kind) {
      case '+':
        return rest;
      case ':':
        return Number(rest);
      case '$': {
        if (rest === '-1') return null;
        const length = Number(rest);
        return (await this.#read(length + 2)).subarray(0, length).toString();
      }
      case '*': {
        const replies: Reply[] = [];
        while (replies.length < Number(rest)) replies.push(await this.#reply());
        return replies;
      }
      case '-':
        throw new Error(rest);
      default:
        throw new Error('it does not speak Redis');
    }
  }

  async #lineLength(): Promise<number> {
    for (;;) {
      const end = this.#unread.indexOf('\r\n');
      if (end >= 0) return end + 2;
      await this.#more();
    }
  }

  async #read(length: number): Promise<Buffer> {
    while (this.#unread.length < length) await this.#more();
    const read = this.#unread.subarray(0, length);
    this.#unread = this.#unread.subarray(length);
    return read;
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#chunks.next();
    if (done) throw new Error('the connection was closed');
    this.#unread = Buffer.concat([this.#unread, value]);
  }
}
