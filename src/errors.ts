/**
 * What went wrong, in a form the person at the terminal can act on. The message says what happened and on
 * which input; the remedy says what to do next. `code` is for tests and for `--json`.
 */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: string;
  readonly remedy: string;

  constructor(code: string, message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.remedy = remedy;
  }
}

/** One thing wrong with the input: `RENEW_AT=soon`: what it is, and what would be right. */
export interface Problem {
  /** The setting, argument or file line, as the person wrote it. */
  readonly input: string;
  readonly message: string;
}

/** Wrong input. Thrown before anything has changed; exit code 2. */
export class WrongInput extends Error {
  override readonly name = 'WrongInput';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ input, message }) => `${input}: ${message}`).join('\n'));
    this.problems = problems;
  }
}

/** What is wrong with the input that `read` reads. */
export function problemsOf(read: () => unknown): readonly Problem[] {
  try {
    read();
    return [];
  } catch (error) {
    if (error instanceof WrongInput) return error.problems;
    throw error;
  }
}

/** The message of anything thrown, for use inside another message. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why a `fetch` did not succeed: of itself it says no more than "fetch failed". */
export function fetchFailureOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return messageOf(cause) || systemCode(cause) || 'no answer'; // one for several addresses has a code alone
}

/** The `code` that Node puts on system errors (`ENOENT`, `ECONNREFUSED`, …). */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Whether the system refused it for want of rights. */
export function isDenied(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes(systemCode(error) ?? '');
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'permission was denied',
};

/** Why a file that a person named can't be read. */
export function whyUnreadable(error: unknown): string {
  return UNREADABLE[systemCode(error) ?? ''] ?? messageOf(error);
}

/** For the `default` of an exhaustive `switch`: the compiler refuses a case that was forgotten. */
export function unreachable(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`);
}
