import { type Place, YamlReader } from '../access/yaml-reader.ts';
import {
  DEFAULT_DAYS,
  type Glob,
  keepsSomething,
  type NumberName,
  parseNumber,
  type Retention,
  type Rule,
  repositoryGlob,
  tagGlob,
} from './rules.ts';

const RULE_KEYS = ['repo', 'keep-last', 'keep-days', 'keep', 'untagged-days'] as const;
const EXAMPLES = {
  file: 'a map with rules, and undo-days if it is not to be 7',
  rules: "a list of rules, each like `- { repo: 'team/**', keep-last: 10 }`",
  rule: "`{ repo: 'team/**', keep-last: 10, keep-days: 30, keep: ['v*'] }`",
  repo: "patterns of repositories, `['team/**', tools]`",
  keep: "patterns of tags, `['v*', latest]`",
  number: 'a number, `10`',
};

/**
 * @param file named in errors, and before the lines of rules
 * @throws WrongInput with every problem as `FILE:LINE`, and what would be right
 */
export function parseRetention(text: string, file: string): Retention {
  const reader = new YamlReader(text);
  const retention = readRetention(reader, file);
  reader.expectNone(file);
  return retention;
}

function readRetention(reader: YamlReader, file: string): Retention {
  const { rules, 'undo-days': undo } = reader.fields(
    reader.root,
    ['rules', 'undo-days'] as const,
    EXAMPLES.file,
  );
  const places = rules === undefined ? [] : reader.items(rules, EXAMPLES.rules);
  if (places.length === 0 && reader.root.value !== undefined)
    reader.problem(rules?.line ?? 1, `has no rule; right would be ${EXAMPLES.rules}, or no file at all`);
  return {
    rules: places.map((place) => readRule(reader, place, file)),
    undoDays: readNumber(reader, 'undo-days', undo) ?? DEFAULT_DAYS,
  };
}

function readRule(reader: YamlReader, place: Place, file: string): Rule {
  const { repo, keep, ...numbers } = reader.fields(place, RULE_KEYS, EXAMPLES.rule);
  const rule = {
    name: `${file}:${place.line}`,
    repositories: readGlobs(reader, repo, EXAMPLES.repo, repositoryGlob),
    last: readNumber(reader, 'keep-last', numbers['keep-last']),
    days: readNumber(reader, 'keep-days', numbers['keep-days']),
    tags: readGlobs(reader, keep, EXAMPLES.keep, tagGlob),
    untaggedDays: readNumber(reader, 'untagged-days', numbers['untagged-days']) ?? DEFAULT_DAYS,
  };
  if (repo === undefined) reader.problem(place.line, `names no repo; right would be ${EXAMPLES.rule}`);
  const mentioned = keep ?? numbers['keep-last'] ?? numbers['keep-days'];
  if (mentioned === undefined && !keepsSomething(rule))
    reader.problem(place.line, `keeps nothing; say keep-last, keep-days or keep: ${EXAMPLES.rule}`);
  return rule;
}

function readNumber(reader: YamlReader, name: NumberName, place: Place | undefined): number | undefined {
  if (place === undefined) return undefined;
  const [only, ...more] = reader.texts(place, EXAMPLES.number);
  if (only === undefined || more.length > 0) {
    reader.problem(place.line, `${name}: has to be one number, \`${name}: 10\``);
    return undefined;
  }
  const value = parseNumber(name, only.text);
  if (typeof value === 'number') return value;
  reader.problem(place.line, `${name}: ${value}`);
  return undefined;
}

function readGlobs(
  reader: YamlReader,
  place: Place | undefined,
  example: string,
  parse: (text: string) => Glob | string,
): Glob[] {
  if (place === undefined) return [];
  const texts = reader.texts(place, example);
  if (texts.length === 0) reader.problem(place.line, `says nothing; right would be ${example}`);
  return texts.flatMap(({ text, line }) => {
    const glob = parse(text);
    if (typeof glob !== 'string') return [glob];
    reader.problem(line, `${text} is no pattern here: ${glob}`);
    return [];
  });
}
