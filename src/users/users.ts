import { isTemporary } from '../access/prover.ts';
import { inTurn } from '../access/turn.ts';
import { Failure, systemCode, WrongInput } from '../errors.ts';
import { ownerToKeep, readIfExists, writeAtomically } from '../system/files.ts';
import {
  costOf,
  formatHtpasswd,
  type Htpasswd,
  type Line,
  parseHtpasswd,
  type UserLine,
  userLine,
} from './htpasswd.ts';

export interface User {
  readonly name: string;
  /** bcrypt's cost of the password's hash. */
  readonly cost: number;
}

/** Apache's htpasswd takes no more (MAX_STRING_LEN less one). */
const LONGEST_NAME = 255;
/** More names than that are no help in an error. */
const FEW = 10;

/** Why this can't be the name of a user, or `undefined` when it can. HTTP Basic ends a name at the first colon (RFC 7617 section 2). */
export function userNameProblem(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (name.includes(':')) return 'has a colon in it, which ends the name in HTTP Basic authentication';
  if (/\p{Cc}/u.test(name)) return 'has a control character in it';
  if (name.includes('\uFFFD')) return 'is not UTF-8';
  if (name !== name.trim()) return 'begins or ends with a blank';
  if (name.startsWith('#')) return 'begins with #, which starts a comment';
  if (Buffer.byteLength(name) > LONGEST_NAME) return `is longer than ${LONGEST_NAME} bytes`;
  return undefined;
}

/**
 * The users of a file, in its order. No file is no users.
 * @throws WrongInput when a line can't be read
 * @throws Failure `users-file-is-folder`; so does everything below
 */
export async function listUsers(file: string): Promise<User[]> {
  return users(await read(file)).map(({ name, hash }) => ({ name, cost: costOf(hash) }));
}

/** @throws WrongInput when there is one of that name */
export async function expectNew(file: string, name: string): Promise<void> {
  if (find(await read(file), name)) throw taken(name);
}

/** @throws WrongInput when there is none of that name */
export async function expectKnown(file: string, name: string): Promise<void> {
  expectUser(await read(file), name);
}

/** @throws WrongInput when nobody could log in without this one */
export async function expectNotLast(file: string, name: string): Promise<void> {
  expectOthers(await read(file), name);
}

/** @throws WrongInput when there is one of that name, or when it can't be a name */
export async function addUser(file: string, name: string, hash: string): Promise<void> {
  const problem = userNameProblem(name);
  if (problem !== undefined) throw refused(JSON.stringify(name), problem);
  await change(file, (htpasswd) => {
    if (find(htpasswd, name)) throw taken(name);
    return { lines: [...htpasswd.lines, userLine(name, hash)] };
  });
}

/** @throws WrongInput when there is none of that name */
export async function setPassword(file: string, name: string, hash: string): Promise<void> {
  await change(file, (htpasswd) => {
    expectUser(htpasswd, name);
    return { lines: htpasswd.lines.map((line) => (isUser(line, name) ? userLine(name, hash) : line)) };
  });
}

/**
 * @param options.last whether it may be the last, after whom nobody could log in
 * @throws WrongInput when there is none of that name, or when it is the last and may not be
 */
export async function removeUser(file: string, name: string, { last }: { last: boolean }): Promise<void> {
  await change(file, (htpasswd) => {
    expectUser(htpasswd, name);
    if (!last) expectOthers(htpasswd, name);
    return { lines: htpasswd.lines.filter((line) => !isUser(line, name)) };
  });
}

/** Reads, changes and replaces the file while nobody else does; waits for another change that is under way. */
async function change(file: string, edit: (htpasswd: Htpasswd) => Htpasswd): Promise<void> {
  await inTurn(file, async () => {
    const text = formatHtpasswd(edit(await read(file)));
    await writeAtomically(file, text, 0o600, await ownerToKeep(file));
  });
}

async function read(file: string): Promise<Htpasswd> {
  return parseHtpasswd((await textOf(file)) ?? '', file);
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readIfExists(file);
  } catch (error) {
    if (systemCode(error) !== 'EISDIR') throw error;
    throw new Failure(
      'users-file-is-folder',
      `${file} is a folder, but should be the file of users.`,
      'Docker makes such a folder when a file that it should mount is missing. Remove it, then run this again.',
      { cause: error },
    );
  }
}

function users({ lines }: Htpasswd): UserLine[] {
  return lines.filter((line) => line.kind === 'user');
}

function find(htpasswd: Htpasswd, name: string): boolean {
  return htpasswd.lines.some((line) => isUser(line, name));
}

function isUser(line: Line, name: string): boolean {
  return line.kind === 'user' && line.name === name;
}

function expectUser(htpasswd: Htpasswd, name: string): void {
  if (find(htpasswd, name)) return;
  const names = users(htpasswd).map((user) => user.name);
  throw refused(name, `is no user; ${namesThereAre(names)}`);
}

function expectOthers(htpasswd: Htpasswd, name: string): void {
  const left = users(htpasswd).filter((user) => user.name !== name && !isTemporary(user.name));
  if (left.length > 0) return;
  throw refused(name, 'is the last user: nobody could log in any more; add another first, or say --last');
}

function namesThereAre(names: readonly string[]): string {
  if (names.length === 0) return 'there are none yet';
  if (names.length > FEW) return `there are ${names.length}, see \`npm run user -- list\``;
  return `there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`;
}

function taken(name: string): WrongInput {
  return refused(name, 'is a user already; `npm run user -- passwd` sets a new password');
}

function refused(name: string, message: string): WrongInput {
  return new WrongInput([{ input: name, message }]);
}
