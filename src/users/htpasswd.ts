import { WrongInput } from '../errors.ts';

/** A file of users as Apache's htpasswd writes it: `NAME:HASH` a line, comments and empty lines in between. */
export interface Htpasswd {
  readonly lines: readonly Line[];
}

/** `text` is the line as it stands in the file: what is not changed is written back byte for byte. */
export type Line = UserLine | { readonly kind: 'other'; readonly text: string };

export interface UserLine {
  readonly kind: 'user';
  readonly name: string;
  readonly hash: string;
  readonly text: string;
}

/** bcrypt in its modular crypt format, with a cost between 4 and 31: distribution reads no other hash. */
const BCRYPT = /^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/;

/** Four seconds a login; and every name that there is not has to take as long as the costliest that there is. */
const HIGHEST_COST = 16;

/** What decoding makes of bytes that are not UTF-8. They could not be written back as they were. */
const UNDECODABLE = '\uFFFD';
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * Blanks around a line mean nothing, as in distribution's own reader.
 *
 * @param file named in errors
 * @throws WrongInput with every line that can't be read, each with its number
 */
export function parseHtpasswd(text: string, file: string): Htpasswd {
  const raw = text.split('\n');
  if (raw.at(-1) === '') raw.pop();
  const lines = raw.map(parseLine);
  const problems = lines.flatMap((line, index) =>
    'problem' in line ? [{ input: `${file}:${index + 1}`, message: line.problem }] : [],
  );
  if (problems.length > 0) throw new WrongInput(problems);
  return { lines: lines.flatMap((line) => ('problem' in line ? [] : [line])) };
}

export function formatHtpasswd({ lines }: Htpasswd): string {
  return lines.map(({ text }) => `${text}\n`).join('');
}

export function userLine(name: string, hash: string): UserLine {
  return { kind: 'user', name, hash, text: `${name}:${hash}` };
}

/** The cost of a bcrypt hash: the binary logarithm of its rounds. */
export function costOf(hash: string): number {
  return Number(BCRYPT.exec(hash)?.[1]);
}

function parseLine(text: string): Line | { readonly problem: string } {
  if (text.includes(UNDECODABLE)) return { problem: 'is not UTF-8; save the file as UTF-8' };
  if (text.includes(BYTE_ORDER_MARK))
    return {
      problem: 'has a byte order mark, which the registry can’t read; save the file as UTF-8 without it',
    };
  const entry = text.trim();
  if (entry === '' || entry.startsWith('#')) return { kind: 'other', text };
  const colon = entry.indexOf(':');
  if (colon < 1) return { problem: 'is not NAME:HASH' };
  const name = entry.slice(0, colon);
  const hash = entry.slice(colon + 1);
  if (BCRYPT.test(hash)) {
    if (costOf(hash) <= HIGHEST_COST) return { kind: 'user', name, hash, text };
    return {
      problem: `the password of ${name} has cost ${costOf(hash)}, which takes minutes for each login; set it anew with 12, and ${HIGHEST_COST} at the most`,
    };
  }
  return {
    problem: `the password of ${name} is not hashed by bcrypt; set it anew with htpasswd -B, or take the line away and add the user again`,
  };
}
