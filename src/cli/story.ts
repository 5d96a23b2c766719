import type { Done, Report } from '../step.ts';
import type { Clock } from '../system/clock.ts';
import { type Terminal, TITLE_WIDTH } from './terminal.ts';

export interface StepRecord {
  readonly title: string;
  readonly summary: string;
  readonly changed: boolean;
  readonly seconds: number;
}

/** Where a story is told: a terminal, or a line of one. */
export type Screen = Pick<Terminal, 'live' | 'style' | 'line' | 'transient' | 'clear' | 'hanging'>;

/** What a machine's story needs, however many are told at once. */
export type Teller = Pick<Story, 'step' | 'stepFor'>;

const REDRAW_MILLISECONDS = 100;
const PLAIN_LINE_EVERY = 5_000;

/**
 * Tells a command as named steps: what is being done while it is done, what came of it, how long it took.
 * On a terminal the running step is one line that moves; elsewhere each detail is a plain line.
 */
export class Story {
  readonly records: StepRecord[] = [];
  readonly #terminal: Screen;
  readonly #clock: Clock;

  constructor(terminal: Screen, clock: Clock) {
    this.#terminal = terminal;
    this.#clock = clock;
  }

  get changed(): boolean {
    return this.records.some((record) => record.changed);
  }

  /** Does one step. When it fails, `rescue` is done before the failure goes on its way. */
  async step<T>(
    title: string,
    work: (report: Report) => Promise<Done<T>>,
    rescue: () => Promise<unknown> = async () => undefined,
  ): Promise<T> {
    const started = this.#clock.now().getTime();
    const { report, stop } = this.#progress(title);
    report('');
    let done: Done<T>;
    try {
      done = await work(report);
    } catch (error) {
      stop();
      this.#terminal.line(`${this.#terminal.style('red', '✗')} ${title}`);
      await rescue().catch(() => undefined); // the first failure is the one to tell
      throw error;
    }
    stop();
    const seconds = (this.#clock.now().getTime() - started) / 1000;
    this.records.push({ title, summary: done.summary, changed: done.changed, seconds });
    this.#conclude(title, done, seconds);
    return done.value;
  }

  /** Does one step about something that there may not be: then there is no such step. */
  async stepFor<S, T>(
    subject: S | undefined,
    title: string,
    work: (subject: S, report: Report) => Promise<Done<T>>,
  ): Promise<T | undefined> {
    return subject === undefined ? undefined : this.step(title, (report) => work(subject, report));
  }

  #progress(title: string): { report: Report; stop: () => void } {
    const head = title.padEnd(TITLE_WIDTH);
    if (!this.#terminal.live) {
      return { report: this.#plainReport(head), stop: () => undefined };
    }
    let detail = '';
    const draw = () => this.#terminal.transient(`· ${head} ${detail}`);
    const timer = setInterval(draw, REDRAW_MILLISECONDS);
    return {
      report: (next) => {
        detail = next;
      },
      stop: () => {
        clearInterval(timer);
        this.#terminal.clear();
      },
    };
  }

  /** A log wants to know that something goes on, not every line of it. */
  #plainReport(head: string): Report {
    let last = 0;
    return (detail) => {
      const now = this.#clock.now().getTime();
      if (detail === '' || now - last < PLAIN_LINE_EVERY) return;
      last = now;
      this.#terminal.line(`· ${head} ${detail}`);
    };
  }

  #conclude(title: string, done: Done<unknown>, seconds: number): void {
    const mark = done.changed ? this.#terminal.style('green', '✓') : this.#terminal.style('dim', '=');
    const time = seconds >= 1 ? this.#terminal.style('dim', `  ${seconds.toFixed(1)} s`) : '';
    this.#terminal.line(
      `${mark} ${title.padEnd(TITLE_WIDTH)} ${this.#terminal.hanging(`${done.summary}${time}`)}`,
    );
  }
}
