import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import { type Problem, WrongInput } from '../errors.ts';
import { type Grant, parseGrant } from './grant.ts';
import { compilePattern, type Pattern, patternProblem } from './pattern.ts';

/** Who may do what: `registry/auth/access.yaml`, ready to be asked. */
export interface Policy {
  /** By name, those of the user's groups included. */
  readonly users: ReadonlyMap<string, readonly Grant[]>;
  /** Of whoever is logged in. */
  readonly everyone: readonly Grant[];
  /** Of whoever is not. */
  readonly anonymous: readonly Grant[];
  readonly immutable: readonly ImmutableTags[];
}

export interface ImmutableTags {
  readonly repositories: Pattern;
  /** `*` is any text. */
  readonly tags: string;
}

/** No file: every user may do everything. */
export const OPEN_POLICY: Policy = {
  users: new Map(),
  everyone: [{ role: 'admin', pattern: compilePattern('**') }],
  anonymous: [],
  immutable: [],
};

const KEYS = ['users', 'groups', 'everyone', 'anonymous', 'immutable'];
const TAG_PATTERN = /^[A-Za-z0-9_.*-]{1,128}$/;

/**
 * @param file named in errors
 * @throws WrongInput with all that is wrong, each as `file:line`
 */
export function parsePolicy(text: string, file: string): Policy {
  const reader = new Reader(text, file);
  const policy = reader.policy();
  if (reader.problems.length > 0) throw new WrongInput(reader.problems);
  return policy;
}

/** Reads the file's nodes, and gathers what is wrong with the lines they stand on. */
class Reader {
  readonly problems: Problem[] = [];
  readonly #file: string;
  readonly #lines = new LineCounter();
  readonly #root: unknown;

  constructor(text: string, file: string) {
    this.#file = file;
    const document = parseDocument(text, { lineCounter: this.#lines, uniqueKeys: true, prettyErrors: false });
    for (const { message, pos } of [...document.errors, ...document.warnings])
      this.#complain(pos[0], message);
    if (text.includes('\uFFFD'))
      this.#complain(text.indexOf('\uFFFD'), 'is not UTF-8; save the file as UTF-8');
    this.#root = document.contents;
  }

  policy(): Policy {
    const sections = this.#sections();
    const users = new Map<string, readonly Grant[]>();
    const add = (name: string, grants: readonly Grant[]) =>
      users.set(name, [...(users.get(name) ?? []), ...grants]);
    for (const [name, node] of this.#entries(sections.get('users'), 'users')) add(name, this.#grants(node));
    for (const [, node] of this.#entries(sections.get('groups'), 'groups')) {
      const { members, grants } = this.#group(node);
      for (const member of members) add(member, grants);
    }
    return {
      users,
      everyone: this.#grants(sections.get('everyone')),
      anonymous: this.#anonymous(sections.get('anonymous')),
      immutable: this.#texts(sections.get('immutable')).flatMap(([text, node]) =>
        this.#immutable(text, node),
      ),
    };
  }

  #sections(): ReadonlyMap<string, unknown> {
    // A file of nothing but comments: nobody may do anything.
    if (this.#root === null) return new Map();
    const entries = this.#entries(this.#root, 'the file');
    for (const [key, , at] of entries) {
      if (!KEYS.includes(key))
        this.#complain(at, `there is no section "${key}"; there are ${KEYS.join(', ')}`);
    }
    return new Map(entries.map(([key, node]) => [key, node]));
  }

  #entries(node: unknown, what: string): (readonly [key: string, value: unknown, at: unknown])[] {
    if (node === undefined || isEmpty(node)) return [];
    if (!isMap(node)) {
      this.#complain(node, `${what} should be a list of names with what they may do: "ada: [push:team/**]"`);
      return [];
    }
    return (node as YAMLMap<unknown, unknown>).items.flatMap(({ key, value }) => {
      if (isScalar(key) && (typeof key.value === 'string' || typeof key.value === 'number'))
        return [[String(key.value), value, key] as const];
      this.#complain(key, 'is no name; put it in quotes');
      return [];
    });
  }

  #group(node: unknown): { members: readonly string[]; grants: readonly Grant[] } {
    const parts = new Map<string, unknown>();
    for (const [key, value, at] of this.#entries(node, 'a group')) {
      if (key === 'members' || key === 'allow') parts.set(key, value);
      else this.#complain(at, `a group has members and allow, but no "${key}"`);
    }
    const members = this.#texts(parts.get('members')).map(([text]) => text);
    return { members, grants: this.#grants(parts.get('allow')) };
  }

  #anonymous(node: unknown): readonly Grant[] {
    return this.#texts(node).flatMap(([text, at]) => {
      const grants = this.#grant(text, at);
      if (grants.every(({ role }) => role === 'pull')) return grants;
      this.#complain(at, `"${text}": without a login there is nothing but pull`);
      return [];
    });
  }

  #grants(node: unknown): readonly Grant[] {
    return this.#texts(node).flatMap(([text, at]) => this.#grant(text, at));
  }

  #grant(text: string, at: unknown): readonly Grant[] {
    const grant = parseGrant(text);
    if (typeof grant !== 'string') return [grant];
    this.#complain(at, grant);
    return [];
  }

  #immutable(text: string, at: unknown): readonly ImmutableTags[] {
    const colon = text.indexOf(':');
    const repositories = text.slice(0, colon);
    const tags = text.slice(colon + 1);
    const problem = colon < 0 ? 'has no tags' : patternProblem(repositories);
    if (problem === undefined && TAG_PATTERN.test(tags))
      return [{ repositories: compilePattern(repositories), tags }];
    this.#complain(
      at,
      `"${text}": ${problem ?? 'is no pattern of tags'}; give repositories and tags: "team/**:v*"`,
    );
    return [];
  }

  /** The texts of a list. */
  #texts(node: unknown): (readonly [text: string, at: unknown])[] {
    if (node === undefined || isEmpty(node)) return [];
    if (!isSeq(node)) {
      this.#complain(node, 'should be a list: [pull:team/**]');
      return [];
    }
    return node.items.flatMap((item: unknown) => {
      if (isScalar(item) && (typeof item.value === 'string' || typeof item.value === 'number'))
        return [[String(item.value), item] as const];
      this.#complain(item, 'is no text; a pattern that begins with * goes in quotes');
      return [];
    });
  }

  #complain(where: unknown, message: string): void {
    const offset = typeof where === 'number' ? where : ((where as Node | undefined)?.range?.[0] ?? 0);
    const { line } = this.#lines.linePos(offset);
    this.problems.push({ input: `${this.#file}:${Math.max(line, 1)}`, message });
  }
}

function isEmpty(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null);
}
