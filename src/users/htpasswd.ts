import { WrongInput } from '../errors.ts';

/** A file of users as Apache's htpasswd writes it: `NAME:HASH` a line, comments and empty lines in between. */
export interface Htpasswd {
  readonly lines: readonly Line[];
}

export type Line =
  | { readonly kind: 'user'; readonly name: string; readonly hash: string }
  | { readonly kind: 'other'; readonly text: string };

/** bcrypt in its modular crypt format: distribution reads no other hash. */
const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

/**
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
  return lines
    .map((line) => (line.kind === 'user' ? `${line.name}:${line.hash}\n` : `${line.text}\n`))
    .join('');
}

/** The cost of a bcrypt hash: the binary logarithm of its rounds. */
export function costOf(hash: string): number {
  return Number(BCRYPT.exec(hash)?.[1]);
}

function parseLine(text: string): Line | { readonly problem: string } {
  if (text.trim() === '' || text.startsWith('#')) return { kind: 'other', text };
  const colon = text.indexOf(':');
  if (colon < 1) return { problem: 'is not NAME:HASH' };
  const name = text.slice(0, colon);
  const hash = text.slice(colon + 1).trimEnd();
  if (BCRYPT.test(hash)) return { kind: 'user', name, hash };
  return { problem: `the password of ${name} is not hashed by bcrypt; set it anew with htpasswd -B` };
}
