import { basename, join, relative } from 'node:path';
import { OPEN_POLICY, type Policy, parsePolicy } from '../access/policy.ts';
import type { Clock } from '../system/clock.ts';
import { ensureDirectory, writeAtomically } from '../system/files.ts';
import { type AccessState, accessStateFile } from '../users/access-state.ts';
import { costOf, parseHtpasswd } from '../users/htpasswd.ts';
import { parseTokens, type Token } from '../users/tokens.ts';
import { type Source, WatchedFile } from './watched-file.ts';

/** Who there is and who may do what, at one moment. */
export interface Rules {
  /** bcrypt hash of each user, by name. */
  readonly users: ReadonlyMap<string, string>;
  readonly tokens: ReadonlyMap<string, Token>;
  readonly policy: Policy;
}

export interface RulebookFiles {
  readonly usersFile: string;
  readonly accessFile: string;
  readonly tokensFile: string;
  /** Files are called by their way from here, as people know them. */
  readonly root: string;
  /** A folder of the gate's own. */
  readonly gate: string;
}

/** Twice a second: a change is in force within one. */
const BETWEEN_LOOKS = 400;

/** The three files that say who may do what, kept up to date. */
export class Rulebook {
  readonly #users: WatchedFile<ReadonlyMap<string, string>>;
  readonly #tokens: WatchedFile<ReadonlyMap<string, Token>>;
  readonly #policy: WatchedFile<Policy>;
  readonly #stateFile: string;
  readonly #clock: Clock;
  readonly #tell: (line: string) => void;
  #current: Rules | undefined;
  #looking: Promise<void> | undefined;
  #lookAfter: Promise<void> | undefined;

  private constructor(files: RulebookFiles, clock: Clock, tell: (line: string) => void) {
    const watch = <T>(source: Source<T>): WatchedFile<T> =>
      new WatchedFile(source, join(files.gate, 'last-good', basename(source.file)), clock);
    const { root, usersFile, tokensFile, accessFile } = files;
    const called = (file: string) => relative(root, file);
    this.#users = watch<ReadonlyMap<string, string>>({
      file: usersFile,
      absent: new Map(),
      parse: (text) => hashes(text, called(usersFile)),
    });
    this.#tokens = watch<ReadonlyMap<string, Token>>({
      file: tokensFile,
      absent: new Map(),
      parse: (text) => new Map(parseTokens(text, called(tokensFile)).map((token) => [token.id, token])),
    });
    this.#policy = watch({
      file: accessFile,
      absent: OPEN_POLICY,
      parse: (text) => parsePolicy(text, called(accessFile)),
    });
    this.#stateFile = accessStateFile(files.gate);
    this.#clock = clock;
    this.#tell = tell;
  }

  static async open(files: RulebookFiles, clock: Clock, tell: (line: string) => void): Promise<Rulebook> {
    await ensureDirectory(join(files.gate, 'last-good'), 0o700);
    const rulebook = new Rulebook(files, clock, tell);
    await rulebook.refresh();
    return rulebook;
  }

  /** `undefined` while a file is wrong and never was right: then nobody gets in. */
  get current(): Rules | undefined {
    return this.#current;
  }

  /** Looks at the files as they are from now on. */
  refresh(): Promise<void> {
    if (this.#looking === undefined) return this.#lookNow();
    // The look under way may have been too early for whoever asks now.
    this.#lookAfter ??= this.#looking.then(() => {
      this.#lookAfter = undefined;
      return this.#lookNow();
    });
    return this.#lookAfter;
  }

  /** Looks at the files until it is told to stop. */
  async keepFresh(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.refresh();
      await this.#clock.sleep(BETWEEN_LOOKS, signal).catch(() => undefined);
    }
  }

  #lookNow(): Promise<void> {
    this.#looking = this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const files = [this.#users, this.#tokens, this.#policy];
    const changed = await Promise.all(files.map((file) => file.look()));
    if (!changed.includes(true)) return;
    const [users, tokens, policy] = [this.#users.value, this.#tokens.value, this.#policy.value];
    const whole = users !== undefined && tokens !== undefined && policy !== undefined;
    this.#current = whole ? { users, tokens, policy } : undefined;
    await this.#record(whole);
  }

  async #record(inForce: boolean): Promise<void> {
    const readings = [this.#users.reading, this.#tokens.reading, this.#policy.reading];
    const problems = readings.flatMap((reading) => (reading?.kind === 'bad' ? reading.problems : []));
    const still = inForce ? 'what it said before stays in force' : 'nobody gets in until it is right';
    for (const { input, message } of problems) this.#tell(`${input}: ${message} (${still})`);
    const state: AccessState = { problems, inForce };
    await writeAtomically(this.#stateFile, JSON.stringify(state), 0o644).catch((error) => {
      this.#tell(`the state of the rules can't be written: ${String(error)}`);
    });
  }
}

function hashes(text: string, file: string): ReadonlyMap<string, string> {
  const { lines } = parseHtpasswd(text, file);
  return new Map(lines.flatMap((line) => (line.kind === 'user' ? [[line.name, line.hash] as const] : [])));
}

/** The highest cost among the users' hashes: what a name that nobody has must cost too. */
export function highestCost(users: Rules['users'] = new Map()): number {
  return Math.max(...[...users.values()].map(costOf), 0);
}
