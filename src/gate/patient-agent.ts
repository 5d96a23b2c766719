import { once } from 'node:events';
import { Agent, type ClientRequestArgs } from 'node:http';
import { connect, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { messageOf } from '../errors.ts';
import { type Clock, eventually } from '../system/clock.ts';

const EVERY = 100;

/** Connects to a socket that may not be there for a moment, because its part is being replaced. */
export class PatientAgent extends Agent {
  readonly #clock: Clock;
  readonly #patience: number;

  /**
   * @param patience in ms, until a connection fails
   * @param atOnce connections; what more is asked waits for one of them
   */
  constructor(clock: Clock, patience: number, atOnce: number) {
    super({ keepAlive: true, maxSockets: atOnce });
    this.#clock = clock;
    this.#patience = patience;
  }

  override createConnection(
    { socketPath }: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const connected = async () => {
      let failed: unknown;
      const socket = await eventually(this.#clock, { within: this.#patience, every: EVERY }, async () => {
        const attempt = connect({ path: socketPath ?? '' });
        return once(attempt, 'connect').then(
          () => attempt,
          (error) => {
            failed = error;
            return undefined;
          },
        );
      });
      if (socket === undefined) throw new Error(messageOf(failed), { cause: failed });
      return socket;
    };
    connected().then(
      (socket) => callback?.(null, socket),
      (error) => callback?.(error, new Socket()),
    );
  }
}
