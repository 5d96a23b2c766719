import type { Order } from '../deploy/order.ts';
import { messageOf, WrongInput } from '../errors.ts';
import { atOnce } from '../system/at-once.ts';
import type { Clock } from '../system/clock.ts';
import { Fleet } from './fleet.ts';
import { Story } from './story.ts';
import type { Terminal } from './terminal.ts';

/** How one machine's part ended. */
export type Outcome<T> = Done<T> | Failed;
interface Done<T> {
  readonly kind: 'done';
  readonly order: Order;
  readonly value: T;
}
interface Failed {
  readonly kind: 'failed';
  readonly order: Order;
  readonly error: unknown;
}

/** So many SSH connections and copies at once leave some of the line to others. */
const AT_ONCE = 5;

/** Tells of one machine as any command does; of several in a line each. */
export class Crew {
  readonly #terminal: Terminal;
  readonly #fleet: Fleet | undefined;
  readonly #stories: ReadonlyMap<Order, Story>;

  constructor(terminal: Terminal, clock: Clock, orders: readonly { readonly order: Order }[]) {
    const names = orders.map(({ order }) => order.target.name);
    const fleet = orders.length === 1 ? undefined : new Fleet(terminal, names);
    this.#terminal = terminal;
    this.#fleet = fleet;
    this.#stories = new Map(
      orders.map(({ order }) => [order, new Story(fleet?.screen(order.target.name) ?? terminal, clock)]),
    );
  }

  /** Each machine's part. What fails on one of them does not keep the others from going on. */
  async each<S extends { readonly order: Order }, T>(
    subjects: readonly S[],
    work: (subject: S, story: Story, tell: (line: string) => void) => Promise<T>,
  ): Promise<Outcome<T>[]> {
    return atOnce(AT_ONCE, subjects, async (subject) => {
      const { order } = subject;
      try {
        return { kind: 'done', order, value: await work(subject, this.story(order), this.#tell()) };
      } catch (error) {
        this.conclude(order, false, firstLine(error));
        return { kind: 'failed', order, error };
      }
    });
  }

  /** The last word about a machine, where there are several. */
  conclude({ target }: Order, well: boolean, text: string): void {
    const mark = well ? this.#terminal.style('green', '✓') : this.#terminal.style('red', '✗');
    this.#fleet?.conclude(target.name, mark, text);
  }

  story(order: Order): Story {
    const story = this.#stories.get(order);
    if (story === undefined) throw new Error('each order has a story');
    return story;
  }

  /** What a machine tells of itself: read where there is but one. */
  #tell(): (line: string) => void {
    const terminal = this.#terminal;
    if (this.#fleet !== undefined) return () => undefined;
    return (line) => terminal.line(terminal.style('dim', terminal.retold(line, '  ')));
  }
}

export function doneOf<T>(outcomes: readonly Outcome<T>[]): T[] {
  return outcomes.flatMap((each) => (each.kind === 'done' ? [each.value] : []));
}

/** @throws WrongInput with the problems of all machines, when there is one: then nothing is done anywhere */
export function expectRightInput(outcomes: readonly Outcome<unknown>[]): void {
  const problems = outcomes.flatMap((each) =>
    each.kind === 'failed' && each.error instanceof WrongInput ? each.error.problems : [],
  );
  if (problems.length > 0) throw new WrongInput(problems);
}

/** The rest, remedies too, is told in the end. */
function firstLine(error: unknown): string {
  const [line = ''] = messageOf(error).split('\n');
  return line;
}
