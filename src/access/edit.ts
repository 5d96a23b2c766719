import { stat } from 'node:fs/promises';
import { Document, isMap, isScalar, isSeq, parseDocument, YAMLMap, YAMLSeq } from 'yaml';
import { WrongInput } from '../errors.ts';
import { ownerToKeep, readIfExists, writeAtomically } from '../system/files.ts';
import { formatGrant, type Grant, parseGrant } from './grant.ts';
import { keepLines } from './keep-lines.ts';
import { parsePolicy } from './policy.ts';
import { isTemporary } from './prover.ts';
import { inTurn } from './turn.ts';
import { TEXTS_ONLY } from './yaml-reader.ts';

/** access.yaml holds no secret. */
const NEW_FILE_MODE = 0o644;
const INTRODUCTION = ' Who may do what; docs/users.md says how.';

/**
 * Gives a user rights in access.yaml. A file that is made for it gives `admin` to all other users: they lose nothing.
 * @param users all there are
 * @returns who got `admin` because the file was made, or `undefined` when it was there
 * @throws WrongInput when the file as it stands is not right; it stays
 */
export async function allow(
  file: string,
  name: string,
  grants: readonly Grant[],
  users: readonly string[],
): Promise<string[] | undefined> {
  return inTurn(file, async () => {
    const text = await readIfExists(file);
    if (text !== undefined) {
      await replace(file, withGrants(text, file, name, grants));
      return undefined;
    }
    const admins = users.filter((user) => user !== name && !isTemporary(user));
    await replace(file, firstPolicy(admins, name, grants));
    return admins;
  });
}

/**
 * Takes rights away that a user has in access.yaml by name. Those of groups and of everyone stay.
 * @throws WrongInput when there is no file, when it is not right, or when it does not give one of them
 */
export async function disallow(file: string, name: string, grants: readonly Grant[]): Promise<void> {
  await inTurn(file, async () => {
    const text = await readIfExists(file);
    if (text === undefined)
      throw refused(name, `there is no ${file}: every user may do everything; \`allow\` makes one`);
    await replace(file, withoutGrants(text, file, name, grants));
  });
}

/** @param file named in errors */
export function withGrants(text: string, file: string, name: string, grants: readonly Grant[]): string {
  return edit(text, file, (document) => {
    const users = usersOf(document);
    const old: unknown = users.get(name, true);
    const list = isSeq(old) ? old : emptyList();
    const there = formatted(list);
    for (const grant of new Set(grants.map(formatGrant)))
      if (!there.includes(grant)) list.add(document.createNode(grant));
    if (list !== old) users.set(document.createNode(name), list);
  });
}

/** @param file named in errors */
export function withoutGrants(text: string, file: string, name: string, grants: readonly Grant[]): string {
  return edit(text, file, (document) => {
    const users = usersOf(document);
    const list = users.get(name, true);
    const there = isSeq(list) ? formatted(list) : [];
    const wanted = grants.map(formatGrant);
    const missing = wanted.find((grant) => !there.includes(grant));
    if (missing !== undefined || !isSeq(list)) {
      const has = there.length === 0 ? 'nothing' : there.join(', ');
      throw refused(
        missing ?? name,
        `${name} does not have it by name, but ${has}; groups are changed in ${file}`,
      );
    }
    list.items = list.items.filter((_, index) => !wanted.includes(there[index] ?? ''));
    if (list.items.length === 0) users.delete(name);
  });
}

function firstPolicy(admins: readonly string[], name: string, grants: readonly Grant[]): string {
  const document = new Document({ users: {} }, TEXTS_ONLY);
  document.commentBefore = INTRODUCTION;
  const users = usersOf(document);
  const give = (user: string, all: readonly string[]) => {
    const list = emptyList();
    for (const grant of all) list.add(document.createNode(grant));
    users.set(document.createNode(user), list);
  };
  for (const admin of admins) give(admin, ['admin']);
  give(name, [...new Set(grants.map(formatGrant))]);
  return write(document);
}

function edit(text: string, file: string, change: (document: Document) => void): string {
  parsePolicy(text, file);
  const before = write(parseDocument(text, TEXTS_ONLY));
  const document: Document = parseDocument(text, TEXTS_ONLY);
  change(document);
  const after = write(document);
  return keepLines(text, before, after);
}

function write(document: Document): string {
  return document.toString({ lineWidth: 0, flowCollectionPadding: false }).replace(/^ +$/gm, '');
}

/** The map of users; where the file has none yet, a new one. */
function usersOf(document: Document): YAMLMap {
  const old = document.get('users', true);
  if (isMap(old)) {
    if (old.items.length === 0) old.flow = false;
    return old;
  }
  const users = new YAMLMap(document.schema);
  if (isScalar(old)) Object.assign(users, { comment: old.comment, commentBefore: old.commentBefore });
  document.set('users', users);
  return users;
}

function emptyList(): YAMLSeq {
  const list = new YAMLSeq();
  list.flow = true;
  return list;
}

/** The grants of a list as `formatGrant` writes them: `pull:**` is `pull`. */
function formatted({ items }: YAMLSeq): string[] {
  return items.map((item) => {
    const grant = parseGrant(isScalar(item) ? String(item.value) : '');
    return typeof grant === 'string' ? '' : formatGrant(grant);
  });
}

/** The file stays whose it is, and readable to whom it was. */
async function replace(file: string, text: string): Promise<void> {
  const before = await stat(file).catch(() => undefined);
  const mode = before === undefined ? NEW_FILE_MODE : before.mode & 0o777;
  await writeAtomically(file, text, mode, await ownerToKeep(file));
}

function refused(input: string, message: string): WrongInput {
  return new WrongInput([{ input, message }]);
}
