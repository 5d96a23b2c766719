import { type Grant, parseGrant } from './grant.ts';
import {
  compileRepositoryPattern,
  compileTagPattern,
  repositoryPatternProblem,
  tagPatternProblem,
} from './pattern.ts';
import { type Place, YamlReader } from './yaml-reader.ts';

/** Who may do what. Made once from a file and asked on each request: patterns are compiled, groups are resolved. */
export interface Policy {
  /** By a user's name: what they may themselves and through their groups. */
  readonly users: ReadonlyMap<string, readonly Grant[]>;
  /** Whoever is logged in. */
  readonly everyone: readonly Grant[];
  /** Whoever comes, logged in or not: `pull` alone. */
  readonly anonymous: readonly Grant[];
  readonly immutable: readonly TagRule[];
}

/** Tags that are written once: `team/**:v*`. */
export interface TagRule {
  readonly repository: (repository: string) => boolean;
  readonly tag: (tag: string) => boolean;
}

/** Without access.yaml every user may do everything, and nobody else anything. */
export const OPEN_POLICY: Policy = {
  users: new Map(),
  everyone: [expectGrant('admin')],
  anonymous: [],
  immutable: [],
};

const SECTIONS = ['users', 'groups', 'everyone', 'anonymous', 'immutable'] as const;
const EXAMPLES = {
  file: 'a map with users, groups, everyone, anonymous or immutable',
  users: '`ada: [push:team/**]`, a user a line',
  groups: '`developers: { members: [ada], allow: [push:team/**] }`',
  members: 'a list of users, `[ada, bob]`',
  grants: 'a list of ROLE:PATTERN, `[push:team/**, pull]`',
  immutable: "a list of REPOSITORY:TAG, `['team/**:v*']`",
};

/**
 * @param file named in errors
 * @throws WrongInput with every problem as `FILE:LINE`, and what would be right
 */
export function parsePolicy(text: string, file: string): Policy {
  const reader = new YamlReader(text);
  const policy = readPolicy(reader);
  reader.expectNone(file);
  return policy;
}

function readPolicy(reader: YamlReader): Policy {
  if (reader.blank)
    reader.problem(
      1,
      'says nothing, and so nobody could do anything; fill it, or remove it: then every user may do everything',
    );
  const { users, groups, everyone, anonymous, immutable } = reader.fields(
    reader.root,
    SECTIONS,
    EXAMPLES.file,
  );
  return {
    users: readUsers(reader, users, groups),
    everyone: readGrants(reader, everyone),
    anonymous: readGrants(reader, anonymous, (grant) =>
      grant.role === 'pull' ? undefined : 'without a login one may only pull',
    ),
    immutable: immutable === undefined ? [] : readTagRules(reader, immutable),
  };
}

function readUsers(
  reader: YamlReader,
  users: Place | undefined,
  groups: Place | undefined,
): Map<string, Grant[]> {
  const found = new Map<string, Grant[]>();
  const give = (name: string, line: number, grants: readonly Grant[]) => {
    if (name.includes(':')) reader.problem(line, `${name} has a colon in it, and no user has`);
    found.set(name, [...(found.get(name) ?? []), ...grants]);
  };
  for (const user of users === undefined ? [] : reader.map(users, EXAMPLES.users))
    give(user.name, user.line, readGrants(reader, user));
  for (const group of groups === undefined ? [] : reader.map(groups, EXAMPLES.groups)) {
    const { members, allow } = reader.fields(group, ['members', 'allow'] as const, EXAMPLES.groups);
    if (members === undefined) reader.problem(group.line, `${group.name} has no members: ${EXAMPLES.groups}`);
    if (allow === undefined) reader.problem(group.line, `${group.name} has no allow: ${EXAMPLES.groups}`);
    const grants = readGrants(reader, allow);
    for (const { text, line } of members === undefined ? [] : reader.list(members, EXAMPLES.members))
      give(text, line, grants);
  }
  return found;
}

function readGrants(
  reader: YamlReader,
  place: Place | undefined,
  problemOf: (grant: Grant) => string | undefined = () => undefined,
): Grant[] {
  if (place === undefined) return [];
  return reader.list(place, EXAMPLES.grants).flatMap(({ text, line }) => {
    const grant = parseGrant(text);
    const problem = typeof grant === 'string' ? grant : problemOf(grant);
    if (problem !== undefined) reader.problem(line, `${text} is not allowed here: ${problem}`);
    return typeof grant === 'string' ? [] : [grant];
  });
}

function readTagRules(reader: YamlReader, place: Place): TagRule[] {
  return reader.list(place, EXAMPLES.immutable).flatMap(({ text, line }) => {
    const [repository = '', tag, ...more] = text.split(':');
    if (tag === undefined || more.length > 0) {
      reader.problem(line, `${text} is not REPOSITORY:TAG; right would be ${EXAMPLES.immutable}`);
      return [];
    }
    const problem = repositoryPatternProblem(repository) ?? tagPatternProblem(tag);
    if (problem !== undefined) reader.problem(line, `${text} is no rule for tags: ${problem}`);
    return [{ repository: compileRepositoryPattern(repository), tag: compileTagPattern(tag) }];
  });
}

function expectGrant(text: string): Grant {
  const grant = parseGrant(text);
  if (typeof grant === 'string') throw new Error(grant);
  return grant;
}
